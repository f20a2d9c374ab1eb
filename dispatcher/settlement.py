"""A job's end: usage → charge at the quoted rate → hold settled or given back → receipt, in one commit with its state.

Settlement never refuses. Succeeded, and failed by the user's own doing: what was used, by the pinned rate. Failed by
the platform, or cancelled before it ran: nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import ledger.core
from dispatcher.ground import Ground
from dispatcher.pricing import pinned_quote
from dispatcher.reports import Report
from ledger.commands import SettleHold, VoidHold
from ledger.model import Entry
from ledger.model import Refusal as LedgerRefusal
from ledger.price import Charge, Quote, Usage, charge
from ledger.receipt import receipt
from scheduler.decisions import FinishJob
from scheduler.events import FailureKind
from store import book as book_store
from store import jobs
from store.database import Connection
from store.rows import JobChange, JobRow

PROBLEM_CODES: Mapping[FailureKind, str] = {
    "user": "circuit_failed",
    "timeout": "time_limit_reached",
    "memory": "memory_limit_reached",
    "crash": "engine_crashed",
    "fault": "platform_fault",
    "lost": "platform_fault",
}
CHARGED_FAILURES = frozenset({"user", "timeout", "memory"})


@dataclass(frozen=True, slots=True)
class Ending:
    """A finished job and the report that ended it, if a report did."""

    decision: FinishJob
    report: Report | None


def settle(conn: Connection, ground: Ground, endings: Sequence[Ending], at_us: int) -> list[JobChange]:
    """Settle or void every hold, store the results, and return the jobs' last changes."""
    ids = [ending.decision.job_id for ending in endings]
    rows = {job.id: job for job in jobs.get_jobs(conn, ids)}
    book = book_store.load_book(conn, job_ids=ids)
    entries: list[Entry] = []
    changes: list[JobChange] = []
    for ending in endings:
        job = rows[ending.decision.job_id]
        quoted = pinned_quote(job.quote)
        usage, charged = _charge(job, quoted, ending)
        command = VoidHold(at_us, job.id) if charged is None else SettleHold(at_us, job.id, charged.lines)
        entry = ledger.core.decide(book, command)
        if isinstance(entry, LedgerRefusal):
            raise RuntimeError(f"settlement of {job.id} was refused: {entry.code}: {entry.detail}")
        ledger.core.apply(book, entry)
        entries.append(entry)
        proof = receipt(book.holds[job.id], (entry,), quoted, usage, book.grants)
        changes.append(_last_change(conn, ground, job, ending, at_us, usage, proof))
    book_store.record(conn, entries, book)
    return changes


def _charge(job: JobRow, quoted: Quote, ending: Ending) -> tuple[Usage, Charge | None]:
    decision, report = ending.decision, ending.report
    used_us = decision.used_us
    cpu_ms = -(-report.cpu_us // 1000) if report is not None else 0
    shots = kept = 0
    if report is not None and decision.outcome == "succeeded":
        # A result is as large as it was measured to be beforehand, wherever it was written.
        shots, kept = report.shots, job.quote["storage_mib_h"]
    usage = Usage(qpu_ms=-(-used_us // 1000), shots=shots, cpu_ms=cpu_ms, storage_mib_h=kept)
    match decision.outcome:
        case "succeeded":
            due = True
        case "failed":
            due = decision.kind in CHARGED_FAILURES
        case "cancelled":
            due = used_us > 0
    return usage, charge(quoted.rates, usage) if due else None


def _last_change(
    conn: Connection, ground: Ground, job: JobRow, ending: Ending, at_us: int, usage: Usage, proof: dict[str, Any]
) -> JobChange:
    decision, report = ending.decision, ending.report
    # A report may have come in after this cycle's clock was read; a job never ends before it started.
    at_us = max(at_us, report.at_us) if report is not None else at_us
    result_hash, result_size = None, None
    if decision.outcome == "succeeded" and report is not None:
        result_hash = report.result_hash
        if isinstance(report.result, bytes):
            result_hash, result_size = ground.blobs.put(conn, report.result), len(report.result)
        elif report.result is not None:
            result_size = report.result.stat().st_size
            result_hash = ground.blobs.adopt(conn, report.result)
    return JobChange(
        job.id,
        at_us,
        decision.outcome,
        decision.reason,
        ended_us=at_us,
        result_hash=result_hash,
        result_size=result_size,
        problem=_problem(decision, report),
        usage=asdict(usage),
        receipt={**proof, "backend": job.backend, "outcome": decision.outcome},
    )


def _problem(decision: FinishJob, report: Report | None) -> dict[str, Any] | None:
    if decision.outcome != "failed":
        return None
    kind = decision.kind or "fault"
    said = report.code if report is not None else ""
    # The sender's own mistakes keep the code they were found under; what ended a process is told by its kind.
    code = said if kind == "user" and said else PROBLEM_CODES[kind]
    fields = dict(report.fields) if report is not None else {}
    detail = report.reason if report is not None and report.reason else decision.reason
    return {**fields, "code": code, "detail": detail, "kind": kind, "charged": kind in CHARGED_FAILURES}
