"""Documents the routes: raw bodies, raw answers, and the problems that each route may give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.answers import problem_document
from api.problems import PROBLEMS
from api.schemas.problems import ProblemDocument
from dispatcher.model import Refusal

_REF = "#/components/schemas/{model}"
_ASKED: dict[str, type[BaseModel]] = {}

DESCRIPTION = """
Send circuits, get results, and see what they cost and who pays.

* **Tokens**: `Authorization: Bearer qb_…`; an admin of your project makes them.
* **Retries**: send an `Idempotency-Key` with `POST /v1/jobs`; the same key and body give the same job, however often
  and how fast they are sent.
* **Waiting**: `?wait=60` answers when the job has ended, or after 60 s; `/v1/events` streams every change.
* **Problems**: every no is a document of RFC 9457 whose `type` explains it and says what to do next.
* **Money** is counted in micro-units (1 CNY = 1,000,000), time in microseconds (`_us`) since 1970, UTC.
"""


def documented(
    *,
    told: Mapping[int, type[BaseModel]],
    refuses: tuple[str, ...] = (),
    asked: type[BaseModel] | None = None,
    signed: bool = True,
) -> dict[str, Any]:
    """Arguments of a route decorator: the answers by status, the problem codes, and the model of a raw body.

    `signed` routes refuse calls without a token besides; every route may answer internal and unavailable.
    """
    codes = (*(("unauthenticated", "token_expired") if signed else ()), *refuses, "internal", "unavailable")
    arguments: dict[str, Any] = {
        "response_model": None,
        "status_code": next(iter(told)),
        "responses": {
            **{status: {"model": model, "description": _sentence(model)} for status, model in told.items()},
            **_problems(codes),
        },
    }
    if asked is not None:
        _ASKED[asked.__name__] = asked
        schema = {"$ref": _REF.format(model=asked.__name__)}
        arguments["openapi_extra"] = {
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
        }
    return arguments


def install(app: FastAPI) -> None:
    """Have `app` describe itself completely."""
    app.openapi = _describer(app)  # type: ignore[method-assign]


def _describer(app: FastAPI) -> Callable[[], dict[str, Any]]:
    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            models = [(model, "validation") for model in (*_ASKED.values(), ProblemDocument)]
            _, definitions = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(definitions["$defs"])
            _forget_validation_errors(document, schemas)
            app.openapi_schema = document
        return app.openapi_schema

    return describe


def _forget_validation_errors(document: dict[str, Any], schemas: dict[str, Any]) -> None:
    """FastAPI adds its own 422 wherever an address has a parameter; here nothing answers in that shape."""
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]


def _problems(codes: tuple[str, ...]) -> dict[int | str, dict[str, Any]]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {
        status: {
            "description": "; ".join(PROBLEMS[code].title for code in listed),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": _REF.format(model="ProblemDocument")},
                    "examples": {code: {"value": _example(code)} for code in listed},
                }
            },
        }
        for status, listed in sorted(by_status.items())
    }


def _example(code: str) -> dict[str, Any]:
    return problem_document(Refusal(code, PROBLEMS[code].meaning), request_id="req_5f0c1c2f9a3b4d5e")


def _sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or model.__name__).strip().splitlines()[0]
