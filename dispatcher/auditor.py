"""The audit of a whole store: the ledger's own invariants, and that each job's money fits its state."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from ledger.past import Past
from store import attempts, book, past, totals
from store.database import Connection, Database
from store.rows import AttemptRow

ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was looked at, and a sentence for everything that is wrong."""

    counts: dict[str, int]
    violations: list[str]


def audit_store(database: Database) -> AuditReport:
    """Check one snapshot of the store. An empty list of violations means the books balance to the last unit."""
    with database.read() as conn:
        books = audit_ledger(conn)
        states = totals.states_of_jobs(conn)
        violations = [*books.violations, *_jobs_against_holds(states, totals.states_of_holds(conn))]
        violations += _attempts(conn, states)
    return AuditReport({"jobs": len(states), **books.counts}, violations)


def audit_ledger(conn: Connection) -> AuditReport:
    """Check the books of one snapshot alone: that the history leads to them, and every invariant of the ledger."""
    told = Past(parse=orjson.loads)
    told.take_entries(past.entries_as_told(conn))
    told.take_holds(past.holds_as_stored(conn))
    balances, grants = book.all_balances(conn), book.all_grants(conn)
    told.compare(balances, totals.all_claimed(conn), grants)
    counts = {
        "entries": told.entries,
        "accounts": len(balances),
        "grants": len(grants),
        "holds": told.holds,
    }
    return AuditReport(counts, told.found)


def audit_open(conn: Connection) -> list[str]:
    """What is under way: every such job has an open hold, and every open hold such a job."""
    found = [f"job {job_id} is under way without an open hold" for job_id in totals.unfunded_jobs(conn)]
    stale = totals.stale_holds(conn)
    return found + [f"the hold of job {job_id} is open and no such job is under way" for job_id in stale]


def _jobs_against_holds(states: dict[str, str], holds: dict[str, str]) -> list[str]:
    """Every job has one hold; it is open exactly as long as the job is."""
    found = [f"hold of job {job_id}, which does not exist" for job_id in holds if job_id not in states]
    for job_id, state in states.items():
        hold = holds.get(job_id)
        if hold is None:
            found.append(f"job {job_id} has no hold")
        elif state in ENDED and hold == "open":
            found.append(f"job {job_id} has {state} and its hold is still open")
        elif state not in ENDED and hold != "open":
            found.append(f"job {job_id} is {state} and its hold is already {hold}")
        elif state == "succeeded" and hold != "settled":
            found.append(f"job {job_id} has succeeded and its hold is {hold}")
    return found


def _attempts(conn: Connection, states: dict[str, str]) -> list[str]:
    """At most one lease a job at a time, and none for a job that has ended."""
    found: list[str] = []
    seen: dict[str, AttemptRow] = {}
    for row in attempts.open_attempts(conn, None):
        if row.job_id in seen:
            found.append(f"job {row.job_id} has two leases at once: {seen[row.job_id].id} and {row.id}")
        seen[row.job_id] = row
        if states.get(row.job_id) in ENDED:
            found.append(f"attempt {row.id} is still {row.state} and its job has {states[row.job_id]}")
    return found
