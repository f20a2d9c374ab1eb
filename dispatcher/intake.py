"""Admission: inspect → route → quote → ledger hold → job, all or nothing; or a refusal that leaves no trace.

A whole batch shares one inspection round trip and one commit. Idempotency is decided inside the commit, where the
single writer makes a retry that overtakes its first try see the first try's job.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ledger.core
from backends.catalogue import estimate_us, feasible
from backends.findings import Findings
from backends.rejected import Rejection
from dispatcher.ground import Ground
from dispatcher.inbox import cancel_requested, job_submitted
from dispatcher.model import Caller, Refusal, Submission
from dispatcher.pricing import quote_of
from ledger.book import Book
from ledger.commands import PlaceHold
from ledger.model import Entry, in_words
from ledger.model import Refusal as LedgerRefusal
from store import book as book_store
from store import identity, inbox, inspections, jobs, totals, workers
from store.blobs import hash_of
from store.database import Connection
from store.rows import JobChange, JobRow
from workers.inspector import InspectorUnavailable

ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """An admitted job; `created` is False when an idempotency key led to one that was there."""

    job: JobRow
    created: bool


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """What a job would cost and how long it would wait (µs), if it were submitted now."""

    quote: Mapping[str, Any]
    backend: str
    wait_us: int
    findings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Terms:
    """What jobs of one kind have in common: findings, backends (best first), times and quote."""

    findings: Mapping[str, Any]
    backends: tuple[str, ...]
    estimate_us: int
    time_limit_us: int
    quote: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A submission that passed every check that needs no lock."""

    submission: Submission
    project_id: str
    terms: _Terms
    work_hash: str
    measured_now: bool


def refused(found: Rejection | LedgerRefusal) -> Refusal:
    """The same no in the dispatcher's words."""
    return Refusal(found.code, found.detail, dict(found.fields))


class Intake:
    """Submit, quote and cancel."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def submit(self, caller: Caller, submissions: Sequence[Submission]) -> list[Accepted | Refusal]:
        """Admit each submission or say why not; answers stand in the order of the submissions. Blocks until durable.

        Refusals: forbidden, not_found (project), idempotency_conflict, every code of the inspector, unknown_backend,
        backend_infeasible, cost_limit, queue_full, and the ledger's (no_grant … grant_exhausted).
        """
        answers: list[Accepted | Refusal | None] = [None] * len(submissions)
        waiting: list[int] = []
        known = self._known_keys(caller, submissions)
        for index, submission in enumerate(submissions):
            project_id = self._project_of(caller, submission)
            if isinstance(project_id, Refusal):
                answers[index] = project_id
            elif (earlier := known.get((project_id, submission.idempotency_key or ""))) is not None:
                answers[index] = _same_or_conflict(earlier, submission)
            else:
                waiting.append(index)
        plans = self._plans(caller, [submissions[index] for index in waiting])
        admitted: list[tuple[int, _Plan]] = []
        for index, plan in zip(waiting, plans, strict=True):
            if isinstance(plan, Refusal):
                answers[index] = plan
            else:
                admitted.append((index, plan))
        if admitted:
            # Files of large payloads are written and fsynced before anybody waits for the one writer.
            for _, plan in admitted:
                self._ground.blobs.stage(plan.submission.work)
            written = self._ground.database.writer.run(lambda conn: self._admit(conn, caller, [p for _, p in admitted]))
            for (index, _), answer in zip(admitted, written, strict=True):
                answers[index] = answer
        return [answer for answer in answers if answer is not None]

    def quote(self, caller: Caller, submissions: Sequence[Submission]) -> list[QuoteAnswer | Refusal]:
        """Price and expected waiting time of each submission, without writing anything."""
        refusals: list[Refusal | None] = []
        for submission in submissions:
            project_id = self._project_of(caller, submission)
            refusals.append(project_id if isinstance(project_id, Refusal) else None)
        if any(refusals):
            return [r or Refusal("forbidden", "Another quote of this request was refused.") for r in refusals]
        with self._ground.database.read() as conn:
            waiting_count, backlog = jobs.backlog_us(conn)
            slots = self._slots(conn)
        wait_us = backlog // max(1, slots) if waiting_count else 0
        return [
            plan
            if isinstance(plan, Refusal)
            else QuoteAnswer(
                quote=plan.terms.quote, backend=plan.terms.backends[0], wait_us=wait_us, findings=plan.terms.findings
            )
            for plan in self._plans(caller, submissions)
        ]

    def cancel(self, caller: Caller, job_id: str) -> JobRow | Refusal:
        """Ask for the job's end; asking again is no error. Refusals: not_found, forbidden, job_ended."""
        if caller.role == "auditor":
            return Refusal("forbidden", "An auditor reads everything and changes nothing.", {"role": caller.role})
        now = self._ground.now_us()

        def unit(conn: Connection) -> JobRow | Refusal:
            job = jobs.get_job(conn, job_id, caller.project_id)
            if job is None:
                return Refusal("not_found", f"There is no job {job_id}.", {"job_id": job_id})
            if job.state in ENDED:
                if job.state == "cancelled":
                    return job
                return Refusal("job_ended", f"Job {job_id} has already {job.state}.", {"state": job.state})
            if job.cancel_requested_us is None:
                state = "cancelling" if job.state == "running" else job.state
                change = JobChange(job_id, now, state, "cancel requested", cancel_requested_us=now)
                jobs.advance(conn, [change])
                inbox.append(conn, [cancel_requested(now, job_id)])
            return jobs.get_job(conn, job_id, None) or job

        return self._ground.database.writer.run(unit)

    def _slots(self, conn: Connection) -> int:
        return sum(worker.slots for worker in workers.list_workers(conn) if worker.state == "up")

    def _project_of(self, caller: Caller, submission: Submission) -> str | Refusal:
        if caller.role == "auditor":
            return Refusal("forbidden", "An auditor reads everything and changes nothing.", {"role": caller.role})
        project_id = submission.project_id or caller.project_id
        if project_id is None:
            return Refusal("invalid_request", "An operator's job needs a project: name one in project_id.", {})
        if not caller.sees(project_id) or (caller.project_id is None and not self._there_is(project_id)):
            return Refusal("not_found", f"There is no project {project_id}.", {"project_id": project_id})
        return project_id

    def _there_is(self, project_id: str) -> bool:
        with self._ground.database.read() as conn:
            return identity.get_project(conn, project_id) is not None

    def _known_keys(self, caller: Caller, submissions: Sequence[Submission]) -> dict[tuple[str, str], JobRow]:
        wanted: dict[str, list[str]] = {}
        for submission in submissions:
            project_id = submission.project_id or caller.project_id
            if submission.idempotency_key is not None and project_id is not None and caller.sees(project_id):
                wanted.setdefault(project_id, []).append(submission.idempotency_key)
        if not wanted:
            return {}
        found: dict[tuple[str, str], JobRow] = {}
        with self._ground.database.read() as conn:
            for project_id, keys in wanted.items():
                for key, job in jobs.find_idempotent(conn, project_id, keys).items():
                    found[project_id, key] = job
        return found

    def _plans(self, caller: Caller, submissions: Sequence[Submission]) -> list[_Plan | Refusal]:
        hashes = [hash_of(s.work) for s in submissions]
        kept: dict[str, Findings] = {}
        if hashes:
            with self._ground.database.read() as conn:
                documents = inspections.get_many(conn, sorted(set(hashes)))
            for work_hash, document in documents.items():
                with contextlib.suppress(KeyError, TypeError):  # measured by another version: measure again
                    kept[work_hash] = Findings.from_json(document)
        missing = {h: s.work for h, s in zip(hashes, submissions, strict=True) if h not in kept}
        measured: dict[str, Findings | Rejection] = {}
        if missing:
            try:
                found_now = self._ground.inspector.inspect(list(missing.values()))
            except InspectorUnavailable as closed:
                busy = Refusal("unavailable", f"Circuits cannot be inspected now: {closed}.", {"retry_after_s": 5})
                return [busy] * len(submissions)
            measured = dict(zip(missing, found_now, strict=True))
        # The jobs of a batch are often alike but for their angles: each kind is routed and priced once.
        agreed: dict[tuple[Findings, str, int | None, int | None], _Terms | Refusal] = {}
        plans: list[_Plan | Refusal] = []
        for work_hash, submission in zip(hashes, submissions, strict=True):
            found = measured.get(work_hash)
            if isinstance(found, Rejection):
                plans.append(refused(found))
                continue
            findings = found if found is not None else kept[work_hash]
            kind = (findings, submission.backend, submission.time_limit_us, submission.max_cost)
            terms = agreed.get(kind)
            if terms is None:
                terms = agreed[kind] = self._terms(submission, findings)
            if isinstance(terms, Refusal):
                plans.append(terms)
                continue
            project_id = submission.project_id or caller.project_id
            assert project_id is not None
            plans.append(_Plan(submission, project_id, terms, work_hash, found is not None))
        return plans

    def _terms(self, submission: Submission, findings: Findings) -> _Terms | Refusal:
        """Where the job would run, for how long and at what price, or why not. Reads no more than the kind of job."""
        rules = self._ground.rules
        candidates = feasible(findings, submission.backend, rules.memory_mib)
        if not isinstance(candidates, tuple):
            return Refusal(candidates.code, candidates.detail, dict(candidates.fields))
        estimate = estimate_us(candidates[0], findings)
        limit = rules.time_limit_of(submission.time_limit_us, estimate)
        if limit > rules.time_limit_max_us:
            return Refusal(
                "invalid_request",
                f"time_limit_s is {limit // 1_000_000}; at most {rules.time_limit_max_us // 1_000_000} is allowed.",
                {"limit": rules.time_limit_max_us // 1_000_000, "value": limit // 1_000_000},
            )
        if estimate > limit:
            return Refusal(
                "job_too_long",
                f"This job needs about {estimate // 1_000_000} s and would be stopped after {limit // 1_000_000} s. "
                f"Set a longer time_limit_s (at most {rules.time_limit_max_us // 1_000_000}), or split the work.",
                {"estimate_s": estimate // 1_000_000, "time_limit_s": limit // 1_000_000},
            )
        quote = quote_of(rules, candidates[0], estimate, limit, findings.shots)
        ceiling = quote["ceiling"]["micro"]
        if submission.max_cost is not None and ceiling > submission.max_cost:
            return Refusal(
                "cost_limit",
                f"This job may cost up to {in_words(ceiling, rules.asset)} and max_cost is "
                f"{in_words(submission.max_cost, rules.asset)}. "
                "Raise max_cost, lower the shots, or set a shorter time_limit_s.",
                {"ceiling": ceiling, "max_cost": submission.max_cost, "asset": rules.asset},
            )
        return _Terms(findings.to_json(), candidates, estimate, limit, quote)

    def _admit(self, conn: Connection, caller: Caller, plans: Sequence[_Plan]) -> list[Accepted | Refusal]:
        now = self._ground.now_us()
        book = book_store.load_book(conn, project_ids=sorted({plan.project_id for plan in plans}))
        admission = _Admission(conn, caller, now, self._ground, book)
        keys: dict[str, list[str]] = {}
        for plan in plans:
            if plan.submission.idempotency_key is not None:
                keys.setdefault(plan.project_id, []).append(plan.submission.idempotency_key)
        for project_id, wanted in keys.items():
            for key, job in jobs.find_idempotent(conn, project_id, wanted).items():
                admission.known[project_id, key] = job
        answers = [admission.take(plan) for plan in plans]
        admission.write()
        return answers


class _Admission:
    """One commit's worth of admissions: decide each against the same book, then write all at once."""

    def __init__(self, conn: Connection, caller: Caller, now_us: int, ground: Ground, book: Book) -> None:
        self.known: dict[tuple[str, str], JobRow] = {}
        self._conn, self._caller, self._now_us, self._ground, self._book = conn, caller, now_us, ground, book
        self._rows: list[JobRow] = []
        self._plans: list[_Plan] = []
        self._entries: list[Entry] = []
        self._queued: dict[str, int] = {}

    def take(self, plan: _Plan) -> Accepted | Refusal:
        submission = plan.submission
        if submission.idempotency_key is not None:
            earlier = self.known.get((plan.project_id, submission.idempotency_key))
            if earlier is not None:
                return _same_or_conflict(earlier, submission)
        if (full := self._queue_full(plan.project_id)) is not None:
            return full
        job_id = self._ground.new_id("job")
        hold = PlaceHold(
            at_us=self._now_us,
            job_id=job_id,
            project_id=plan.project_id,
            asset=self._ground.rules.asset,
            amount=plan.terms.quote["ceiling"]["micro"],
        )
        decided = ledger.core.decide(self._book, hold)
        if isinstance(decided, LedgerRefusal):
            return refused(decided)
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

    def _queue_full(self, project_id: str) -> Refusal | None:
        if project_id not in self._queued:
            self._queued[project_id] = totals.queued_of(self._conn, project_id)
        limit = self._ground.rules.queued_max
        if self._queued[project_id] < limit:
            return None
        detail = f"The project has {self._queued[project_id]} jobs waiting and {limit} is the limit. Try again later."
        return Refusal("queue_full", detail, {"limit": limit, "value": self._queued[project_id], "retry_after_s": 10})

    def _row(self, plan: _Plan, job_id: str) -> JobRow:
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
        )


def _same_or_conflict(earlier: JobRow, submission: Submission) -> Accepted | Refusal:
    if earlier.request_hash == submission.request_hash:
        return Accepted(earlier, created=False)
    return Refusal(
        "idempotency_conflict",
        f"The idempotency key {submission.idempotency_key!r} was used for job {earlier.id} with another body. "
        "Send the same body again, or use a new key.",
        {"job_id": earlier.id, "idempotency_key": submission.idempotency_key},
    )
