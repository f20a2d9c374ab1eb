"""Shapes answers: JSON through orjson, problems as RFC 9457 documents, and the exception that carries a refusal out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.problems import PROBLEMS, problem_of
from dispatcher.model import Refusal

T = TypeVar("T")

_RESERVED = frozenset({"type", "title", "status", "detail", "code", "instance", "request_id"})


class Refused(Exception):  # noqa: N818 - an outcome, not an error of ours
    """Ends a request with a problem. `headers` are added to the answer."""

    def __init__(self, refusal: Refusal, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(refusal.code, refusal.detail)
        self.refusal = refusal
        self.headers = dict(headers or {})


class Json(Response):
    """A JSON answer; `content` is written by orjson as it stands."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The bytes of `content`."""
        return as_bytes(content)


def as_bytes(content: object) -> bytes:
    """`content` as JSON; read-only mappings and tuples count as objects and arrays."""
    return orjson.dumps(content, default=_plain)


def _plain(content: object) -> dict[str, Any]:
    if isinstance(content, Mapping):
        return dict(content)
    raise TypeError(f"{type(content).__name__} has no JSON form")


def refuse(code: str, detail: str, **fields: object) -> Refused:
    """The exception for a refusal that the HTTP face itself decides on."""
    return Refused(Refusal(code, detail, fields))


def accepted(answer: T | Refusal) -> T:
    """`answer`, unless it is a refusal: then the request ends here."""
    if isinstance(answer, Refusal):
        raise Refused(answer)
    return answer


def problem_document(refusal: Refusal, *, instance: str = "", request_id: str = "") -> dict[str, Any]:
    """The RFC 9457 document of a refusal: the table's row, the detail, and the refusal's fields beside them.

    A code without a row is a bug and tells nothing to the outside.
    """
    row = problem_of(refusal.code)
    known = refusal.code in PROBLEMS
    document: dict[str, Any] = {
        "type": row.type,
        "title": row.title,
        "status": row.status,
        "detail": refusal.detail if known else row.meaning,
        "code": row.code,
    }
    if instance:
        document["instance"] = instance
    if request_id:
        document["request_id"] = request_id
    if known:
        document.update((name, value) for name, value in refusal.fields.items() if name not in _RESERVED)
    return document


def problem_answer(request: Request, refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """The whole answer to a refused request, with the headers that its status asks for."""
    request_id = getattr(request.state, "request_id", "")
    document = problem_document(refusal, instance=request.url.path, request_id=request_id)
    status = int(document["status"])
    sent = {"cache-control": "no-store"}
    if status == 401:
        sent["www-authenticate"] = "Bearer"
    if problem_of(refusal.code).retryable:
        sent["retry-after"] = str(max(1, int(refusal.fields.get("retry_after_s", 2))))
    sent.update(headers or {})
    return Response(as_bytes(document), status, sent, media_type="application/problem+json")
