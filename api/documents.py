"""Reads request bodies: strict JSON, checked against a model, every fault named by its JSON pointer."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from api.answers import Refused, accepted
from api.schemas.fields import INTEGER_MAX, Asked
from dispatcher.model import Refusal

M = TypeVar("M", bound=BaseModel)
ERRORS_TOLD = 20
_PART_LENGTH = 64
_MESSAGES = {
    "missing": "is required",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be an array",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "string_type": "must be a string",
}


def invalid(detail: str, pointer: str = "", **fields: object) -> Refusal:
    """The refusal of one field; `pointer` "" is the body as a whole."""
    where = f"{pointer} " if pointer else "The body "
    return Refusal("invalid_request", where + detail, {"errors": [{"pointer": pointer, "detail": detail}], **fields})


def parse(body: bytes) -> object:
    """The JSON value of a body. NaN, Infinity, numbers beyond doubles and nesting beyond 1,024 are no JSON here.

    Refusal: invalid_request.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        detail = "is empty; a JSON document is expected" if not body.strip() else f"is not valid JSON: {fault}"
        raise Refused(invalid(detail)) from None


async def read(request: Request, model: type[M]) -> M:
    """The body of a request as `model`. Refusal: invalid_request."""
    return accepted(check(model, parse(await request.body())))


def canonical(document: object, at: str = "") -> bytes | Refusal:
    """The one spelling of a JSON value: keys sorted, no white space. Refusal: nested too deep (254 levels)."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return invalid("is nested too deep", at)


def check(model: type[M], document: object, at: str = "") -> M | Refusal:
    """`document` as `model`, or why not. `at` is the pointer of the document within the body."""
    try:
        return model.model_validate(document)
    except ValidationError as fault:
        return _refusal(fault.errors(include_url=False, include_context=False), document, at)


def refusal_of_query(errors: Sequence[Mapping[str, Any]]) -> Refusal:
    """The refusal of query parameters or headers that FastAPI checked."""
    told = [{"parameter": _name(error["loc"]), "detail": _message(error)} for error in errors[:ERRORS_TOLD]]
    first = told[0]
    detail = f"The parameter {first['parameter']} {first['detail']}{_more(len(errors))}"
    return Refusal("invalid_request", detail, {"errors": told})


def pointer(document: object, location: Sequence[int | str], *, missing: bool = False) -> str:
    """The JSON pointer (RFC 6901) of a pydantic location; names of union branches are no part of it."""
    parts: list[str] = []
    here = document
    for index, part in enumerate(location):
        if _leads_on(here, part):
            here = here[part]  # type: ignore[index]
        elif not (missing and index == len(location) - 1):
            continue
        parts.append(_escaped(str(part)))
    return "".join(f"/{part}" for part in parts)


def _leads_on(here: object, part: int | str) -> bool:
    if isinstance(here, list):
        return isinstance(part, int) and part < len(here)
    return isinstance(here, dict) and part in here


def _refusal(errors: Sequence[Any], document: object, at: str) -> Refusal:
    told = [
        {"pointer": at + pointer(document, error["loc"], missing=error["type"] == "missing"), "detail": _message(error)}
        for error in errors[:ERRORS_TOLD]
    ]
    first = told[0]
    detail = f"{first['pointer'] or 'The body'} {first['detail']}{_more(len(errors))}"
    return Refusal("invalid_request", detail, {"errors": told})


def _more(count: int) -> str:
    return "." if count == 1 else f" (and {count - 1} more)."


def _message(error: Mapping[str, Any]) -> str:
    kind, location = error["type"], error["loc"]
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(location[-1])[:_PART_LENGTH], _known_fields(), n=1)
        return "is not a field here" + (f'; is "{close[0]}" meant?' if close else "")
    given = error.get("input")
    # The reader of JSON makes a float of an integer that has no place in 64 bits.
    if kind == "int_type" and isinstance(given, float) and abs(given) >= INTEGER_MAX:
        return f"is outside of the integers that are taken here: at most {INTEGER_MAX} in size (2^63 - 1)"
    message = str(_MESSAGES.get(kind, error["msg"])).removeprefix("Value error, ")
    return message.replace("Input should", "should")


def _known_fields() -> list[str]:
    return sorted({name for model in Asked.__subclasses__() for name in model.model_fields})


def _name(location: Sequence[int | str]) -> str:
    return str(location[1] if len(location) > 1 else location[0])[:_PART_LENGTH]


def _escaped(part: str) -> str:
    shown = part if len(part) <= _PART_LENGTH else part[:_PART_LENGTH] + "…"
    return shown.replace("~", "~0").replace("/", "~1")
