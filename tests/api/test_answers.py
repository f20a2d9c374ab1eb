"""Answers as bytes, and refusals as documents of RFC 9457."""

from __future__ import annotations

from types import MappingProxyType

import orjson
import pytest
from starlette.requests import Request

from api.answers import Json, Refused, accepted, as_bytes, problem_answer, problem_document, refuse
from dispatcher.model import Refusal


def request(path: str = "/v1/jobs") -> Request:
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b"", "server": ("h", 80)}
    return Request({**scope, "scheme": "http", "state": {"request_id": "req_1"}})


def test_read_only_mappings_and_tuples_are_json() -> None:
    assert as_bytes({"a": MappingProxyType({"b": (1, 2)})}) == b'{"a":{"b":[1,2]}}'


def test_what_has_no_json_form_is_a_bug() -> None:
    with pytest.raises(TypeError):
        as_bytes({"a": object()})


def test_a_json_answer_says_what_it_is() -> None:
    answer = Json({"a": 1}, 201, {"location": "/x"})
    assert (answer.status_code, answer.body, answer.headers["content-type"]) == (201, b'{"a":1}', "application/json")


def test_a_refusal_becomes_a_document_with_its_fields_beside_it() -> None:
    refusal = Refusal("grant_exhausted", "Too little is left.", {"needed": 10, "available": 3})
    assert problem_document(refusal, instance="/v1/jobs", request_id="req_1") == {
        "type": "/problems/grant_exhausted",
        "title": "The grants do not cover this",
        "status": 402,
        "detail": "Too little is left.",
        "code": "grant_exhausted",
        "instance": "/v1/jobs",
        "request_id": "req_1",
        "needed": 10,
        "available": 3,
    }


def test_fields_never_overwrite_what_the_standard_names() -> None:
    document = problem_document(Refusal("forbidden", "No.", {"status": 200, "code": "fine", "role": "member"}))
    assert (document["status"], document["code"], document["role"]) == (403, "forbidden", "member")


def test_a_code_without_a_row_tells_nothing_to_the_outside() -> None:
    document = problem_document(Refusal("hold_exists", "a secret of ours", {"secret": 1}))
    assert (document["status"], document["code"]) == (500, "internal")
    assert "secret" not in orjson.dumps(document).decode()


@pytest.mark.parametrize(
    ("code", "fields", "header", "value"),
    [
        ("unauthenticated", {}, "www-authenticate", "Bearer"),
        ("queue_full", {"retry_after_s": 10}, "retry-after", "10"),
        ("unavailable", {}, "retry-after", "2"),
        ("unavailable", {"retry_after_s": 0}, "retry-after", "1"),
        ("no_grant", {}, "cache-control", "no-store"),
    ],
)
def test_a_status_brings_its_headers(code: str, fields: dict[str, int], header: str, value: str) -> None:
    answer = problem_answer(request(), Refusal(code, "No.", fields))
    assert answer.headers[header] == value
    assert answer.headers["content-type"] == "application/problem+json"
    assert orjson.loads(answer.body)["instance"] == "/v1/jobs"
    assert orjson.loads(answer.body)["request_id"] == "req_1"


def test_final_answers_promise_no_retry() -> None:
    assert "retry-after" not in problem_answer(request(), Refusal("invalid_request", "No.")).headers


def test_what_is_no_refusal_passes() -> None:
    assert accepted(7) == 7
    with pytest.raises(Refused) as caught:
        accepted(Refusal("forbidden", "No."))
    assert caught.value.refusal.code == "forbidden"


def test_refuse_names_its_figures() -> None:
    assert refuse("too_many_streams", "Full.", limit=3).refusal == Refusal("too_many_streams", "Full.", {"limit": 3})
