"""Many jobs in one request, each with an outcome of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import shapes
from api.answers import Json, Refused, problem_document
from api.auth import Visit, Visitor, needs
from api.documents import invalid, parse
from api.openapi import documented
from api.port import QuotaWarning
from api.routes.jobs import IdempotencyKey, warning_header, warnings_for
from api.schemas.answers import BatchAnswer
from api.schemas.jobs import BatchRequest
from api.submission import idempotency_key, submissions_of
from dispatcher.model import Refusal, Submission

router = APIRouter(tags=["jobs"])


@router.post(
    "/v1/jobs/batch",
    summary="Create many jobs",
    **documented(
        asked=BatchRequest, told={200: BatchAnswer}, refuses=("forbidden", "body_too_large", "invalid_request")
    ),
)
async def create_batch(visit: Visitor, request: Request, idempotency_key_given: IdempotencyKey = None) -> Response:
    """Up to 1,000 jobs share one inspection and one commit; what is wrong with one does not touch the others.

    Each outcome has the status that the job alone would have had. A key K covers job i as `K#i`: the same batch sent
    again gives the same jobs.
    """
    needs(visit.caller, "member", "admin", "operator")
    key = idempotency_key(idempotency_key_given)
    outcomes, warnings = await visit.desk.submit(_create, visit, await request.body(), key)
    told = {"jobs": outcomes, "warnings": list(map(shapes.quota_warning, warnings))}
    return Json(told, headers=warning_header(warnings))


def _create(visit: Visit, body: bytes, key: str | None) -> tuple[list[dict[str, Any]], list[QuotaWarning]]:
    prepared = submissions_of(_jobs(parse(body), visit.desk.limits.batch_jobs), visit.caller, key=key)
    submitted = [index for index, one in enumerate(prepared) if isinstance(one, Submission)]
    outcomes: list[dict[str, Any]] = [
        _refused(index, one) if isinstance(one, Refusal) else {} for index, one in enumerate(prepared)
    ]
    warnings: list[QuotaWarning] = []
    if submitted:
        answers = visit.room.submit(visit.caller, [one for one in prepared if isinstance(one, Submission)])
        for index, answer in zip(submitted, answers, strict=True):
            if isinstance(answer, Refusal):
                outcomes[index] = _refused(index, answer)
            else:
                status = 201 if answer.created else 200
                outcomes[index] = {"index": index, "status": status, "job": shapes.brief_job(answer.job)}
        warnings = warnings_for(visit, [one.job.project_id for one in answers if not isinstance(one, Refusal)])
    return outcomes, warnings


def _jobs(document: object, limit: int) -> list[object]:
    if not isinstance(document, dict):
        raise Refused(invalid("must be a JSON object"))
    for name in document:
        if name != "jobs":
            raise Refused(invalid('is not a field here; a batch is {"jobs": […]}', f"/{str(name)[:64]}"))
    jobs = document.get("jobs")
    if not isinstance(jobs, list):
        raise Refused(invalid("must be an array" if "jobs" in document else "is required", "/jobs"))
    if len(jobs) > limit:
        raise Refused(invalid(f"holds {len(jobs)} jobs; at most {limit} fit a batch", "/jobs", limit=limit))
    return jobs


def _refused(index: int, refusal: Refusal) -> dict[str, Any]:
    problem = problem_document(refusal)
    return {"index": index, "status": problem["status"], "problem": problem}
