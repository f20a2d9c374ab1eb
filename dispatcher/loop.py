"""The dispatcher's loop: gather what happened → step → plan → one transaction → effects. One thread, one leader.

If the commit fails, nothing of the cycle has happened: the state is rebuilt from the store and the workers' reports
are told again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from dispatcher import inbox as letters
from dispatcher import recovery
from dispatcher.carry_out import CarryOut, Effects, OpenJobs, begun, latest
from dispatcher.ground import Ground
from dispatcher.housekeeping import Housekeeping
from dispatcher.oversight import Overseer
from dispatcher.reports import Report, storable
from scheduler.core import step
from scheduler.decisions import Decision, StartAttempt
from scheduler.events import Event, JobSubmitted, PlanRound, WorkerSeen
from scheduler.policy import Policy
from scheduler.state import State
from store import inbox, leader, usage, workers
from store.database import Connection
from store.errors import BlobDamaged, Deposed, StoreUnavailable
from store.rows import UsageRow, WorkerRow
from workers.port import Executor, Order

log = structlog.get_logger("dispatcher")

INBOX_BATCH = 2_000
ALL = 2**62
# How long the loop sleeps at the most: how late it notices what another process wrote, if no notification came.
POLL_S = 0.1
HEARTBEAT_US = 5_000_000


@dataclass
class _Cycle:
    """What one cycle took in and what it decided. `heard` are the reports that no inbox keeps."""

    seqs: list[int] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    heard: list[Report] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)


class Dispatcher:
    """Runs the scheduler over the store, with this machine's executor if there is one. `start` and `stop` once each."""

    def __init__(
        self, ground: Ground, policy: Policy, *, executor: Executor | None = None, worker_id: str = "", host: str = ""
    ) -> None:
        self._ground, self._policy, self._executor = ground, policy, executor
        self._worker_id, self._host = worker_id, host
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._leading = threading.Event()
        self._lock = threading.Lock()
        self._pending: list[Report] = []
        self._state = State(next_token=1)
        self._open = OpenJobs()
        self._wake_at_us: int | None = None
        self._heartbeat_us = 0
        self._housekeeping = Housekeeping(ground, policy)
        self._overseer = Overseer(ground)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to lead as soon as no other dispatcher does."""
        self._ground.database.listen(self._wake.set)
        self._threads = [threading.Thread(target=self._run, name="dispatcher", daemon=True)]
        if self._executor is not None:
            self._threads.append(threading.Thread(target=self._observe, name="observations", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the loop. Work that still runs is found again by the next dispatcher."""
        self._stopping.set()
        self._wake.set()
        if self._executor is not None:
            self._executor.wake()
        for thread in self._threads:
            thread.join(timeout=10)
        if self._executor is not None:
            with contextlib.suppress(StoreUnavailable):
                self._ground.database.writer.run(lambda conn: workers.mark_lost(conn, self._worker_id))

    @property
    def leading(self) -> bool:
        """Whether this dispatcher decides now."""
        return self._leading.is_set()

    def why_waiting(self, job_id: str) -> str | None:
        """Why a queued job has not started, in plain words; None when this process does not know."""
        if not self.leading:
            return None
        with self._lock:
            return self._state.why_waiting(job_id)

    def _observe(self) -> None:
        assert self._executor is not None
        while not self._stopping.is_set():
            try:
                seen = self._executor.observe(0.5)
            except Exception:
                log.exception("the executor cannot be heard; trying again")
                self._stopping.wait(1.0)
                continue
            if seen:
                reports = self._overseer.reports(seen)
                with self._lock:
                    self._pending += reports
                self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                held = self._ground.database.lead()
                if held is None:
                    self._stopping.wait(1.0)
                    continue
                with held:
                    self._lead()
            except Deposed:
                log.warning("another dispatcher leads now")
            except StoreUnavailable as refused:
                log.error("the store cannot be used; trying again", reason=str(refused))
                self._stopping.wait(1.0)
            except Exception:
                log.exception("the dispatcher stumbled over a bug; it starts over from the store")
                self._stopping.wait(1.0)
            finally:
                self._leading.clear()

    def _lead(self) -> None:
        holder = f"{self._host}:{self._worker_id}"
        epoch = self._ground.database.writer.run(lambda conn: leader.acquire(conn, "dispatcher", holder))
        self._recover(epoch)
        self._leading.set()
        while not self._stopping.is_set():
            self._wake.clear()
            if not self._cycle(epoch):
                self._wake.wait(self._patience_s())

    def _patience_s(self) -> float:
        if self._wake_at_us is None:
            return POLL_S
        return max(0.0, min(POLL_S, (self._wake_at_us - self._ground.now_us()) / 1e6))

    def _recover(self, epoch: int) -> None:
        """State from the store; what was lost with an earlier run is requeued in the same commit."""
        now = self._ground.now_us()

        def unit(conn: Connection) -> tuple[State, OpenJobs, Effects]:
            leader.hold(conn, "dispatcher", epoch)
            if self._executor is not None:
                offer = self._executor.capabilities()
                row = WorkerRow(
                    self._worker_id, self._host, 0, offer.slots, offer.pipeline, offer.backends, "up", now, now
                )
                workers.upsert_worker(conn, row)
            here = self._worker_id if self._executor is not None else None
            state, memory, decisions = recovery.rebuild(conn, self._ground, self._policy, here)
            work = CarryOut(self._ground, memory, now, {})
            work.take(decisions)
            work.write(conn)
            known = [row.seq for row in inbox.read(conn, ALL) if row.kind in letters.TOLD_BY_THE_STORE]
            inbox.delete(conn, known)
            for row in workers.list_workers(conn):
                if row.state == "up" and row.id.startswith(recovery.LOCAL) and row.id != here:
                    workers.mark_lost(conn, row.id)
            return state, memory, work.effects

        state, self._open, effects = self._ground.database.writer.run(unit)
        with self._lock:
            self._state = state
        self._wake_at_us = None
        self._agree_with_executor(now)
        self._carry_out(effects)

    def _agree_with_executor(self, now: int) -> None:
        """Where the executor and the rebuilt state differ, the state is right about what is wanted and the executor
        about what is there.

        It may hold attempts that the state has given up: their tokens are dead, so they are ended. And it may never
        have got an order that was leased (the cycle ended between the commit and the order), or its report may have
        been lost with a cycle: nobody else would ever speak of such an attempt, so it is given up here.
        """
        if self._executor is None:
            return
        ours = {
            attempt.attempt_id: attempt.token
            for attempt in self._state.attempts.values()
            if attempt.worker.worker_id == self._worker_id
        }
        held = {one.attempt_id: one.token for one in self._executor.inventory()}
        for attempt_id, token in held.items():
            if ours.get(attempt_id) != token:
                self._executor.stop(attempt_id, token)
        missing = [
            Report("failed", now, attempt_id, token, failure="lost", reason="the order did not reach the worker")
            for attempt_id, token in ours.items()
            if held.get(attempt_id) != token
        ]
        with self._lock:
            # Behind what was observed: a report that is only still to be told counts.
            self._pending += missing

    def _cycle(self, epoch: int) -> bool:
        """One round; True when something was written."""
        now = self._ground.now_us()
        cycle = self._gather(now)
        work = CarryOut(self._ground, self._open, now, latest(cycle.reports), begun(cycle.reports))
        work.take(cycle.decisions)
        if not work.idle or cycle.seqs:
            try:
                for report in cycle.heard:
                    if isinstance(report.result, bytes):
                        self._ground.blobs.stage(report.result)
                self._ground.database.writer.run(lambda conn: self._write(conn, epoch, cycle, work))
            except BaseException:
                with self._lock:
                    self._pending[:0] = cycle.heard
                raise
        for report in cycle.heard:
            if isinstance(report.result, Path):
                report.result.unlink(missing_ok=True)  # stored by now, or of an attempt that no longer counts
        self._carry_out(work.effects)
        self._housekeeping.maybe(now)
        return bool(cycle.seqs or cycle.reports)

    def _gather(self, now: int) -> _Cycle:
        cycle = _Cycle()
        with self._ground.database.read() as conn:
            told = [letters.read(row) for row in inbox.read(conn, INBOX_BATCH)]
        cycle.seqs = [letter.seq for letter in told]
        with self._lock:
            for letter in told:
                if isinstance(letter.what, Report):
                    cycle.reports.append(letter.what)
                    self._tell(cycle, letter.what.event())
                    continue
                if isinstance(letter.what, JobSubmitted) and letter.work_hash is not None:
                    self._open.work_hash[letter.what.job_id] = letter.work_hash
                self._tell(cycle, letter.what)
            pending, self._pending = self._pending, []
            cycle.heard = [storable(report, self._ground.rules.result_max_bytes) for report in pending]
            cycle.reports += cycle.heard
            for report in cycle.heard:
                self._tell(cycle, report.event())
            if self._executor is not None and now - self._heartbeat_us > HEARTBEAT_US:
                self._heartbeat_us = now
                self._tell(cycle, WorkerSeen(now, self._worker_id))
            for event in self._housekeeping.silent_workers(now):
                self._tell(cycle, event)
            self._tell(cycle, PlanRound(now))
        return cycle

    def _tell(self, cycle: _Cycle, event: Event) -> None:
        if isinstance(event, JobSubmitted):
            cycle.touched.add(event.project_id)
        decisions = step(self._state, event, self._policy)
        cycle.touched.update(d.project_id for d in decisions if isinstance(d, StartAttempt))
        cycle.decisions.extend(decisions)

    def _write(self, conn: Connection, epoch: int, cycle: _Cycle, work: CarryOut) -> None:
        leader.hold(conn, "dispatcher", epoch)
        if cycle.seqs:
            inbox.delete(conn, cycle.seqs)
        work.write(conn)
        if cycle.touched:
            used = [UsageRow(project_id, *self._state.usage_of(project_id)) for project_id in sorted(cycle.touched)]
            usage.save(conn, used)

    def _carry_out(self, effects: Effects) -> None:
        """After the commit: an order that is sent twice or lost does no harm, for the lease decides."""
        times = [t for t in (self._wake_at_us, effects.wake_at_us) if t is not None and t > self._ground.now_us()]
        self._wake_at_us = min(times, default=None)
        if self._executor is None:
            return
        for stop in effects.stops:
            if stop.worker_id == self._worker_id:
                self._executor.stop(stop.attempt_id, stop.token)
        for start, work in self._orders([s for s in effects.starts if s.worker_id == self._worker_id]):
            if work is None:
                lost = f"the payload of {start.job_id} cannot be read"
                log.error(lost, attempt=start.attempt_id)
                now = self._ground.now_us()
                with self._lock:
                    self._pending.append(
                        Report("failed", now, start.attempt_id, start.token, failure="fault", reason=lost)
                    )
                continue
            self._executor.start(
                Order(
                    attempt_id=start.attempt_id,
                    token=start.token,
                    job_id=start.job_id,
                    backend=start.backend,
                    work=work,
                    time_limit_us=start.time_limit_us,
                    memory_mib=self._ground.rules.memory_mib,
                    quarantined=self._overseer.quarantined(),
                )
            )

    def _orders(self, starts: Sequence[StartAttempt]) -> Iterator[tuple[StartAttempt, bytes | None]]:
        """Each start with its payload; None when that is gone or damaged, which is no reason to keep others waiting."""
        missing: list[tuple[StartAttempt, str]] = []
        for start in starts:
            work_hash = self._open.work_hash[start.job_id]
            work = self._ground.works.get(work_hash)
            if work is not None:
                yield start, work
            else:
                missing.append((start, work_hash))
        if missing:
            with self._ground.database.read() as conn:
                for start, work_hash in missing:
                    try:
                        yield start, self._ground.blobs.get(conn, work_hash)
                    except BlobDamaged:
                        yield start, None
