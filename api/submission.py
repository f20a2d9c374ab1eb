"""Turns checked job requests into submissions, and reads the idempotency key that makes a retry safe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from api.answers import refuse
from api.documents import canonical, check, invalid
from api.schemas.jobs import JobRequest
from api.work_document import work_document
from dispatcher.model import Caller, Refusal, Submission

KEY_LENGTH = 200
# Visible ASCII without "#", which separates a batch's key from the index of a job.
_KEY = re.compile(r"[\x21\x22\x24-\x7e]+\Z")


def idempotency_key(given: str | None) -> str | None:
    """The key of a request, or None when it has none. Refusal: invalid_request."""
    if given is None:
        return None
    if len(given) > KEY_LENGTH:
        found = f"is {len(given)} characters long; at most {KEY_LENGTH} are allowed"
    elif not _KEY.match(given):
        found = 'must be one or more visible ASCII characters other than "#"'
    else:
        return given
    errors = [{"parameter": "Idempotency-Key", "detail": found}]
    raise refuse("invalid_request", f"The header Idempotency-Key {found}.", errors=errors)


def submission_of(document: object, caller: Caller, *, key: str | None = None, at: str = "") -> Submission | Refusal:
    """The submission that a JSON document asks for. `at` is the document's pointer within the body.

    The request hash is taken of the document as it came, in canonical spelling: the same body sent again has the same
    hash, whatever its white space and the order of its fields. Refusals: invalid_request, circuit_invalid, not_found.
    """
    request = check(JobRequest, document, at)
    if isinstance(request, Refusal):
        return request
    refusal = _project_refusal(request, caller, at)
    if refusal is not None:
        return refusal
    work = work_document(request, at)
    if isinstance(work, Refusal):
        return work
    spelled = canonical(document, at)
    if isinstance(spelled, Refusal):
        return spelled
    return Submission(
        primitive=request.primitive,
        work=work,
        backend=request.backend,
        request_hash="sha256:" + hashlib.sha256(spelled).hexdigest(),
        priority=request.priority,
        name=request.name,
        tags=tuple(dict.fromkeys(request.tags)),
        metadata=request.metadata,
        time_limit_us=None if request.time_limit_s is None else round(request.time_limit_s * 1_000_000),
        max_cost=request.max_cost,
        idempotency_key=key,
        project_id=request.project_id,
        category=request.category,
        quote_id=request.quote_id,
    )


def submissions_of(
    documents: Sequence[object], caller: Caller, *, key: str | None = None
) -> list[Submission | Refusal]:
    """The submissions of a batch. The batch's key K covers job i as "K#i"."""
    return [
        submission_of(document, caller, key=None if key is None else f"{key}#{index}", at=f"/jobs/{index}")
        for index, document in enumerate(documents)
    ]


def _project_refusal(request: JobRequest, caller: Caller, at: str) -> Refusal | None:
    if request.project_id is None:
        if caller.project_id is None and caller.role == "operator":
            return invalid("is required: your token belongs to no project", f"{at}/project_id")
    elif not caller.sees(request.project_id):
        return Refusal("not_found", "There is no such project.", {"pointer": f"{at}/project_id"})
    return None
