"""The description of the API is complete: every request and every answer has a schema and an example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.app import create_app
from api.openapi import documented
from api.problems import PROBLEMS
from api.schemas.facility import Live
from api.schemas.people import ProjectRequest


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, template: Any) -> dict[str, Any]:
    with template.copied(tmp_path_factory.mktemp("openapi")) as house:
        return create_app(house.room).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that goes in or out, with its name."""
    if "requestBody" in operation:
        for media, body in operation["requestBody"]["content"].items():
            yield f"request {media}", body
    for status, answer in operation["responses"].items():
        for media, body in answer.get("content", {}).items():
            yield f"{status} {media}", body


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for child in node.values():
                yield from references(child)
        elif isinstance(node, list):
            for child in node:
                yield from references(child)

    found = set(references(document))
    assert len(found) > 40
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"], reference


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    schemas, seen = document["components"]["schemas"], 0
    for name, operation in operations(document):
        for body_name, body in bodies(operation):
            schema = body["schema"]
            if "$ref" in schema:
                schema = schemas[schema["$ref"].rpartition("/")[2]]
            assert "examples" in schema or "examples" in body or "example" in body, f"{name}: {body_name}"
            seen += 1
    assert seen > 150


def test_every_operation_says_what_it_is_for(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names)) == 65
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name


def test_problems_are_documented_as_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and name != "get /health/ready":
                assert list(answer["content"]) == ["application/problem+json"], f"{name}: {status}"


def test_no_field_of_the_framework_is_left_in_the_description(document: dict[str, Any]) -> None:
    assert {"HTTPValidationError", "ValidationError"} & document["components"]["schemas"].keys() == set()


def test_signed_operations_name_the_bearer_token(document: dict[str, Any]) -> None:
    assert list(document["components"]["securitySchemes"]) == ["HTTPBearer"]
    unsigned = {name for name, operation in operations(document) if "security" not in operation}
    assert unsigned == {
        "get /health/live",
        "get /health/ready",
        "get /v1/version",
        "get /problems",
        "get /problems/{code}",
    }


def test_creating_a_job_names_every_way_it_can_be_refused(document: dict[str, Any]) -> None:
    answers = document["paths"]["/v1/jobs"]["post"]["responses"]
    named = {
        code for answer in answers.values() for body in answer["content"].values() for code in body.get("examples", ())
    }
    assert {"grant_exhausted", "idempotency_conflict", "queue_full", "decoder_crashed", "body_too_large"} <= named
    assert named <= PROBLEMS.keys()


def test_documented_makes_the_arguments_of_a_route() -> None:
    arguments = documented(asked=ProjectRequest, told={201: Live}, refuses=("forbidden",), signed=False)
    assert arguments["status_code"] == 201
    assert sorted(arguments["responses"]) == [201, 403, 500, 503]
    schema = arguments["openapi_extra"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ProjectRequest"}


def test_a_code_without_a_row_cannot_be_documented() -> None:
    with pytest.raises(KeyError):
        documented(told={200: Live}, refuses=("no_such_code",))
