"""One commit's worth of admissions: each submission decided against the same book, then all of them written at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ledger.core
from backends.rejected import Rejection
from dispatcher.claims import claimant_of
from dispatcher.ground import Ground
from dispatcher.inbox import job_submitted
from dispatcher.model import Caller, Refusal, Submission
from dispatcher.quota_marks import tell_crossed
from ledger.allocation import allocate
from ledger.book import Book
from ledger.commands import PlaceHold
from ledger.model import FULL_PPM, Entry, Line
from ledger.model import Refusal as LedgerRefusal
from ledger.quota import Drawn, drawn
from ledger.terms import Rule, Terms
from store import book as book_store
from store import identity, inbox, inspections, jobs, totals
from store.database import Connection
from store.rows import JobRow, ProjectRow


@dataclass(frozen=True, slots=True)
class Accepted:
    """An admitted job; `created` is False when an idempotency key led to one that was there."""

    job: JobRow
    created: bool


@dataclass(frozen=True, slots=True)
class Agreed:
    """What jobs of one kind have in common: findings, backends (best first), times and quote."""

    findings: Mapping[str, Any]
    backends: tuple[str, ...]
    estimate_us: int
    time_limit_us: int
    quote: Mapping[str, Any]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A submission that passed every check that needs no lock. `pinned` are the terms that a quote promised."""

    submission: Submission
    project_id: str
    terms: Agreed
    work_hash: str
    measured_now: bool
    pinned: tuple[Terms, ...] = ()


def refused(found: Rejection | LedgerRefusal) -> Refusal:
    """The same no in the dispatcher's words."""
    return Refusal(found.code, found.detail, dict(found.fields))


class Admission:
    """One commit's worth of admissions: decide each against the same book, then write all at once."""

    def __init__(
        self,
        conn: Connection,
        caller: Caller,
        now_us: int,
        ground: Ground,
        book: Book,
        projects: Mapping[str, ProjectRow],
    ) -> None:
        self.known: dict[tuple[str, str], JobRow] = {}
        self._conn, self._caller, self._now_us, self._ground, self._book = conn, caller, now_us, ground, book
        self._projects = projects
        self._rows: list[JobRow] = []
        self._plans: list[Plan] = []
        self._entries: list[Entry] = []
        self._queued: dict[str, int] = {}
        self._drawn: dict[str, dict[str, Drawn]] = {}

    @classmethod
    def over(cls, conn: Connection, caller: Caller, now_us: int, ground: Ground, project_ids: set[str]) -> Admission:
        """For jobs of these projects, with all that their admission depends on."""
        year = ground.rules.local(now_us).year
        book = book_store.load_book(conn, project_ids=sorted(project_ids), year=year)
        return cls(conn, caller, now_us, ground, book, identity.get_projects(conn, project_ids))

    def terms_of(self, plan: Plan) -> list[Terms]:
        """The terms in force of every programme that the project has a grant of, version 0 where there are none yet."""
        programmes = sorted({grant.programme_id for grant in self._book.grants_of(plan.project_id)})
        return [self._book.terms.get(programme_id) or _before_any(programme_id) for programme_id in programmes]

    def preview(self, plan: Plan) -> tuple[list[dict[str, Any]], int, Refusal | None]:
        """Who would pay which part of the ceiling, what of it nobody would, and the refusal it would get, if any."""
        wanted = self._hold(plan, "preview")
        found, decided = allocate(self._book, wanted), ledger.core.decide(self._book, wanted)
        shares: dict[str, dict[str, Any]] = {}
        for part in found.slices:
            share = shares.setdefault(part.payer, {"payer": part.payer, "asset": part.asset, "amount": 0, "worth": 0})
            share["amount"] += part.amount
            share["worth"] += part.worth
            share["rule"], share["share_ppm"] = part.rule, part.share_ppm
        no = refused(decided) if isinstance(decided, LedgerRefusal) else None
        return list(shares.values()), found.missing, no

    def _hold(self, plan: Plan, job_id: str) -> PlaceHold:
        rules, submission = self._ground.rules, plan.submission
        return PlaceHold(
            at_us=self._now_us,
            job_id=job_id,
            project_id=plan.project_id,
            asset=rules.asset,
            lines=plan.terms.lines,
            claimant=claimant_of(
                self._projects[plan.project_id],
                self._caller.member_id,
                submission.category,
                submission.tags,
                plan.terms.backends[0],
                rules,
                self._now_us,
            ),
            pinned=plan.pinned,
        )

    def take(self, plan: Plan) -> Accepted | Refusal:
        """Admit one in the book alone; `write` makes it last.

        Refusals: idempotency_conflict, queue_full, and the ledger's.
        """
        submission = plan.submission
        if submission.idempotency_key is not None:
            earlier = self.known.get((plan.project_id, submission.idempotency_key))
            if earlier is not None:
                return same_or_conflict(earlier, submission)
        if (full := self._queue_full(plan.project_id)) is not None:
            return full
        job_id = self._ground.new_id("job")
        decided = ledger.core.decide(self._book, self._hold(plan, job_id))
        if isinstance(decided, LedgerRefusal):
            return refused(decided)
        if plan.project_id not in self._drawn:
            self._drawn[plan.project_id] = self._drawn_now(plan.project_id)
        ledger.core.apply(self._book, decided)
        self._entries.append(decided)
        row = self._row(plan, job_id)
        self._rows.append(row)
        self._plans.append(plan)
        self._queued[plan.project_id] += 1
        if submission.idempotency_key is not None:
            self.known[plan.project_id, submission.idempotency_key] = row
        return Accepted(row, created=True)

    def write(self) -> None:
        """Job, hold, payload and event in the one commit that the caller waits for."""
        if not self._rows:
            return
        conn, works = self._conn, {plan.work_hash: plan.submission.work for plan in self._plans}
        self._ground.blobs.put_many(conn, works)
        for work_hash, work in works.items():
            self._ground.works.put(work_hash, work)
        measured = {plan.work_hash: dict(plan.terms.findings) for plan in self._plans if plan.measured_now}
        if measured:
            inspections.put_many(conn, measured, self._now_us)
        book_store.record(conn, self._entries, self._book)
        jobs.insert_jobs(conn, self._rows)
        inbox.append(
            conn, [job_submitted(row, plan.terms.backends) for row, plan in zip(self._rows, self._plans, strict=True)]
        )
        for project_id, before in self._drawn.items():
            after = self._drawn_now(project_id)
            tell_crossed(conn, project_id, before, after, self._now_us)

    def _drawn_now(self, project_id: str) -> dict[str, Drawn]:
        return drawn(self._book, project_id, self._now_us)

    def _queue_full(self, project_id: str) -> Refusal | None:
        if project_id not in self._queued:
            self._queued[project_id] = totals.queued_of(self._conn, project_id)
        limit = self._ground.rules.queued_max
        if self._queued[project_id] < limit:
            return None
        detail = f"The project has {self._queued[project_id]} jobs waiting and {limit} is the limit. Try again later."
        return Refusal("queue_full", detail, {"limit": limit, "value": self._queued[project_id], "retry_after_s": 10})

    def _row(self, plan: Plan, job_id: str) -> JobRow:
        submission = plan.submission
        return JobRow(
            id=job_id,
            project_id=plan.project_id,
            member_id=self._caller.member_id,
            primitive=submission.primitive,
            name=submission.name,
            state="queued",
            version=1,
            priority=submission.priority,
            backend_asked=submission.backend,
            backend=plan.terms.backends[0],
            tags=submission.tags,
            metadata=dict(submission.metadata),
            request_hash=submission.request_hash,
            idempotency_key=submission.idempotency_key,
            work_hash=plan.work_hash,
            created_us=self._now_us,
            started_us=None,
            ended_us=None,
            time_limit_us=plan.terms.time_limit_us,
            max_cost=submission.max_cost,
            estimate_us=plan.terms.estimate_us,
            quote=dict(plan.terms.quote),
            findings=dict(plan.terms.findings),
            result_hash=None,
            result_size=None,
            problem=None,
            usage=None,
            receipt=None,
            cancel_requested_us=None,
            category=submission.category,
        )


def same_or_conflict(earlier: JobRow, submission: Submission) -> Accepted | Refusal:
    """The answer to a submission whose idempotency key has been used: the job it was used for, or a conflict."""
    if earlier.request_hash == submission.request_hash:
        return Accepted(earlier, created=False)
    return Refusal(
        "idempotency_conflict",
        f"The idempotency key {submission.idempotency_key!r} was used for job {earlier.id} with another body. "
        "Send the same body again, or use a new key.",
        {"job_id": earlier.id, "idempotency_key": submission.idempotency_key},
    )


def _before_any(programme_id: str) -> Terms:
    """What a programme without terms does, as terms: so a quote can promise it although terms are applied later."""
    return Terms(programme_id, 0, (Rule(FULL_PPM),), excludes_related=False)
