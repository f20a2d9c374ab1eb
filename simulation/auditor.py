"""Watches every event and decision with a small, slow model of its own, and objects to what must never happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from scheduler.decisions import Decision, FinishJob, MarkRunning, RequeueTask, RevokeLease, StartAttempt, WakeAt
from scheduler.events import (
    AttemptFailed,
    AttemptRestored,
    AttemptStarted,
    AttemptStopped,
    AttemptSucceeded,
    BackendStateChanged,
    CancelRequested,
    Event,
    JobSubmitted,
    PlanRound,
    ProjectWeightSet,
    TaskSpec,
    WorkerJoined,
    WorkerLost,
    WorkerSeen,
)
from scheduler.invariants import check
from scheduler.policy import Policy
from scheduler.state import State
from simulation.fairness import Shares
from simulation.laws import must

FINAL = ("user", "timeout", "memory")


@dataclass(eq=False, slots=True)
class Lease:
    """One attempt as the model sees it."""

    start: StartAttempt
    until_us: int
    worth: float
    started: bool = False
    revoked: bool = False


@dataclass(eq=False, slots=True)
class Job:
    """One job as the model sees it: queued, held by a lease, or ended."""

    submitted: JobSubmitted
    order: int
    short: bool
    not_before_us: int = 0
    lease: Lease | None = None
    cancelling: bool = False
    ended: bool = False
    failures: Counter[str] = field(default_factory=Counter)
    attempts_made: int = 0

    @property
    def spec(self) -> TaskSpec:
        return self.submitted.tasks[0]

    def goes_before(self, other: Job) -> bool:
        """Whether it ranks before another job of the same project."""
        return (-self.submitted.priority, self.order) < (-other.submitted.priority, other.order)


@dataclass(eq=False, slots=True)
class Offer:
    """One worker as the model sees it."""

    joined: WorkerJoined
    fresh_until_us: int
    leases: dict[str, Lease] = field(default_factory=dict)


class Auditor:
    """Call `after` with each event and what was decided. Raises BrokenLaw or the scheduler's own BrokenInvariant."""

    def __init__(self, start_us: int, policy: Policy) -> None:
        self.policy = policy
        self.shares = Shares(start_us, policy.half_life_us)
        self.jobs: dict[str, Job] = {}  # those not ended
        self.ended: dict[str, FinishJob] = {}
        self.offers: dict[str, Offer] = {}
        self.closed: dict[str, str] = {}
        self.last_token = 0
        self.attempts_seen: set[str] = set()
        self.wake_us: int | None = None
        self.counts: Counter[str] = Counter()
        self.recovering = False

    def after(self, state: State, event: Event, decisions: tuple[Decision, ...]) -> None:
        """Judge one step, then the state it left."""
        self._judge_answer(event, decisions)
        self._record(event)
        for decision in decisions:
            self._follow(event, decision)
        if isinstance(event, PlanRound):
            self._judge_round(event.at_us)
        check(state)
        if self.recovering:
            return
        held = sum(1 for job in self.jobs.values() if job.lease is not None)
        must(state.running_count == held, "the scheduler knows", state.running_count, "attempts out, not", held)
        queued = len(self.jobs) - held
        must(state.queued_count == queued, "the scheduler knows", state.queued_count, "jobs queued, not", queued)

    def restarted(self, at_us: int) -> None:
        """The service restarts: what it knows by heart is gone, back-offs and signs of life among it."""
        self.recovering = True
        self.offers.clear()
        self.closed.clear()
        self.wake_us = None
        for job in self.jobs.values():
            job.not_before_us = 0
            job.cancelling = False  # the shell will say it again
            if job.lease is not None:
                job.lease.worth = self.shares.worth(max(1, job.spec.estimate_us) * job.spec.slots, at_us)
                job.lease.revoked = False

    def recovered(self) -> None:
        """The new scheduler has been told everything, and must know it all from now on."""
        self.recovering = False

    def _lease_of(self, attempt_id: str, token: int) -> tuple[Job, Lease] | None:
        job = self.jobs.get(attempt_id.partition("/")[0])
        lease = job.lease if job is not None else None
        if job is None or lease is None or (lease.start.attempt_id, lease.start.token) != (attempt_id, token):
            return None
        return job, lease

    def _judge_answer(self, event: Event, decisions: tuple[Decision, ...]) -> None:
        """What this event must lead to, whatever else it does."""
        acts = [decision for decision in decisions if not isinstance(decision, WakeAt)]
        match event:
            case AttemptStarted() | AttemptSucceeded() | AttemptFailed() | AttemptStopped():
                found = self._lease_of(event.attempt_id, event.token)
                if found is None:
                    self.counts["old_news"] += 1
                    must(not acts, "an old or forged report was believed:", event, "led to", acts)
                else:
                    self._judge_report(event, *found, acts)
            case CancelRequested(job_id=job_id):
                job = self.jobs.get(job_id)
                expected = FinishJob if job is not None and job.lease is None else RevokeLease
                alive = job is not None and not job.cancelling
                must([type(act) for act in acts] == [expected] * alive, "a cancel of", job_id, "led to", acts)
            case PlanRound() | WorkerLost():
                pass
            case _:
                must(not acts, event, "led to", acts)

    def _judge_report(self, event: Event, job: Job, lease: Lease, acts: Sequence[Decision]) -> None:
        job_id = job.submitted.job_id
        if isinstance(event, AttemptStarted):
            first = not lease.started and not lease.revoked
            expected = [MarkRunning(job_id, event.attempt_id)] if first else []
            must(acts == expected, "the start of", event.attempt_id, "led to", acts)
            lease.started = True
            return
        act = acts[0] if len(acts) == 1 else None
        must(isinstance(act, FinishJob | RequeueTask), "the end of an attempt,", event, "led to", acts)
        if job.cancelling:
            ends = isinstance(act, FinishJob) and act.outcome == "cancelled"
            must(ends, "job", job_id, "was cancelled and its attempt ended, which led to", act)
        elif isinstance(event, AttemptSucceeded):
            wanted = FinishJob(job_id, "succeeded", event.attempt_id, None, "", event.used_us)
            must(act == wanted, "the success of", event.attempt_id, "led to", act)
        elif isinstance(event, AttemptFailed):
            if lease.started:
                job.failures[event.kind] += 1
            if event.kind in FINAL:
                ends = isinstance(act, FinishJob) and act.outcome == "failed" and act.kind == event.kind
                must(ends, "a failure that no retry can mend,", event, "led to", act)
            elif event.kind == "fault" and isinstance(act, RequeueTask):
                must(act.not_before_us > event.at_us, "a fault was retried without a wait:", act)
            spent = job.failures[event.kind] >= self._budget(event.kind)
            must(isinstance(act, FinishJob) or not spent, "job", job_id, "has used up its retries, yet:", act)

    def _budget(self, kind: str) -> int:
        policy = self.policy
        budgets = {"crash": policy.max_crashes, "fault": policy.max_faults, "lost": policy.max_losses}
        return budgets.get(kind, 1)

    def _record(self, event: Event) -> None:
        """What the event itself changes in the model."""
        match event:
            case JobSubmitted():
                self._submit(event)
            case CancelRequested(job_id=job_id):
                if job_id in self.jobs:
                    self.jobs[job_id].cancelling = True
            case WorkerJoined(worker_id=worker_id):
                known = self.offers.get(worker_id)
                self.offers[worker_id] = Offer(event, 0, known.leases if known is not None else {})
                self._renew(worker_id, event.at_us)
            case WorkerSeen(worker_id=worker_id):
                self._renew(worker_id, event.at_us)
            case WorkerLost(worker_id=worker_id):
                self.offers.pop(worker_id, None)
            case AttemptRestored():
                self._restore(event)
            case BackendStateChanged(backend=backend, state=backend_state):
                self.closed.pop(backend, None)
                if backend_state != "online":
                    self.closed[backend] = backend_state
            case ProjectWeightSet(project_id=project_id, weight=weight):
                self.shares.set_weight(project_id, weight)
            case _:
                pass

    def _restore(self, event: AttemptRestored) -> None:
        found = self._lease_of(event.attempt_id, event.token)
        must(found is not None, "the shell restored what is not out:", event)
        assert found is not None
        if event.worker_id not in self.offers:
            self.offers[event.worker_id] = Offer(WorkerJoined(event.at_us, event.worker_id, 0, 0, ()), 0)
        self.offers[event.worker_id].leases[event.attempt_id] = found[1]
        found[1].until_us = event.lease_until_us

    def _submit(self, event: JobSubmitted) -> None:
        must(event.job_id not in self.ended, "the shell submitted an ended job")
        if event.job_id not in self.jobs:
            spec = event.tasks[0]
            short = spec.slots == 1 and spec.estimate_us <= self.policy.short_task_us
            self.jobs[event.job_id] = Job(event, len(self.jobs) + len(self.ended), short)

    def _renew(self, worker_id: str, at_us: int) -> None:
        offer = self.offers.get(worker_id)
        if offer is None:
            return
        offer.fresh_until_us = at_us + self.policy.lease_us
        for lease in offer.leases.values():
            if not lease.revoked:
                lease.until_us = at_us + self.policy.lease_us

    def _follow(self, event: Event, decision: Decision) -> None:
        """Carry a decision out in the model, objecting where it makes no sense there."""
        at_us = event.at_us
        match decision:
            case StartAttempt():
                must(isinstance(event, PlanRound), "something was placed outside a plan round:", event)
                self._judge_start(decision, at_us)
                self._start(decision, at_us)
            case RequeueTask(job_id=job_id):
                job = self.jobs.get(job_id)
                must(job is not None and job.lease is not None, "requeued what was not out:", decision)
                assert job is not None
                must(not job.cancelling, "requeued a cancelled job:", decision)
                self._end_lease(job, self._used_us(event), at_us)
                job.not_before_us = decision.not_before_us
                self.counts["requeued"] += 1
            case FinishJob(job_id=job_id):
                job = self.jobs.get(job_id)
                must(job is not None, "a job ended that was not there, or twice:", decision)
                assert job is not None
                attempt_id = job.lease.start.attempt_id if job.lease is not None else None
                must(decision.attempt_id == attempt_id, "a job was ended by an attempt that was not its own:", decision)
                if job.lease is not None:
                    self._end_lease(job, decision.used_us, at_us)
                self.ended[job_id] = decision
                del self.jobs[job_id]
            case RevokeLease(attempt_id=attempt_id, token=token):
                found = self._lease_of(attempt_id, token)
                must(found is not None or isinstance(event, PlanRound), "revoked what was not out:", decision)
                if found is not None:
                    found[1].revoked = True
            case WakeAt(at_us=wake_us):
                self.wake_us = wake_us
            case MarkRunning():
                pass
            case _:
                assert_never(decision)

    @staticmethod
    def _used_us(event: Event) -> int:
        return event.used_us if isinstance(event, AttemptFailed | AttemptStopped) else 0

    def _start(self, start: StartAttempt, at_us: int) -> None:
        job = self.jobs[start.job_id]
        worth = self.shares.worth(max(1, job.spec.estimate_us) * job.spec.slots, at_us)
        job.lease = Lease(start, start.lease_until_us, worth)
        job.attempts_made += 1
        self.shares.add(start.project_id, worth)
        self.offers[start.worker_id].leases[start.attempt_id] = job.lease
        self.last_token = start.token
        self.attempts_seen.add(start.attempt_id)
        self.counts["attempts"] += 1

    def _end_lease(self, job: Job, used_us: int, at_us: int) -> None:
        lease, job.lease = job.lease, None
        assert lease is not None
        offer = self.offers.get(lease.start.worker_id)
        if offer is not None:
            offer.leases.pop(lease.start.attempt_id, None)
        self.shares.add(job.submitted.project_id, self.shares.worth(used_us * job.spec.slots, at_us) - lease.worth)

    def _judge_start(self, start: StartAttempt, at_us: int) -> None:
        job, offer = self.jobs.get(start.job_id), self.offers.get(start.worker_id)
        must(job is not None, "started a job that has ended or was never there:", start)
        must(offer is not None, "started on a worker that is gone:", start)
        assert job is not None
        assert offer is not None
        must(job.lease is None, "started a task that is out already:", start)
        must(not job.cancelling, "started a cancelled job:", start)
        must(job.not_before_us <= at_us, "started before the back-off was over:", start)
        must(start.token > self.last_token, "a token came after", self.last_token, "and is not greater:", start)
        must(start.attempt_id not in self.attempts_seen, "an attempt id was given twice:", start)
        must(start.lease_until_us == at_us + self.policy.lease_us, "a lease of the wrong length:", start)
        must(offer.fresh_until_us > at_us, "started on a silent worker:", start)
        must(start.backend in job.spec.backends, "started on a backend that is not feasible:", start)
        must(start.backend in offer.joined.backends, "started on a backend the worker does not offer:", start)
        must(start.backend not in self.closed, "started on a closed backend:", start)
        held = [self.jobs[lease.start.job_id] for lease in offer.leases.values()]
        load = job.spec.slots + sum(other.spec.slots for other in held)
        long_load = sum(other.spec.slots for other in [*held, job] if not other.short)
        slots, pipeline = offer.joined.slots, offer.joined.pipeline
        must(load <= slots or (job.short and load <= slots + pipeline), "over capacity, load", load, "by", start)
        must(long_load <= slots, "long tasks wait on a worker, long load", long_load, "by", start)
        must(job.short is False or load <= slots or long_load < slots, "a short task waits behind long ones:", start)
        self._judge_order(job, offer, waits=load > slots, at_us=at_us)

    def _judge_order(self, chosen: Job, offer: Offer, *, waits: bool, at_us: int) -> None:
        """Nobody with a better claim was passed over who could have had the very same place."""
        mine = chosen.submitted.project_id
        for job in self.jobs.values():
            if job is chosen or job.lease is not None or job.not_before_us > at_us:
                continue
            fits = job.spec.slots <= chosen.spec.slots and (job.short or not waits)
            if not fits or not self._may_run_on(job, offer):
                continue
            theirs = job.submitted.project_id
            if theirs == mine:
                must(not job.goes_before(chosen), chosen.submitted, "was placed before", job.submitted)
            else:
                unfair = self.shares.has_used_less(theirs, mine, at_us)
                must(not unfair, mine, "was served, though", theirs, "has used less and", job.submitted, "waits")

    def _may_run_on(self, job: Job, offer: Offer) -> bool:
        offered = offer.joined.backends
        return any(backend in offered and backend not in self.closed for backend in job.spec.backends)

    def _judge_round(self, at_us: int) -> None:
        """After a plan round no lease is overdue, and no slot idles that a waiting task could use."""
        if self.wake_us is not None and self.wake_us <= at_us:
            self.wake_us = None
        waiting: list[Job] = []
        for job in self.jobs.values():
            if job.lease is None:
                if job.not_before_us <= at_us:
                    waiting.append(job)
                continue
            until_us = job.lease.until_us
            must(until_us > at_us, "the lease of", job.lease.start.attempt_id, "ended at", until_us, "and is still out")
            wakes = self.wake_us is not None and self.wake_us <= until_us
            must(wakes, "no wake-up is due before the lease of", job.lease.start.attempt_id, "ends")
        if not waiting or any(job.spec.slots > 1 for job in waiting):
            return  # for a wide task slots may rightly be kept free
        for offer in self.offers.values():
            if offer.fresh_until_us <= at_us:
                continue
            load = sum(self.jobs[lease.start.job_id].spec.slots for lease in offer.leases.values())
            if load < offer.joined.slots:
                for job in waiting:
                    idle = self._may_run_on(job, offer)
                    must(not idle, "a slot of", offer.joined.worker_id, "idles while it could run", job.submitted)
