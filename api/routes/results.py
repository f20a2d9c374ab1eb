"""Results: the bytes that the backend wrote, or counts and plain numbers made of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.answers import accepted
from api.auth import Visitor, known_form
from api.counts import counts
from api.openapi import documented
from api.schemas.results import Result
from api.waiting import Wait, job_after

router = APIRouter(tags=["jobs"])


@router.get(
    "/v1/jobs/{job_id}/result",
    summary="Read a result, or wait for it",
    **documented(
        told={200: Result},
        refuses=(
            "not_found",
            "job_not_finished",
            "job_has_no_result",
            "invalid_request",
            "result_too_large",
            "too_many_streams",
        ),
    ),
)
async def read_result(
    visit: Visitor,
    request: Request,
    job_id: str,
    wait: Wait = 0,
    format: Annotated[Literal["arrays", "counts"], Query()] = "arrays",
) -> Response:
    """The result of a job that succeeded. `format=counts` is meant for eyes and small programs."""
    known = known_form(job_id, "job")
    if wait > 0:
        await job_after(visit, request, known, wait_s=wait)
    content = accepted(await visit.desk.read(visit.room.result, visit.caller, known))
    if format == "counts":
        content = accepted(await visit.desk.convert(counts, content, visit.desk.limits.counts_bytes))
    return Response(content, media_type="application/json")
