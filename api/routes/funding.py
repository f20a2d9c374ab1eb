"""Funders, programmes and grants, and where a project stands."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import shapes
from api.answers import Json, accepted, refuse
from api.auth import Visitor, needs, project_of
from api.documents import read
from api.openapi import documented
from api.routes.people import ProjectId
from api.schemas.funding import (
    Balance,
    Funder,
    FunderList,
    FunderRequest,
    Grant,
    GrantList,
    GrantRequest,
    Programme,
    ProgrammeList,
    ProgrammeRequest,
    Statement,
)
from dispatcher.model import GrantTerms

router = APIRouter(tags=["funding"])

_READ = ("not_found", "invalid_request")


@router.get("/v1/funders", summary="List funders", **documented(told={200: FunderList}, refuses=("forbidden",)))
async def list_funders(visit: Visitor) -> Response:
    """For operators and auditors."""
    needs(visit.caller, "operator", "auditor")
    rows = accepted(await visit.desk.read(visit.room.list_funders, visit.caller))
    return Json({"funders": list(map(shapes.funder, rows))})


@router.post(
    "/v1/funders",
    summary="Create a funder",
    **documented(asked=FunderRequest, told={201: Funder}, refuses=("forbidden", "already_exists", "invalid_request")),
)
async def create_funder(visit: Visitor, request: Request) -> Response:
    """For operators."""
    needs(visit.caller, "operator")
    wanted = await read(request, FunderRequest)
    row = accepted(await visit.desk.submit(visit.room.create_funder, visit.caller, wanted.name))
    return Json(shapes.funder(row), 201)


@router.get(
    "/v1/programmes", summary="List programmes", **documented(told={200: ProgrammeList}, refuses=("forbidden",))
)
async def list_programmes(visit: Visitor) -> Response:
    """For operators and auditors: each with what is left of its budget."""
    needs(visit.caller, "operator", "auditor")
    rows = accepted(await visit.desk.read(visit.room.list_programmes, visit.caller))
    return Json({"programmes": [shapes.programme(row, available) for row, available in rows]})


@router.post(
    "/v1/programmes",
    summary="Create a programme",
    **documented(
        asked=ProgrammeRequest,
        told={201: Programme},
        refuses=("forbidden", "not_found", "already_exists", "invalid_request"),
    ),
)
async def create_programme(visit: Visitor, request: Request) -> Response:
    """For operators. The funder pledges the budget."""
    needs(visit.caller, "operator")
    wanted = await read(request, ProgrammeRequest)
    budget = wanted.budget
    funders = [(share.funder_id, share.weight) for share in wanted.funders]
    if (wanted.funder_id is None) == (not funders):
        raise refuse("invalid_request", "Name either one funder in funder_id, or several in funders.")
    if wanted.funder_id is not None:
        funders = [(wanted.funder_id, 1)]
    call = visit.room.create_programme
    row = accepted(await visit.desk.submit(call, visit.caller, wanted.name, funders, budget.asset, budget.micro))
    return Json(shapes.programme(row, budget.micro), 201)


@router.post(
    "/v1/grants",
    summary="Issue a grant",
    **documented(
        asked=GrantRequest,
        told={201: Grant},
        refuses=("forbidden", "not_found", "invalid_request", "programme_exhausted"),
    ),
)
async def issue_grant(visit: Visitor, request: Request) -> Response:
    """For operators. Jobs of the project are paid from it from `valid_from_us` until `valid_until_us`."""
    needs(visit.caller, "operator")
    wanted = await read(request, GrantRequest)
    valid_from_us = visit.room.now_us() if wanted.valid_from_us is None else wanted.valid_from_us
    terms = GrantTerms(
        project_id=wanted.project_id,
        programme_id=wanted.programme_id,
        asset=wanted.amount.asset,
        amount=wanted.amount.micro,
        valid_from_us=valid_from_us,
        valid_until_us=wanted.valid_until_us,
        priority=wanted.priority,
        resources=tuple(wanted.resources),
        backends=tuple(wanted.backends),
        members=tuple(wanted.members),
    )
    grant = await visit.desk.submit(visit.room.issue_grant, visit.caller, terms)
    return Json(shapes.grant(accepted(grant)), 201)


@router.get(
    "/v1/projects/{project_id}/grants", summary="List grants", **documented(told={200: GrantList}, refuses=_READ)
)
async def list_grants(visit: Visitor, project_id: ProjectId) -> Response:
    """The grants of a project, the expired ones among them."""
    project = project_of(visit.caller, project_id)
    grants = accepted(await visit.desk.read(visit.room.grants, visit.caller, project))
    return Json({"grants": list(map(shapes.grant, grants))})


@router.get(
    "/v1/projects/{project_id}/balance", summary="Read the balance", **documented(told={200: Balance}, refuses=_READ)
)
async def read_balance(visit: Visitor, project_id: ProjectId) -> Response:
    """Granted, settled, held, available and expired: in total and for each grant."""
    project = project_of(visit.caller, project_id)
    return Json(accepted(await visit.desk.read(visit.room.balance, visit.caller, project)))


@router.get(
    "/v1/projects/{project_id}/statement",
    summary="Read the statement",
    **documented(told={200: Statement}, refuses=_READ),
)
async def read_statement(visit: Visitor, project_id: ProjectId) -> Response:
    """The balance, the jobs by state, what was charged, and what the facility absorbed."""
    project = project_of(visit.caller, project_id)
    return Json(accepted(await visit.desk.read(visit.room.statement, visit.caller, project)))
