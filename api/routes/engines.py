"""Engines: who runs the parts of circuits on the backend `ideal`, and who is trusted to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.answers import Json, accepted, refuse
from api.auth import Visitor, known_form, needs
from api.documents import read
from api.openapi import documented
from api.schemas.engines import DisagreementList, Engine, EngineList, EngineStateRequest

router = APIRouter(tags=["backends"])

Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Before = Annotated[int | None, Query(ge=1, description="Of the page before: only what is older.")]


@router.get("/v1/engines", summary="List engines", **documented(told={200: EngineList}))
async def list_engines(visit: Visitor) -> Response:
    """All engines, which of them are installed beside the service, and what shadow runs say of them."""
    return Json({"engines": await visit.desk.read(visit.room.engines)})


@router.put(
    "/v1/engines/{name}/state",
    summary="Quarantine an engine, or trust it again",
    **documented(asked=EngineStateRequest, told={200: Engine}, refuses=("forbidden", "not_found", "invalid_request")),
)
async def set_state(visit: Visitor, request: Request, name: str) -> Response:
    """For operators. Orders from a second later on do without it, whoever would have been the quickest."""
    needs(visit.caller, "operator")
    wanted = await read(request, EngineStateRequest)
    known = known_form(name, "engine")
    engine = await visit.desk.submit(visit.room.set_engine_state, visit.caller, known, wanted.state, wanted.reason)
    if engine is None:
        raise refuse("not_found", f"There is no engine {known}.", engine=known)
    return Json(accepted(engine))


@router.get(
    "/v1/engines/disagreements",
    summary="List contradicted answers",
    **documented(told={200: DisagreementList}, refuses=("forbidden", "invalid_request")),
)
async def list_disagreements(visit: Visitor, limit: Limit = 50, before: Before = None) -> Response:
    """For operators and auditors: shadow runs that gave another answer twice, the newest first."""
    needs(visit.caller, "operator", "auditor")
    rows = accepted(await visit.desk.read(visit.room.disagreements, visit.caller, limit, before))
    last = rows[-1].seq if len(rows) == limit else None
    return Json({"disagreements": [asdict(row) for row in rows], "before": last})
