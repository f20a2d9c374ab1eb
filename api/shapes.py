"""Shapes rows into the documents that clients read. Instants are told twice: in µs, and as RFC 3339 text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from api.answers import problem_document
from api.port import QuotaWarning
from dispatcher.model import Caller, Refusal
from ledger.model import Grant, in_words
from ledger.notes import PublicKey
from store.rows import (
    AttemptRow,
    CheckpointRow,
    FunderRow,
    HistoryRow,
    JobRow,
    MemberRow,
    NoticeRow,
    ProgrammeRow,
    ProjectRow,
    TokenRow,
)

ENDED = frozenset({"succeeded", "failed", "cancelled"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000_US = 253_402_300_800_000_000


def rfc3339(at_us: int | None) -> str | None:
    """An instant as text in UTC with microseconds; None for none, and for what lies beyond the calendar."""
    if at_us is None or at_us >= _YEAR_10000_US:
        return None
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def brief_job(job: JobRow) -> dict[str, Any]:
    """A job as a batch answers it: what tells it from the others, its state and its quote."""
    return {
        "id": job.id,
        "project_id": job.project_id,
        "name": job.name,
        "state": job.state,
        "version": job.version,
        "backend": job.backend,
        "created_us": job.created_us,
        "quote": job.quote,
        "links": links(job),
    }


def full_job(job: JobRow, wait_reason: str | None = None) -> dict[str, Any]:
    """A job with everything that is told about it."""
    return {
        "id": job.id,
        "project_id": job.project_id,
        "member_id": job.member_id,
        "primitive": job.primitive,
        "name": job.name,
        "state": job.state,
        "version": job.version,
        "priority": job.priority,
        "category": job.category,
        "backend": job.backend,
        "backend_asked": job.backend_asked,
        "tags": job.tags,
        "metadata": job.metadata,
        "created_us": job.created_us,
        "created_at": rfc3339(job.created_us),
        "started_us": job.started_us,
        "started_at": rfc3339(job.started_us),
        "ended_us": job.ended_us,
        "ended_at": rfc3339(job.ended_us),
        "cancel_requested_us": job.cancel_requested_us,
        "time_limit_us": job.time_limit_us,
        "max_cost": job.max_cost,
        "estimate_us": job.estimate_us,
        "quote": job.quote,
        "cost": cost(job),
        "wait_reason": wait_reason,
        "findings": job.findings,
        "problem": None if job.problem is None else problem_of_job(job.problem),
        "usage": job.usage,
        "result_bytes": job.result_size,
        "links": links(job),
    }


def quota_warning(found: QuotaWarning) -> dict[str, Any]:
    """That a project's grants are running out."""
    return _quota(found.project_id, found.percent, found.used, found.granted, found.asset)


def notice(row: NoticeRow) -> dict[str, Any]:
    """The same as an event, with its instant."""
    return {**_quota(row.project_id, **row.detail), "at_us": row.at_us, "at": rfc3339(row.at_us)}


def _quota(project_id: str, percent: int, used: int, granted: int, asset: str) -> dict[str, Any]:
    spent, given = in_words(used, asset), in_words(granted, asset)
    return {
        "code": "quota",
        "project_id": project_id,
        "percent": percent,
        "used": used,
        "granted": granted,
        "asset": asset,
        "detail": f"{percent} % of the project's grants in {asset} are used: {spent} of {given} are spent or held.",
    }


def listed_job(job: JobRow) -> dict[str, Any]:
    """A job in a list: everything but the findings of its single circuits, which may be a thousand."""
    told = full_job(job)
    told["findings"] = {name: found for name, found in job.findings.items() if name != "circuits"}
    return told


def links(job: JobRow) -> dict[str, str]:
    """Where to read on."""
    home = f"/v1/jobs/{job.id}"
    return {"self": home, "result": f"{home}/result", "receipt": f"{home}/receipt", "events": f"{home}/events"}


def cost(job: JobRow) -> dict[str, Any] | None:
    """What the job was charged; None until it has ended."""
    if job.receipt is None:
        return None
    return {"micro": job.receipt["charged"], "asset": job.receipt["asset"]}


def problem_of_job(problem: dict[str, Any]) -> dict[str, Any]:
    """Why a job failed, with the row of the problem table."""
    fields = {name: value for name, value in problem.items() if name not in ("code", "detail")}
    return problem_document(Refusal(str(problem.get("code", "internal")), str(problem.get("detail", "")), fields))


def change(row: HistoryRow) -> dict[str, Any]:
    """One step of a job's life, as events and histories tell it."""
    return {
        "id": row.job_id,
        "state": row.state,
        "version": row.version,
        "reason": row.reason,
        "at_us": row.at_us,
        "at": rfc3339(row.at_us),
    }


def attempt(row: AttemptRow) -> dict[str, Any]:
    """One try of a job on one worker; the fencing token stays inside."""
    return {
        "id": row.id,
        "number": row.number,
        "worker_id": row.worker_id,
        "backend": row.backend,
        "state": row.state,
        "leased_us": row.leased_us,
        "started_us": row.started_us,
        "ended_us": row.ended_us,
        "failure": row.failure,
    }


def project(row: ProjectRow) -> dict[str, Any]:
    """A tenant."""
    return {**asdict(row), "created_at": rfc3339(row.created_us)}


def member(row: MemberRow) -> dict[str, Any]:
    """A member."""
    return {**asdict(row), "created_at": rfc3339(row.created_us)}


def token(row: TokenRow) -> dict[str, Any]:
    """A token without its secret."""
    return {**asdict(row), "created_at": rfc3339(row.created_us), "expires_at": rfc3339(row.expires_us)}


def funder(row: FunderRow) -> dict[str, Any]:
    """Who pays."""
    return {**asdict(row), "created_at": rfc3339(row.created_us)}


def programme(row: ProgrammeRow, available: int) -> dict[str, Any]:
    """A programme and what of its budget is not yet granted."""
    return {
        **asdict(row),
        "funders": [list(share) for share in row.shares],
        "created_at": rfc3339(row.created_us),
        "available": {"micro": available, "asset": row.asset},
    }


def grant(row: Grant) -> dict[str, Any]:
    """A grant."""
    told = asdict(row)
    del told["amount"], told["asset"]
    return {
        **told,
        "funder_id": row.funders[0][0],
        "amount": {"micro": row.amount, "asset": row.asset},
        "valid_from_at": rfc3339(row.valid_from_us),
        "valid_until_at": rfc3339(row.valid_until_us),
        "created_at": rfc3339(row.created_us),
    }


def ledger_keys(keys: Sequence[PublicKey]) -> dict[str, Any]:
    """The ledger's public keys, one by one and as a file."""
    return {
        "name": keys[0].name,
        "keys": [
            {"name": key.name, "algorithm": key.algorithm, "key": key.to_text(), "retired_at": key.retired_at}
            for key in keys
        ],
        "text": "".join(f"{key.to_line()}\n" for key in keys),
    }


def checkpoint(row: CheckpointRow) -> dict[str, Any]:
    """A signed checkpoint."""
    return {**asdict(row), "root": row.root.hex(), "at": rfc3339(row.at_us)}


def caller(who: Caller) -> dict[str, Any]:
    """The caller, to themselves."""
    return asdict(who)
