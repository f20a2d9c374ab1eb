"""Turns everything that can end a request early into a problem of the one table."""

from __future__ import annotations

import logging
from typing import cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from api.answers import Refused, problem_answer
from api.documents import refusal_of_query
from api.envelope import BodyTooLarge, too_large
from dispatcher.model import Refusal
from store.errors import BadCursor, Duplicate, OutcomeUnknown, StoreUnavailable

_LOG = logging.getLogger("api")


def install(app: FastAPI) -> None:
    """Have `app` answer with problems only."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid_query)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(BadCursor, _bad_cursor)
    app.add_exception_handler(Duplicate, _duplicate)


async def _refused(request: Request, fault: Exception) -> Response:
    refused = cast(Refused, fault)
    return problem_answer(request, refused.refusal, refused.headers)


async def _invalid_query(request: Request, fault: Exception) -> Response:
    return problem_answer(request, refusal_of_query(cast(RequestValidationError, fault).errors()))


async def _http_exception(request: Request, fault: Exception) -> Response:
    """What the routing itself says: unknown routes, other methods, bodies over the limit."""
    raised = cast(HTTPException, fault)
    headers = {name.lower(): value for name, value in (raised.headers or {}).items()}
    if isinstance(raised, BodyTooLarge):
        return problem_answer(request, too_large(raised.limit), {"connection": "close"})
    match raised.status_code:
        case 404:
            refusal = Refusal("not_found", f"There is nothing at {request.url.path}.")
        case 405:
            allowed = headers["allow"] = ", ".join(_methods(request))
            detail = f"{request.url.path} does not take {request.method}; it takes {allowed}."
            refusal = Refusal("method_not_allowed", detail, {"allowed": allowed})
        case status if status < 500:
            refusal = Refusal("invalid_request", str(raised.detail))
        case _:
            refusal = Refusal("internal", "The service failed on this request; the request id leads to the cause.")
    return problem_answer(request, refusal, headers)


def _methods(request: Request) -> list[str]:
    """The methods that the address takes, over all its routes (the routing names those of one)."""
    routes: list[APIRoute] = request.app.state.routes
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in matching for method in route.methods or ()})


async def _unavailable(request: Request, fault: Exception) -> Response:
    _LOG.warning("%s %s: the store is unavailable: %s", request.method, request.url.path, fault)
    detail = "The database cannot be used at the moment; nothing was written."
    if isinstance(fault, OutcomeUnknown):
        detail = "The connection to the database broke; ask with the same idempotency key whether it was written."
    return problem_answer(request, Refusal("unavailable", detail, {"retry_after_s": 2}))


async def _bad_cursor(request: Request, _fault: Exception) -> Response:
    detail = "is not one that this list has given out; begin again without it"
    errors = [{"parameter": "cursor", "detail": detail}]
    return problem_answer(request, Refusal("invalid_request", f"The parameter cursor {detail}.", {"errors": errors}))


async def _duplicate(request: Request, _fault: Exception) -> Response:
    return problem_answer(request, Refusal("already_exists", "There is one of that name already."))
