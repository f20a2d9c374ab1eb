"""Projects, members and tokens, and who the caller is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from api import shapes
from api.answers import Json, accepted, refuse
from api.auth import Visit, Visitor, known_form, needs, project_of
from api.documents import read
from api.openapi import documented
from api.schemas.people import (
    CallerTold,
    Member,
    MemberList,
    MemberRequest,
    Project,
    ProjectList,
    ProjectRequest,
    Token,
    TokenList,
    TokenMade,
    TokenRequest,
)

router = APIRouter(tags=["people"])

_DAY_US = 86_400_000_000
ProjectId = Annotated[str, Path(description="An id, or `me` for the project of your token.")]
_READ = ("not_found", "invalid_request")
_WRITE = ("forbidden", "not_found", "invalid_request")


@router.get("/v1/me", summary="Who am I?", **documented(told={200: CallerTold}))
async def read_me(visit: Visitor) -> Response:
    """The member, project and role that the token stands for."""
    return Json(shapes.caller(visit.caller))


@router.get("/v1/projects", summary="List projects", **documented(told={200: ProjectList}))
async def list_projects(visit: Visitor) -> Response:
    """Your own; all of them for operators and auditors."""
    rows = accepted(await visit.desk.read(visit.room.list_projects, visit.caller))
    return Json({"projects": list(map(shapes.project, rows))})


@router.post(
    "/v1/projects",
    summary="Create a project",
    **documented(asked=ProjectRequest, told={201: Project}, refuses=("forbidden", "already_exists", "invalid_request")),
)
async def create_project(visit: Visitor, request: Request) -> Response:
    """For operators."""
    needs(visit.caller, "operator")
    wanted = await read(request, ProjectRequest)
    row = accepted(await visit.desk.submit(visit.room.create_project, visit.caller, wanted.name, wanted.weight))
    return Json(shapes.project(row), 201, {"location": f"/v1/projects/{row.id}"})


@router.get("/v1/projects/{project_id}", summary="Read a project", **documented(told={200: Project}, refuses=_READ))
async def read_project(visit: Visitor, project_id: ProjectId) -> Response:
    """One project."""
    row = await visit.desk.read(visit.room.get_project, visit.caller, project_of(visit.caller, project_id))
    if row is None:
        raise refuse("not_found", "There is no such project.")
    return Json(shapes.project(accepted(row)))


@router.get(
    "/v1/projects/{project_id}/members", summary="List members", **documented(told={200: MemberList}, refuses=_READ)
)
async def list_members(visit: Visitor, project_id: ProjectId) -> Response:
    """The members of a project."""
    return await _list_members(visit, project_of(visit.caller, project_id))


@router.post(
    "/v1/projects/{project_id}/members",
    summary="Add a member",
    **documented(asked=MemberRequest, told={201: Member}, refuses=_WRITE),
)
async def create_member(visit: Visitor, request: Request, project_id: ProjectId) -> Response:
    """For admins of the project, and operators."""
    return await _create_member(visit, request, project_of(visit.caller, project_id))


@router.get(
    "/v1/projects/{project_id}/tokens", summary="List tokens", **documented(told={200: TokenList}, refuses=_READ)
)
async def list_tokens(visit: Visitor, project_id: ProjectId) -> Response:
    """Tokens without their secrets; members see their own."""
    return await _list_tokens(visit, project_of(visit.caller, project_id))


@router.post(
    "/v1/projects/{project_id}/tokens",
    summary="Make a token",
    **documented(asked=TokenRequest, told={201: TokenMade}, refuses=_WRITE),
)
async def create_token(visit: Visitor, request: Request, project_id: ProjectId) -> Response:
    """The secret is told this one time. Members make tokens for themselves, admins for everybody of the project."""
    return await _create_token(visit, request, project_of(visit.caller, project_id))


@router.delete(
    "/v1/tokens/{token_id}",
    summary="Revoke a token",
    **documented(told={200: Token}, refuses=("forbidden", "not_found")),
)
async def revoke_token(visit: Visitor, token_id: str) -> Response:
    """From now on the token opens nothing; revoking it again changes nothing."""
    needs(visit.caller, "member", "admin", "operator")
    row = await visit.desk.submit(visit.room.revoke_token, visit.caller, known_form(token_id, "token"))
    if row is None:
        raise refuse("not_found", f"There is no token {token_id}.")
    return Json(shapes.token(accepted(row)))


@router.get(
    "/v1/facility/members",
    summary="List operators and auditors",
    **documented(told={200: MemberList}, refuses=("forbidden",)),
)
async def list_facility_members(visit: Visitor) -> Response:
    """For operators and auditors."""
    needs(visit.caller, "operator", "auditor")
    return await _list_members(visit, None)


@router.post(
    "/v1/facility/members",
    summary="Add an operator or auditor",
    **documented(asked=MemberRequest, told={201: Member}, refuses=_WRITE),
)
async def create_facility_member(visit: Visitor, request: Request) -> Response:
    """For operators."""
    needs(visit.caller, "operator")
    return await _create_member(visit, request, None)


@router.get(
    "/v1/facility/tokens",
    summary="List tokens of operators and auditors",
    **documented(told={200: TokenList}, refuses=("forbidden",)),
)
async def list_facility_tokens(visit: Visitor) -> Response:
    """For operators and auditors."""
    needs(visit.caller, "operator", "auditor")
    return await _list_tokens(visit, None)


@router.post(
    "/v1/facility/tokens",
    summary="Make a token for an operator or auditor",
    **documented(asked=TokenRequest, told={201: TokenMade}, refuses=_WRITE),
)
async def create_facility_token(visit: Visitor, request: Request) -> Response:
    """For operators. The secret is told this one time."""
    needs(visit.caller, "operator")
    return await _create_token(visit, request, None)


async def _list_members(visit: Visit, project_id: str | None) -> Response:
    rows = accepted(await visit.desk.read(visit.room.list_members, visit.caller, project_id))
    return Json({"members": list(map(shapes.member, rows))})


async def _create_member(visit: Visit, request: Request, project_id: str | None) -> Response:
    needs(visit.caller, "admin", "operator")
    wanted = await read(request, MemberRequest)
    call = visit.room.create_member
    row = accepted(await visit.desk.submit(call, visit.caller, project_id, wanted.name, wanted.role))
    return Json(shapes.member(row), 201)


async def _list_tokens(visit: Visit, project_id: str | None) -> Response:
    rows = accepted(await visit.desk.read(visit.room.list_tokens, visit.caller, project_id))
    return Json({"tokens": list(map(shapes.token, rows))})


async def _create_token(visit: Visit, request: Request, project_id: str | None) -> Response:
    needs(visit.caller, "member", "admin", "operator")
    wanted = await read(request, TokenRequest)
    expires_us = wanted.expires_us
    if expires_us is None:
        expires_us = visit.room.now_us() + visit.desk.limits.token_days * _DAY_US
    member_id = wanted.member_id or visit.caller.member_id
    call = visit.room.create_token
    row, secret = accepted(
        await visit.desk.submit(call, visit.caller, project_id, member_id, wanted.role, wanted.label, expires_us)
    )
    return Json({**shapes.token(row), "secret": secret}, 201, {"cache-control": "no-store"})
