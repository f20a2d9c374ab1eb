"""Backends: what runs circuits, and in which state it is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.answers import Json, accepted, refuse
from api.auth import Visitor, known_form, needs
from api.documents import read
from api.openapi import documented
from api.schemas.facility import Backend, BackendList, BackendStateRequest

router = APIRouter(tags=["backends"])


@router.get("/v1/backends", summary="List backends", **documented(told={200: BackendList}))
async def list_backends(visit: Visitor) -> Response:
    """All backends with state, queue, workers and prices."""
    return Json({"backends": await visit.desk.read(visit.room.backends)})


@router.get("/v1/backends/{name}", summary="Read a backend", **documented(told={200: Backend}, refuses=("not_found",)))
async def read_backend(visit: Visitor, name: str) -> Response:
    """One backend."""
    backend = await visit.desk.read(visit.room.backend, known_form(name, "backend"))
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
