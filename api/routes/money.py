"""Wallets, budgets, rates, terms of programmes, and acts that need a second operator."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import shapes
from api.answers import Json, accepted, refuse
from api.auth import Visitor, known_form, needs, project_of
from api.documents import read
from api.openapi import documented
from api.routes.people import ProjectId
from api.schemas.fields import Name
from api.schemas.money import (
    Act,
    ActList,
    ActRequest,
    Applied,
    ApplyRequest,
    Booked,
    Budget,
    BudgetList,
    BudgetRequest,
    PaymentRequest,
    ProfileRequest,
    Rate,
    RateCard,
    RateRequest,
    TermsList,
)
from api.schemas.people import DescribedProject
from api.schemas.programme_file import WrongProgramme, plans_of
from dispatcher.tariffs import NewRate
from ledger.terms_json import terms_to_json

router = APIRouter(tags=["funding"])

_READ = ("not_found", "invalid_request")
_WRITE = ("forbidden", "not_found", "invalid_request")


@router.post(
    "/v1/projects/{project_id}/wallet",
    summary="Book a payment",
    **documented(
        asked=PaymentRequest, told={201: Booked, 200: Booked}, refuses=(*_WRITE, "already_exists", "wallet_short")
    ),
)
async def book_payment(visit: Visitor, request: Request, project_id: ProjectId) -> Response:
    """For operators: money that a startup has paid in, from which it pays its share, or that goes back to it.

    Answers 201, or 200 where the same `key` and amount had been booked before: then nothing is booked again.
    """
    needs(visit.caller, "operator")
    wanted = await read(request, PaymentRequest)
    if wanted.amount.asset != visit.room.currency:
        raise refuse("invalid_request", f"A wallet holds {visit.room.currency}, not {wanted.amount.asset}.")
    call = visit.room.top_up if wanted.direction == "in" else visit.room.pay_out
    project = project_of(visit.caller, project_id)
    booked = accepted(await visit.desk.submit(call, visit.caller, project, wanted.amount.micro, wanted.key))
    return Json(booked, 200 if booked["again"] else 201)


@router.get(
    "/v1/projects/{project_id}/budgets", summary="List budgets", **documented(told={200: BudgetList}, refuses=_READ)
)
async def list_budgets(visit: Visitor, project_id: ProjectId) -> Response:
    """The project's own limits for members and tags, and what is left of them this year."""
    project = project_of(visit.caller, project_id)
    return Json({"budgets": accepted(await visit.desk.read(visit.room.list_budgets, visit.caller, project))})


@router.put(
    "/v1/projects/{project_id}/budgets",
    summary="Set a budget",
    **documented(asked=BudgetRequest, told={200: Budget}, refuses=_WRITE),
)
async def set_budget(visit: Visitor, request: Request, project_id: ProjectId) -> Response:
    """For admins of the project, and operators. What is held counts too; it is counted from the day it is set."""
    wanted = await read(request, BudgetRequest)
    project = project_of(visit.caller, project_id)
    call = visit.room.set_budget
    return Json(accepted(await visit.desk.submit(call, visit.caller, project, wanted.kind, wanted.key, wanted.limit)))


@router.delete(
    "/v1/projects/{project_id}/budgets",
    summary="Remove a budget",
    **documented(told={200: BudgetList}, refuses=_WRITE),
)
async def remove_budget(
    visit: Visitor,
    project_id: ProjectId,
    kind: Annotated[Literal["member", "tag"], Query()],
    key: Annotated[Name, Query()],
) -> Response:
    """For admins of the project, and operators. Answers with the budgets that are left."""
    project = project_of(visit.caller, project_id)
    removed = await visit.desk.submit(visit.room.remove_budget, visit.caller, project, kind, key)
    if removed is not None:
        accepted(removed)
    return Json({"budgets": accepted(await visit.desk.read(visit.room.list_budgets, visit.caller, project))})


@router.put(
    "/v1/projects/{project_id}/profile",
    summary="Describe a startup",
    **documented(asked=ProfileRequest, told={200: DescribedProject}, refuses=_WRITE),
)
async def describe_project(visit: Visitor, request: Request, project_id: ProjectId) -> Response:
    """For operators: what the terms of programmes ask about.

    `warnings` tell of words that no programme asks for: they may be slips.
    """
    needs(visit.caller, "operator")
    wanted = await read(request, ProfileRequest)
    profile = (wanted.stage, wanted.founded_us, tuple(wanted.traits), tuple(wanted.related))
    call, project = visit.room.describe_project, project_of(visit.caller, project_id)
    row = accepted(await visit.desk.submit(call, visit.caller, project, *profile))
    warnings = await visit.desk.read(visit.room.unasked, visit.caller, project)
    return Json({**shapes.project(row), "warnings": warnings})


@router.get("/v1/rates", summary="Read the rate card", **documented(told={200: RateCard}))
async def read_rates(visit: Visitor) -> Response:
    """Every line, also those that are over and those to come. The latest in force for a backend and hour wins."""
    lines = await visit.desk.read(visit.room.rates)
    return Json({"rates": [asdict(line) for line in lines], "asset": visit.room.currency})


@router.post(
    "/v1/rates",
    summary="Add a rate",
    **documented(asked=RateRequest, told={201: Rate}, refuses=("forbidden", "invalid_request")),
)
async def add_rate(visit: Visitor, request: Request) -> Response:
    """For operators. No line is ever changed: a later one wins over it."""
    needs(visit.caller, "operator")
    wanted = await read(request, RateRequest)
    new = NewRate(
        wanted.resource,
        wanted.unit_price,
        wanted.quantum,
        wanted.backend,
        (wanted.hours[0], wanted.hours[1]),
        wanted.valid_from_us,
        wanted.valid_until_us,
    )
    [line] = accepted(await visit.desk.submit(visit.room.add_rates, visit.caller, [new]))
    return Json(asdict(line), 201)


@router.post(
    "/v1/programmes/apply",
    summary="Apply programmes",
    **documented(asked=ApplyRequest, told={200: Applied}, refuses=("forbidden", "invalid_request")),
)
async def apply_programmes(visit: Visitor, request: Request) -> Response:
    """For operators: bring funders, programmes and terms to what the documents say, all or none."""
    needs(visit.caller, "operator")
    wanted = await read(request, ApplyRequest)
    try:
        plans = plans_of(wanted.programmes, visit.room.zone, visit.room.currency)
    except WrongProgramme as wrong:
        raise refuse("invalid_request", f"{wrong}.") from wrong

    call = visit.room.apply_programmes
    done = accepted(await visit.desk.submit(call, visit.caller, plans, wanted.dry_run))
    return Json({"applied": [asdict(one) for one in done], "dry_run": wanted.dry_run})


@router.get(
    "/v1/programmes/{programme_id}/terms",
    summary="Read a programme's terms",
    **documented(told={200: TermsList}, refuses=("forbidden", "not_found")),
)
async def read_terms(visit: Visitor, programme_id: str) -> Response:
    """For operators and auditors: every version."""
    needs(visit.caller, "operator", "auditor")
    known = known_form(programme_id, "programme")
    found = accepted(await visit.desk.read(visit.room.terms_of, visit.caller, known))
    return Json({"terms": list(map(terms_to_json, found))})


@router.get(
    "/v1/requests", summary="List requests", **documented(told={200: ActList}, refuses=("forbidden", "invalid_request"))
)
async def list_requests(
    visit: Visitor, state: Annotated[Literal["open", "approved", "refused"] | None, Query()] = None
) -> Response:
    """For operators and auditors."""
    needs(visit.caller, "operator", "auditor")
    rows = accepted(await visit.desk.read(visit.room.list_requests, visit.caller, state))
    return Json({"requests": [asdict(row) for row in rows]})


@router.post(
    "/v1/requests",
    summary="Ask for an act on money",
    **documented(
        asked=ActRequest,
        told={201: Act},
        refuses=(
            *_WRITE,
            "programme_exhausted",
            "grant_exhausted",
            "grant_expired",
            "transfer_mismatch",
            "hold_not_settled",
            "correction_raises",
        ),
    ),
)
async def ask(visit: Visitor, request: Request) -> Response:
    """For operators. It is tried, not posted; another operator approves it."""
    needs(visit.caller, "operator")
    wanted = await read(request, ActRequest)
    act = (wanted.kind, wanted.subject, wanted.body, wanted.reason)
    return Json(asdict(accepted(await visit.desk.submit(visit.room.ask, visit.caller, *act))), 201)


@router.post(
    "/v1/requests/{request_id}/{decision}",
    summary="Decide on a request",
    **documented(
        told={200: Act},
        refuses=(
            *_WRITE,
            "second_operator_needed",
            "request_closed",
            "programme_exhausted",
            "grant_exhausted",
            "grant_expired",
            "transfer_mismatch",
            "hold_not_settled",
            "correction_raises",
        ),
    ),
)
async def decide(visit: Visitor, request_id: str, decision: Literal["approve", "refuse"]) -> Response:
    """For operators: approve what another one asked for, and it is posted; or refuse it."""
    needs(visit.caller, "operator")
    known = known_form(request_id, "request")

    call = visit.room.decide_request
    return Json(asdict(accepted(await visit.desk.submit(call, visit.caller, known, decision == "approve"))))
