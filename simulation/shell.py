"""A small dispatcher around the real cores: tells events, carries decisions out, keeps what must outlive a restart."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from scheduler.core import step
from scheduler.decisions import Decision, FinishJob, MarkRunning, RequeueTask, RevokeLease, StartAttempt, WakeAt
from scheduler.events import (
    AttemptFailed,
    AttemptRestored,
    BackendState,
    BackendStateChanged,
    CancelRequested,
    Event,
    FailureKind,
    JobSubmitted,
    PlanRound,
    ProjectWeightSet,
    UsageRestored,
    WorkerLost,
    WorkerSeen,
)
from scheduler.policy import Policy
from scheduler.state import State
from simulation.agenda import Agenda
from simulation.auditor import Auditor
from simulation.fleet import Worker
from simulation.treasury import Treasury
from simulation.workload import Submission

TRAIL = 16
"""So many of the last steps are told when a law is broken."""

ORDER_DELAY_US = 2_000


@dataclass(eq=False, slots=True)
class Record:
    """What the store would hold about one job that has not ended."""

    submitted: JobSubmitted
    attempts_made: int = 0
    failures: list[FailureKind] = field(default_factory=list)
    out: StartAttempt | None = None
    lease_until_us: int = 0
    started: bool = False
    cancelling: bool = False


class Shell:
    """The service of a simulated world. `deliver` takes events in; everything else follows."""

    def __init__(self, agenda: Agenda, policy: Policy, treasury: Treasury, submissions: dict[str, Submission]) -> None:
        self.agenda = agenda
        self.policy = policy
        self.treasury = treasury
        self.submissions = submissions
        self.auditor = Auditor(agenda.now_us, policy)
        self.state = State(next_token=1)
        self.workers: dict[str, Worker] = {}
        self.records: dict[str, Record] = {}
        self.weights: dict[str, int] = {}
        self.closed_backends: dict[str, BackendState] = {}
        self.last_token = 0
        self.last_finish: FinishJob | None = None
        self.trail: deque[tuple[Event, tuple[Decision, ...]]] = deque(maxlen=TRAIL)
        self.lives = 1
        self.steps = 0
        self.digest = 0
        self._plan_at_us: int | None = None

    def submit(self, submission: Submission) -> None:
        """A request comes in: a hold and a job, or a refusal. The same request again finds its job."""
        if self.treasury.admit(self.agenda.now_us, submission):
            event = JobSubmitted(
                self.agenda.now_us,
                submission.job_id,
                submission.project_id,
                submission.priority,
                (submission.spec,),
            )
            self.records[submission.job_id] = Record(event)
            self.deliver(event)

    def deliver(self, event: Event) -> None:
        """Tell the scheduler, and plan soon: what comes in at nearly the same moment is planned together."""
        self._remember(event)
        self._tell(event)
        if not isinstance(event, WorkerSeen) or self.state.queued_count:
            self._plan_by(self.agenda.now_us + 1_000)

    def _remember(self, event: Event) -> None:
        """What the store writes when it takes the event in."""
        match event:
            case CancelRequested(job_id=job_id):
                if job_id in self.records:
                    self.records[job_id].cancelling = True
            case BackendStateChanged(backend=backend, state=state):
                self.closed_backends[backend] = state
            case ProjectWeightSet(project_id=project_id, weight=weight):
                self.weights[project_id] = weight
            case WorkerSeen(worker_id=worker_id):
                for record in self.records.values():
                    if record.out is not None and record.out.worker_id == worker_id and not record.cancelling:
                        record.lease_until_us = event.at_us + self.policy.lease_us
            case _:
                pass

    def _plan_by(self, at_us: int) -> None:
        if self._plan_at_us is None or at_us < self._plan_at_us:
            self._plan_at_us = at_us
            self.agenda.at(at_us, self._plan)

    def _plan(self) -> None:
        if self._plan_at_us is not None and self._plan_at_us <= self.agenda.now_us:
            self._plan_at_us = None
            self._tell(PlanRound(self.agenda.now_us))

    def _tell(self, event: Event) -> None:
        decisions = step(self.state, event, self.policy)
        self.trail.append((event, decisions))
        self.steps += 1
        self.auditor.after(self.state, event, decisions)
        for decision in decisions:
            self._carry_out(event, decision)

    def _carry_out(self, event: Event, decision: Decision) -> None:
        match decision:
            case StartAttempt():
                self._note(f"{decision.attempt_id} {decision.worker_id} {decision.backend} {event.at_us}")
                record = self.records[decision.job_id]
                record.out, record.started = decision, False
                record.lease_until_us = decision.lease_until_us
                record.attempts_made += 1
                self.last_token = decision.token
                self._order(decision)
            case MarkRunning(job_id=job_id):
                self.records[job_id].started = True
            case RequeueTask(job_id=job_id):
                record = self.records[job_id]
                if record.started:
                    kind: FailureKind | None = event.kind if isinstance(event, AttemptFailed) else None
                    if kind is None and isinstance(event, PlanRound | WorkerLost):
                        kind = "lost"
                    if kind is not None:
                        record.failures.append(kind)
                record.out = None
            case FinishJob(job_id=job_id):
                self._note(f"{job_id} {decision.outcome} {decision.used_us} {event.at_us}")
                del self.records[job_id]
                self.treasury.close(self.agenda.now_us, decision, self.submissions[job_id])
                self.last_finish = decision
            case RevokeLease(attempt_id=attempt_id, token=token, worker_id=worker_id):
                self._reach(worker_id, lambda worker: worker.stop(attempt_id, token))
            case WakeAt(at_us=at_us):
                self._plan_by(at_us)

    def _note(self, line: str) -> None:
        self.digest = zlib.crc32(line.encode(), self.digest)

    def _order(self, start: StartAttempt) -> None:
        self._reach(start.worker_id, lambda worker: worker.start(start))

    def _reach(self, worker_id: str, act: Callable[[Worker], None]) -> None:
        """Send something to a worker; it gets there when the worker can be reached, or dies with us."""
        worker = self.workers[worker_id]
        at_us = max(self.agenda.now_us + ORDER_DELAY_US, worker.cut_off_until_us)
        sent_by = self.lives

        def arrive() -> None:
            if sent_by == self.lives:
                act(worker)

        self.agenda.at(at_us, arrive)

    def restart(self) -> None:
        """Die and come back: a new scheduler is told what the store knows, then workers are asked what they hold."""
        now_us = self.agenda.now_us
        usages = [(project_id, *self.state.usage_of(project_id)) for project_id in self.state.projects]
        self.lives += 1
        self.state = State(next_token=self.last_token + 1)
        self.auditor.restarted(now_us)
        self._plan_at_us = None
        for project_id, weight in self.weights.items():
            self._tell(ProjectWeightSet(now_us, project_id, weight))
        for project_id, usage, at_us in usages:
            self._tell(UsageRestored(at_us, project_id, usage))
        for backend, backend_state in self.closed_backends.items():
            self._tell(BackendStateChanged(now_us, backend, backend_state))
        for record in self.records.values():
            spec = replace(
                record.submitted.tasks[0], attempts_made=record.attempts_made, failures=tuple(record.failures)
            )
            self._tell(replace(record.submitted, at_us=now_us, tasks=(spec,)))
        for record in list(self.records.values()):
            self._restore_lease(record)
        for worker in self.workers.values():
            if worker.alive and worker.cut_off_until_us <= now_us:
                self.reconnect(worker)
        for record in list(self.records.values()):
            if record.cancelling:
                self._tell(CancelRequested(now_us, record.submitted.job_id))
        self.auditor.recovered()
        if self.last_finish is not None:
            self.treasury.close_again(now_us, self.last_finish, self.submissions[self.last_finish.job_id])
        self._plan_by(now_us)

    def _restore_lease(self, record: Record) -> None:
        out = record.out
        if out is not None:
            self._tell(
                AttemptRestored(
                    self.agenda.now_us,
                    out.attempt_id,
                    out.task_id,
                    out.token,
                    out.worker_id,
                    out.backend,
                    record.lease_until_us,
                    record.started,
                    tuple(record.failures),
                )
            )

    def reconnect(self, worker: Worker) -> None:
        """The worker joins again; orders it never got are sent again, and what it should not hold is stopped."""
        self._tell(replace(worker.joined, at_us=self.agenda.now_us))
        leased = {
            record.out.token: record.out
            for record in self.records.values()
            if record.out is not None and record.out.worker_id == worker.worker_id
        }
        for start in leased.values():
            self._order(start)
        for order in worker.held():
            if order.token not in leased:
                worker.stop(order.attempt_id, order.token)
