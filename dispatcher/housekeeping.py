"""What has to be done now and then: expire grants, sign the ledger, notice silent workers, collect unused blobs."""

from __future__ import annotations

from dataclasses import replace

import structlog

import ledger.core
from dispatcher.ground import Ground
from dispatcher.keys import CannotSign
from dispatcher.quota_marks import tell_crossed
from ledger.book import Book
from ledger.commands import ExpireGrant, IssueGrant, VoidHold
from ledger.grants import rolled_id, rolled_over
from ledger.model import Entry, Grant
from ledger.model import Refusal as LedgerRefusal
from ledger.quota import Drawn
from scheduler.events import Event, WorkerLost
from scheduler.policy import Policy
from store import book as book_store
from store import quotes, totals, workers
from store.database import Connection
from store.drawn import drawn_of

log = structlog.get_logger("housekeeping")

EXPIRE_EVERY_US = 10_000_000
LOOK_EVERY_US = 5_000_000
DAY_US = 86_400_000_000
COLLECT_EVERY_US = 3_600_000_000
SIGN_EVERY_US = 10_000_000
# A blob younger than this may belong to a submission that is still being admitted.
BLOB_GRACE_US = 3_600_000_000


class Housekeeping:
    """Timers of the leading dispatcher; each runs at once after a start and then at its own pace."""

    def __init__(self, ground: Ground, policy: Policy) -> None:
        self._ground, self._policy = ground, policy
        self._expired_us = self._looked_us = self._signed_us = 0
        self._collected_us = ground.now_us()

    def maybe(self, now: int) -> None:
        """Do what is due."""
        if now - self._expired_us > EXPIRE_EVERY_US:
            self._expired_us = now
            self.expire_grants(now)
            self.sweep_holds(now)
        if now - self._signed_us > SIGN_EVERY_US:
            self._signed_us = now
            self.sign_checkpoint()
        if now - self._collected_us > COLLECT_EVERY_US:
            self._collected_us = now
            freed = self._ground.blobs.collect(self._ground.database, now - BLOB_GRACE_US)
            log.info("collected blobs", count=freed)
            self._ground.database.writer.run(lambda conn: quotes.forget(conn, now - BLOB_GRACE_US))

    def sign_checkpoint(self) -> None:
        """Sign what was added to the ledger since the last checkpoint. Work goes on where that is not possible."""
        if self._ground.notary is None:
            return
        try:
            self._ground.notary.sign()
        except CannotSign as trouble:
            log.error("no checkpoint of the ledger was signed", reason=str(trouble))

    def expire_grants(self, now: int) -> int:
        """Close every grant whose time is over; what is held stays held. Returns how many were closed."""
        with self._ground.database.read() as conn:
            ending = book_store.due_grants(conn, now)
        if not ending:
            return 0
        due = [grant.id for grant in ending]

        def unit(conn: Connection) -> int:
            book = book_store.load_book(conn, grant_ids=due)
            before = self._drawn_before(conn, ending)
            entries: list[Entry] = []
            closed = 0
            for grant_id in due:
                entry = ledger.core.decide(book, ExpireGrant(now, grant_id))
                if isinstance(entry, LedgerRefusal):
                    continue
                ledger.core.apply(book, entry)
                entries.append(entry)
                closed += 1
                again = self._rolled_over(book, grant_id, entry)
                if again is not None:
                    ledger.core.apply(book, again)
                    entries.append(again)
            book_store.record(conn, entries, book)
            for project_id, (since_us, drawn) in before.items():
                left = drawn_of(conn, project_id, now)
                tell_crossed(conn, project_id, drawn, left, now, since_us)
            return closed

        return self._ground.database.writer.run(unit)

    def _drawn_before(self, conn: Connection, ending: list[Grant]) -> dict[str, tuple[int, dict[str, Drawn]]]:
        """By project: when the first of its ending grants was over, and how much of its grants was used until then."""
        found: dict[str, tuple[int, dict[str, Drawn]]] = {}
        for grant in ending:  # the longest overdue first
            if grant.project_id not in found:
                since_us = grant.valid_until_us
                drawn = drawn_of(conn, grant.project_id, since_us - 1)
                found[grant.project_id] = (since_us, drawn)
        return found

    def sweep_holds(self, now: int) -> int:
        """Void holds that nobody will ever close: their jobs have ended, or are gone. Returns how many.

        The books never come to this by themselves; a restored backup or a hand in the database may bring them there.
        """
        with self._ground.database.read() as conn:
            stale = totals.stale_holds(conn)
        if not stale:
            return 0

        def unit(conn: Connection) -> int:
            book = book_store.load_book(conn, job_ids=totals.stale_holds(conn))
            entries = []
            for job_id in sorted(book.holds):
                entry = ledger.core.decide(book, VoidHold(now, job_id))
                if isinstance(entry, Entry):
                    ledger.core.apply(book, entry)
                    entries.append(entry)
            book_store.record(conn, entries, book)
            return len(entries)

        swept = self._ground.database.writer.run(unit)
        log.warning("voided holds of jobs that have ended", count=swept, jobs=stale[:20])
        return swept

    def _rolled_over(self, book: Book, grant_id: str, entry: Entry) -> Entry | None:
        """What a programme lets its grants carry over goes into a new grant on the same conditions."""
        amount, grant = rolled_over(entry), book.grants[grant_id]
        if not amount:
            return None
        days = book.terms[grant.programme_id].rollover_days
        anew = replace(
            grant,
            id=rolled_id(grant_id),
            amount=amount,
            valid_from_us=grant.valid_until_us,
            valid_until_us=grant.valid_until_us + days * DAY_US,
            created_us=entry.at_us,
            expired=False,
        )
        issued = ledger.core.decide(book, IssueGrant(entry.at_us, anew))
        if isinstance(issued, LedgerRefusal):
            raise RuntimeError(f"grant {grant_id} could not roll over: {issued.code}: {issued.detail}")
        return issued

    def silent_workers(self, now: int) -> list[Event]:
        """Separate worker processes that have not been heard of for a whole lease, now marked as lost."""
        if now - self._looked_us < LOOK_EVERY_US:
            return []
        self._looked_us = now
        with self._ground.database.read() as conn:
            rows = workers.list_workers(conn)
        silent = [
            row.id
            for row in rows
            if row.state == "up" and row.id.startswith("agent-") and row.seen_us < now - self._policy.lease_us
        ]
        if silent:
            self._ground.database.writer.run(lambda conn: _mark_lost(conn, silent))
        return [WorkerLost(now, worker_id, "the worker has not been heard of") for worker_id in silent]


def _mark_lost(conn: Connection, worker_ids: list[str]) -> None:
    for worker_id in worker_ids:
        workers.mark_lost(conn, worker_id)
