"""Jobs: create one, list, read, wait, cancel; quotes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from api import shapes
from api.answers import Json, Refused, accepted, problem_document
from api.auth import Visit, Visitor, known_form, needs, needs_sight
from api.documents import invalid, parse
from api.openapi import documented
from api.port import QuotaWarning
from api.schemas.answers import History, Job, JobMade, JobPage
from api.schemas.fields import INTEGER_MAX, Note
from api.schemas.jobs import JobRequest
from api.schemas.prices import QuoteAnswer, Receipt
from api.schemas.routes import RouteAnswer
from api.submission import idempotency_key, submission_of
from api.waiting import Wait, job_after, job_of
from ledger.receipt_words import steps
from store.rows import JobFilter, JobRow

router = APIRouter(tags=["jobs"])

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Yours, up to 200 visible ASCII characters without `#`, new per job."),
]
Explain = Annotated[Literal["0", "1"], Query(description="1 adds `explain`: every step in words and figures.")]
WORK_CODES = (
    "circuit_invalid",
    "circuit_too_large",
    "payload_unsupported",
    "no_measurement",
    "shots_out_of_range",
    "precision_out_of_range",
    "parameters_unbound",
    "parameters_shape",
    "parameters_not_finite",
    "observable_invalid",
    "observable_width",
    "unknown_backend",
    "backend_infeasible",
    "circuit_not_isa",
    "option_invalid",
    "control_flow_too_deep",
    "result_too_large",
    "decoder_crashed",
    "decoder_timeout",
    "decoder_memory",
    "job_too_long",
    "cost_limit",
)
QUOTE_CODES = ("quote_unknown", "quote_expired", "quote_mismatch")
GRANT_CODES = (
    "no_grant",
    "grant_not_started",
    "grant_expired",
    "grant_exhausted",
    "wallet_short",
    "budget_exhausted",
)
WARNING = "Qubator-Quota-Warning"
NEVER_OF_A_ROUTE = ("job_too_long", "cost_limit", "unknown_backend", "backend_infeasible")
ROUTE_CODES = (
    *("forbidden", "not_found", "body_too_large", "invalid_request"),
    *(code for code in WORK_CODES if code not in NEVER_OF_A_ROUTE),
)
SUBMIT_CODES = ("forbidden", "not_found", "body_too_large", "invalid_request", *WORK_CODES)


class JobQuery(BaseModel):
    """Which jobs a list shows; all conditions together. `state` may be given several times."""

    model_config = ConfigDict(extra="forbid")

    state: list[Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]] = Field(
        default_factory=list, max_length=6
    )
    backend: Note | None = None
    tag: Note | None = None
    primitive: Literal["sampler", "estimator"] | None = None
    since_us: Annotated[int, Field(ge=0, le=INTEGER_MAX)] | None = None
    until_us: Annotated[int, Field(ge=0, le=INTEGER_MAX)] | None = None
    project: Note | None = None
    member: Note | None = None
    cursor: Note | None = None
    limit: int = Field(default=50, ge=1, le=500)


@router.post(
    "/v1/jobs",
    summary="Create a job",
    **documented(
        asked=JobRequest,
        told={201: JobMade, 200: JobMade},
        refuses=("idempotency_conflict", *SUBMIT_CODES, *QUOTE_CODES, *GRANT_CODES, "queue_full", "too_many_streams"),
    ),
)
async def create_job(
    visit: Visitor, request: Request, wait: Wait = 0, idempotency_key_given: IdempotencyKey = None
) -> Response:
    """Answers 201 with a new job, or 200 with the job that the idempotency key led to before.

    With `wait` the answer comes when the job has ended, or after that many seconds with the job as it stands then.
    Once 80 or 95 % of what the project was granted are spent or held, the header Qubator-Quota-Warning says so.
    """
    needs(visit.caller, "member", "admin", "operator")
    key = idempotency_key(idempotency_key_given)
    job, created, warnings = await visit.desk.submit(_create, visit, await request.body(), key)
    if wait > 0 and job.state not in shapes.ENDED:
        job = await job_after(visit, request, job.id, wait_s=wait)
    told = {**shapes.full_job(job), "warnings": list(map(shapes.quota_warning, warnings))}
    headers = {"location": f"/v1/jobs/{job.id}", **warning_header(warnings)}
    return Json(told, 201 if created else 200, headers)


@router.post(
    "/v1/quotes",
    summary="Ask for a price",
    **documented(asked=JobRequest, told={200: QuoteAnswer}, refuses=SUBMIT_CODES),
)
async def create_quote(visit: Visitor, request: Request) -> Response:
    """What the job would cost, who would pay it and how long it would wait, if it were created now. Nothing is held.

    A job of the same work that names `quote_id` until `expires_us` is admitted at this price and on these terms.
    """
    needs(visit.caller, "member", "admin", "operator")
    return Json(await visit.desk.submit(_quote, visit, await request.body()))


@router.post(
    "/v1/route",
    summary="Ask where a job would run",
    **documented(asked=JobRequest, told={200: RouteAnswer}, refuses=ROUTE_CODES),
)
async def route_job(visit: Visitor, request: Request) -> Response:
    """Every backend's verdict on the job, and how `ideal` would run it: features of each part that its reductions
    leave, the engines that could run it with what they are predicted to take, and the order in which they are tried.

    Nothing is run, priced or kept. The job would be refused where `backend` is null, for the reason in `refusal`.
    """
    needs(visit.caller, "member", "admin", "operator")
    return Json(await visit.desk.submit(_route, visit, await request.body()))


@router.get(
    "/v1/jobs", summary="List jobs", **documented(told={200: JobPage}, refuses=("not_found", "invalid_request"))
)
async def list_jobs(visit: Visitor, query: Annotated[JobQuery, Query()]) -> Response:
    """Newest first. `next_cursor` of one page is the `cursor` of the next; null ends the list."""
    if query.project is not None:
        needs_sight(visit.caller, query.project)
    wanted = JobFilter(
        project_id=visit.caller.project_id or query.project,
        states=tuple(dict.fromkeys(query.state)),
        backend=query.backend,
        tag=query.tag,
        primitive=query.primitive,
        since_us=query.since_us,
        until_us=query.until_us,
        member_id=query.member,
    )
    rows, cursor = await visit.desk.read(visit.room.jobs, visit.caller, wanted, query.cursor, query.limit)
    return Json({"jobs": [shapes.listed_job(row) for row in rows], "next_cursor": cursor})


@router.get(
    "/v1/jobs/{job_id}",
    summary="Read a job, or wait for it",
    **documented(told={200: Job}, refuses=("not_found", "invalid_request", "too_many_streams")),
)
async def read_job(
    visit: Visitor,
    request: Request,
    job_id: str,
    wait: Wait = 0,
    version: Annotated[int | None, Query(ge=0, le=INTEGER_MAX)] = None,
) -> Response:
    """With `wait` and `version`: when the job's version is above that. With `wait` alone: when the job has ended.

    After `wait` seconds the job is told as it stands.
    """
    job = await job_after(visit, request, known_form(job_id, "job"), wait_s=wait, version=version)
    reason = await visit.desk.read(visit.room.why_waiting, job.id) if job.state == "queued" else None
    return Json(shapes.full_job(job, reason))


@router.get(
    "/v1/jobs/{job_id}/history",
    summary="What happened to a job",
    **documented(told={200: History}, refuses=("not_found",)),
)
async def read_history(visit: Visitor, job_id: str) -> Response:
    """Every change of state and every attempt, oldest first."""
    job = await job_of(visit, known_form(job_id, "job"))
    history = await visit.desk.read(visit.room.history, visit.caller, job.id)
    attempts = await visit.desk.read(visit.room.attempts, visit.caller, job.id)
    return Json({"history": list(map(shapes.change, history)), "attempts": list(map(shapes.attempt, attempts))})


@router.get(
    "/v1/jobs/{job_id}/receipt",
    summary="What a job cost",
    **documented(told={200: Receipt}, refuses=("not_found", "job_not_finished")),
)
async def read_receipt(visit: Visitor, job_id: str, explain: Explain = "0") -> Response:
    """The price in figures that add up, and who paid which part of it.

    With `explain=1` also row by row, in words and figures: usage × rate, who paid which share under which rule, what a
    cap cut, what came back.
    """
    told = accepted(await visit.desk.read(visit.room.receipt, visit.caller, known_form(job_id, "job")))
    return Json({**told, "explain": steps(told)} if explain == "1" else told)


@router.post(
    "/v1/jobs/{job_id}/cancel",
    summary="Cancel a job",
    **documented(told={200: Job}, refuses=("forbidden", "not_found", "job_ended")),
)
async def cancel_job(visit: Visitor, job_id: str) -> Response:
    """Ask for the end of a job; asking again changes nothing. A running job is stopped and pays for what it used."""
    needs(visit.caller, "member", "admin", "operator")
    job = accepted(await visit.desk.submit(visit.room.cancel, visit.caller, known_form(job_id, "job")))
    return Json(shapes.full_job(job))


def warnings_for(visit: Visit, project_ids: Iterable[str]) -> list[QuotaWarning]:
    """What is to be said of the grants of these projects after a submission."""
    found = [visit.room.quota_warning(visit.caller, project_id) for project_id in sorted(set(project_ids))]
    return [warning for warning in found if warning is not None]


def warning_header(warnings: Sequence[QuotaWarning]) -> dict[str, str]:
    """The most urgent of them, as a header."""
    return {WARNING: str(max(warning.percent for warning in warnings))} if warnings else {}


def _create(visit: Visit, body: bytes, key: str | None) -> tuple[JobRow, bool, list[QuotaWarning]]:
    submission = accepted(submission_of(parse(body), visit.caller, key=key))
    (answer,) = visit.room.submit(visit.caller, [submission])
    told = accepted(answer)
    return told.job, told.created, warnings_for(visit, [told.job.project_id])


def _route(visit: Visit, body: bytes) -> dict[str, object]:
    told = accepted(visit.room.route(visit.caller, accepted(submission_of(parse(body), visit.caller))))
    refusal = told["refusal"]
    return {**told, "refusal": None if refusal is None else problem_document(refusal)}


def _quote(visit: Visit, body: bytes) -> dict[str, object]:
    submission = accepted(submission_of(parse(body), visit.caller))
    if submission.quote_id is not None:  # else a promise could be renewed for ever
        raise Refused(invalid("has no place here: a quote is made anew, at today's price", "/quote_id"))
    (answer,) = visit.room.quote(visit.caller, [submission])
    told = accepted(answer)
    return {
        "quote_id": told.quote_id,
        "expires_us": told.expires_us,
        "expires_at": shapes.rfc3339(told.expires_us),
        "quote": told.quote,
        "payers": told.payers,
        "missing": told.missing,
        "refusal": None if told.refusal is None else problem_document(told.refusal),
        "backend": told.backend,
        "wait_us": told.wait_us,
        "findings": told.findings,
    }
