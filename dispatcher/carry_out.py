"""Decisions become rows: all that one cycle decided, in one transaction, with few statements for many jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from dispatcher.ground import Ground
from dispatcher.reports import Report
from dispatcher.settlement import Ending, settle
from scheduler.decisions import Decision, FinishJob, MarkRunning, RequeueTask, RevokeLease, StartAttempt, WakeAt
from store import attempts, jobs
from store.database import Connection
from store.rows import AttemptEnd, AttemptRow, AttemptState, JobChange


@dataclass
class OpenJobs:
    """What the loop remembers of jobs that have not ended. Rebuilt from the store after every failed commit."""

    work_hash: dict[str, str] = field(default_factory=dict)
    attempt: dict[str, str] = field(default_factory=dict)
    backend: dict[str, str] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)

    def forget(self, job_id: str) -> None:
        """The job has ended."""
        self.work_hash.pop(job_id, None)
        self.attempt.pop(job_id, None)
        self.backend.pop(job_id, None)
        self.started.discard(job_id)


@dataclass
class Effects:
    """What may happen only after the commit."""

    starts: list[StartAttempt] = field(default_factory=list)
    stops: list[RevokeLease] = field(default_factory=list)
    wake_at_us: int | None = None


class CarryOut:
    """One cycle: `take` sorts the decisions, `write` puts their rows into the transaction."""

    def __init__(
        self,
        ground: Ground,
        open_jobs: OpenJobs,
        at_us: int,
        reports: Mapping[str, Report],
        began: Mapping[str, int] | None = None,
    ) -> None:
        """`reports`: the deciding report of each attempt; `began`: when attempts said they started (µs)."""
        self._ground, self._open, self._at_us, self._reports = ground, open_jobs, at_us, reports
        self._began = began or {}
        self.effects = Effects()
        self._changes: list[JobChange] = []
        self._new: list[AttemptRow] = []
        self._started: list[tuple[str, int]] = []
        self._closed: list[AttemptEnd] = []
        self._endings: list[Ending] = []

    @property
    def idle(self) -> bool:
        """Whether there is nothing to write."""
        return not (self._changes or self._new or self._started or self._closed or self._endings)

    def take(self, decisions: Iterable[Decision]) -> None:
        """Sort decisions by what they write; remember their effects."""
        for decision in decisions:
            match decision:
                case StartAttempt():
                    self._start(decision)
                case MarkRunning():
                    self._running(decision)
                case RequeueTask():
                    self._requeue(decision)
                case FinishJob():
                    self._finish(decision)
                case RevokeLease():
                    self.effects.stops.append(decision)
                case WakeAt():
                    earlier = self.effects.wake_at_us
                    self.effects.wake_at_us = decision.at_us if earlier is None else min(earlier, decision.at_us)
                case _:
                    assert_never(decision)

    def write(self, conn: Connection) -> None:
        """All rows of the cycle. Order matters only to readers of history: jobs change in the order decided."""
        if self._new:
            attempts.insert_attempts(conn, self._new)
        if self._started:
            attempts.mark_started(conn, self._started)
        if self._closed:
            attempts.close_attempts(conn, self._closed)
        changes = list(self._changes)
        if self._endings:
            changes += settle(conn, self._ground, self._endings, self._at_us)
        if changes:
            jobs.advance(conn, changes)

    def _start(self, decision: StartAttempt) -> None:
        self._open.attempt[decision.job_id] = decision.attempt_id
        self._open.backend[decision.job_id] = decision.backend
        self._new.append(
            AttemptRow(
                id=decision.attempt_id,
                job_id=decision.job_id,
                number=int(decision.attempt_id.rsplit(".", 1)[1]),
                token=decision.token,
                worker_id=decision.worker_id,
                backend=decision.backend,
                state="leased",
                leased_us=self._at_us,
                started_us=None,
                ended_us=None,
                lease_until_us=decision.lease_until_us,
                failure=None,
            )
        )
        self.effects.starts.append(decision)

    def _running(self, decision: MarkRunning) -> None:
        at_us = self._began.get(decision.attempt_id, self._at_us)
        self._started.append((decision.attempt_id, at_us))
        first = decision.job_id not in self._open.started
        self._open.started.add(decision.job_id)
        reason = "started" if first else f"started again as attempt {decision.attempt_id.rsplit('.', 1)[1]}"
        self._changes.append(
            JobChange(
                decision.job_id,
                at_us,
                "running",
                reason,
                started_us=at_us if first else None,
                backend=self._open.backend.get(decision.job_id),
            )
        )

    def _requeue(self, decision: RequeueTask) -> None:
        self._close(decision.job_id, "lost", decision.reason)
        self._changes.append(JobChange(decision.job_id, self._at_us, "queued", decision.reason))

    def _finish(self, decision: FinishJob) -> None:
        attempt_id = decision.attempt_id or self._open.attempt.get(decision.job_id)
        report = self._reports.get(attempt_id) if attempt_id is not None else None
        if attempt_id is not None:
            match decision.outcome:
                case "succeeded":
                    self._close(decision.job_id, "succeeded", "")
                case "failed":
                    self._close(decision.job_id, "failed", decision.reason)
                case "cancelled":
                    self._close(decision.job_id, "stopped", decision.reason)
                case _:
                    assert_never(decision.outcome)
        self._endings.append(Ending(decision, report))
        self._open.forget(decision.job_id)

    def _close(self, job_id: str, state: AttemptState, reason: str) -> None:
        attempt_id = self._open.attempt.pop(job_id, None)
        if attempt_id is None:
            return
        report = self._reports.get(attempt_id)
        failure: dict[str, Any] | None = None
        if report is not None and report.kind == "failed":
            failure = {"kind": report.failure, "code": report.code, "reason": report.reason}
            state = "lost" if report.failure == "lost" else "failed"
        elif state in ("lost", "failed"):
            failure = {"kind": "lost", "code": "", "reason": reason}
        self._closed.append(AttemptEnd(attempt_id, state, self._at_us, failure))


def latest(reports: Sequence[Report]) -> dict[str, Report]:
    """The report that decides each attempt: its first final one, as for the scheduler; else its start."""
    chosen: dict[str, Report] = {}
    for report in reports:
        if report.attempt_id not in chosen or chosen[report.attempt_id].kind == "started":
            chosen[report.attempt_id] = report
    return chosen


def begun(reports: Sequence[Report]) -> dict[str, int]:
    """When each attempt said that it started, also where its end is told in the same breath."""
    return {report.attempt_id: report.at_us for report in reports if report.kind == "started"}
