"""The audit of a whole store: the ledger's own invariants, and that each job's money fits its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ledger.invariants
from ledger.book import Book
from ledger.model import Entry, Hold
from store import attempts, totals
from store import book as book_store
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
        book = book_store.whole_book(conn)
        books = audit_ledger(conn, book)
        states = totals.states_of_jobs(conn)
        violations = [*books.violations, *_jobs_against_holds(states, book.holds)]
        violations += _attempts(conn, states)
    return AuditReport({"jobs": len(states), **books.counts}, violations)


def audit_ledger(conn: Connection, book: Book | None = None) -> AuditReport:
    """Check the books of one snapshot alone: that the history leads to them, and every invariant of the ledger."""
    book = book_store.whole_book(conn) if book is None else book
    counted = _Counted(book_store.all_entries(conn))
    violations = list(ledger.invariants.audit(counted, book))
    violations += _sums_against_lines(totals.sums_of_holds(conn), book.holds)
    counts = {
        "entries": counted.count,
        "accounts": len(book.balances),
        "grants": len(book.grants),
        "holds": len(book.holds),
    }
    return AuditReport(counts, violations)


class _Counted(Iterable[Entry]):
    """Counts the entries that the ledger's audit streams through."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = entries
        self.count = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            self.count += 1
            yield entry


def _jobs_against_holds(states: dict[str, str], holds: dict[str, Hold]) -> list[str]:
    """Every job has one hold; it is open exactly as long as the job is."""
    found = [f"hold of job {job_id}, which does not exist" for job_id in holds if job_id not in states]
    for job_id, state in states.items():
        hold = holds.get(job_id)
        if hold is None:
            found.append(f"job {job_id} has no hold")
        elif state in ENDED and hold.state == "open":
            found.append(f"job {job_id} has {state} and its hold is still open")
        elif state not in ENDED and hold.state != "open":
            found.append(f"job {job_id} is {state} and its hold is already {hold.state}")
        elif state == "succeeded" and hold.state != "settled":
            found.append(f"job {job_id} has succeeded and its hold is {hold.state}")
    return found


def _sums_against_lines(sums: dict[str, tuple[int, int]], holds: dict[str, Hold]) -> list[str]:
    """Statements and forecasts add up what is written as a hold's amount and charge: its lines must say the same."""
    return [
        f"the hold of job {job_id} is written down as {amount}, charged {charged}; "
        f"its lines make {holds[job_id].amount}, charged {holds[job_id].charged}"
        for job_id, (amount, charged) in sums.items()
        if (amount, charged) != (holds[job_id].amount, holds[job_id].charged)
    ]


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
