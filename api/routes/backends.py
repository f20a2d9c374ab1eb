"""Backends: what runs circuits, and in which state it is."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.answers import Json, accepted, refuse
from api.auth import Visitor, known_form, needs
from api.documents import read
from api.openapi import documented
from api.port import Calibration
from api.schemas.facility import Backend, BackendList, BackendStateRequest

router = APIRouter(tags=["backends"])

Day = Annotated[str, Query(description="Of a device: the figures of a day (2026-11-20), of `today`, or as `stated`.")]


@router.get("/v1/backends", summary="List backends", **documented(told={200: BackendList}))
async def list_backends(visit: Visitor) -> Response:
    """All backends with state, queue, workers and prices."""
    return Json({"backends": await visit.desk.read(visit.room.backends)})


@router.get(
    "/v1/backends/{name}",
    summary="Read a backend",
    **documented(told={200: Backend}, refuses=("not_found", "invalid_request")),
)
async def read_backend(visit: Visitor, name: str, calibration: Day = "today") -> Response:
    """One backend. A device comes with its couplings, the figures of its gates and qubits, and where each is from."""
    backend = await visit.desk.read(visit.room.backend, known_form(name, "backend"), _day(calibration))
    if backend is None:
        raise refuse("not_found", f"There is no backend {name}.", backend=name)
    return Json(backend)


@router.put(
    "/v1/backends/{name}/state",
    summary="Drain, stop or open a backend",
    **documented(asked=BackendStateRequest, told={200: Backend}, refuses=("forbidden", "not_found", "invalid_request")),
)
async def set_state(visit: Visitor, request: Request, name: str) -> Response:
    """For operators. What runs goes on; on a draining or offline backend nothing new is placed."""
    needs(visit.caller, "operator")
    wanted = await read(request, BackendStateRequest)
    known = known_form(name, "backend")
    backend = await visit.desk.submit(visit.room.set_backend_state, visit.caller, known, wanted.state, wanted.reason)
    if backend is None:
        raise refuse("not_found", f"There is no backend {known}.", backend=known)
    return Json(accepted(backend))


def _day(given: str) -> Calibration:
    """Which day's figures are asked for. Refusal: invalid_request."""
    if given in ("today", "stated"):
        return "today" if given == "today" else "stated"
    try:
        return date.fromisoformat(given)
    except ValueError:
        detail = f"calibration is {given[:40]!r}; a day such as 2026-11-20, today or stated is meant"
        raise refuse("invalid_request", detail, pointer="calibration") from None
