"""The whole road through `step`: one job's life told to the letter, then every law of the scheduler under chance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scheduler.core import step
from scheduler.decisions import (
    Decision,
    FinishJob,
    MarkRunning,
    RequeueTask,
    RevokeLease,
    StartAttempt,
    WakeAt,
)
from scheduler.events import (
    AttemptFailed,
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


def test_the_life_of_a_job_from_submission_to_success(story: Any) -> None:
    assert story.join(0) == ()
    assert story.submit(10, "a") == ()
    assert story.plan(20) == (
        StartAttempt("a/0.1", "a/0", "a", "p", "w", "aer", 1, 30_000_020, 60_000_000),
        WakeAt(30_000_020),
    )
    assert story.started(30, "a/0.1") == (MarkRunning("a", "a/0.1"),)
    assert story.succeeded(900, "a/0.1", used_us=870) == (FinishJob("a", "succeeded", "a/0.1", None, "", 870),)
    assert story.state.queued_count == 0
    assert story.state.running_count == 0


def test_nothing_is_placed_outside_a_plan_round(story: Any) -> None:
    story.submit(0, "a")
    assert story.join(1) == ()
    assert story.seen(2) == ()
    assert story.starts(3) == ["a/0.1"]


def test_every_round_says_when_to_wake_and_other_events_only_when_it_has_become_sooner(story: Any) -> None:
    story.join(0, slots=2)
    story.submit(0, "a")
    assert story.plan(0)[-1] == WakeAt(30_000_000)
    assert story.submit(5, "b") == ()
    assert story.plan(5)[-1] == WakeAt(30_000_000)
    story.seen(29_000_000)
    assert story.plan(30_000_000) == (WakeAt(30_000_005),)
    story.succeeded(30_000_001, "a/0.1")
    story.succeeded(30_000_001, "b/0.1")
    assert story.plan(30_000_002) == ()


def test_a_sooner_timer_moves_the_wake_up_forward(story: Any) -> None:
    story.join(0)
    story.submit(0, "a", time_limit_us=1_000_000)
    story.plan(0)
    assert story.started(100, "a/0.1") == (MarkRunning("a", "a/0.1"), WakeAt(100 + 1_000_000 + 2_000_000))


def test_time_told_backwards_counts_as_the_present(story: Any) -> None:
    story.join(1_000)
    story.submit(1_000, "a")
    (start, _) = story.plan(400)
    assert start.lease_until_us == 1_000 + story.policy.lease_us


def test_one_startups_ten_thousand_jobs_do_not_hold_up_anothers_first(story: Any) -> None:
    state, policy = story.state, story.policy
    story.join(0, slots=2, pipeline=0)
    for number in range(10_000):
        spec = TaskSpec(f"big{number}/0", ("aer",), 1_000_000, 60_000_000)
        step(state, JobSubmitted(1, f"big{number}", "big", 100, (spec,)), policy)
    assert [decision.attempt_id for decision in step(state, PlanRound(2), policy) if isinstance(decision, StartAttempt)]
    spec = TaskSpec("first/0", ("aer",), 1_000_000, 60_000_000)
    step(state, JobSubmitted(3, "first", "small", -100, (spec,)), policy)
    step(state, AttemptSucceeded(1_000_000, "big0/0.1", 1, 1_000_000), policy)
    placed = [decision for decision in step(state, PlanRound(1_000_000), policy) if isinstance(decision, StartAttempt)]
    assert [start.attempt_id for start in placed] == ["first/0.1"]
    check(state)


def test_two_backlogged_projects_share_by_weight(tell_story: Any) -> None:
    story = tell_story(Policy(half_life_us=10**15))
    story.join(0, slots=1)
    story.tell(ProjectWeightSet(0, "heavy", 300))
    for number in range(40):
        story.submit(0, f"h{number}", project_id="heavy")
        story.submit(0, f"l{number}", project_id="light")
    now_us, ran = 0, []
    for _ in range(40):
        (attempt_id,) = story.starts(now_us)
        ran.append(attempt_id[0])
        now_us += 1_000_000
        story.seen(now_us)
        story.succeeded(now_us, attempt_id)
    assert ran.count("h") == 30
    assert ran.count("l") == 10


BACKENDS = ("aer", "mps")
POLICY = Policy(lease_us=1_000, backoff_us=100, backoff_max_us=400, grace_us=50, short_task_us=100, half_life_us=5_000)


class SchedulerMachine(RuleBasedStateMachine):
    """Chance plays submitter, fleet and network, and keeps its own small account of what was decided."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State(next_token=7)
        self.now_us = 1_000_000
        self.told: list[Event] = []
        self.heard: list[tuple[Decision, ...]] = []
        self.jobs: dict[str, str] = {}  # job -> queued | held | ended
        self.out: dict[str, StartAttempt] = {}  # job -> the one attempt that may run
        self.all_starts: list[StartAttempt] = []
        self.workers: dict[str, tuple[int, int, tuple[str, ...]]] = {}
        self.specs: dict[str, TaskSpec] = {}
        self.closed: set[str] = set()
        self.wake_us: int | None = None

    def tell(self, event: Event) -> None:
        decisions = step(self.state, event, POLICY)
        self.told.append(event)
        self.heard.append(decisions)
        for decision in decisions:
            self.account(decision)

    def account(self, decision: Decision) -> None:
        match decision:
            case StartAttempt():
                assert self.jobs[decision.job_id] == "queued", "started a task that was not waiting"
                assert not self.all_starts or decision.token > self.all_starts[-1].token
                assert decision.backend in self.specs[decision.job_id].backends
                assert decision.backend not in self.closed
                assert decision.backend in self.workers[decision.worker_id][2]
                assert decision.attempt_id not in {start.attempt_id for start in self.all_starts}
                self.jobs[decision.job_id] = "held"
                self.out[decision.job_id] = decision
                self.all_starts.append(decision)
                self.within_capacity(decision.worker_id)
            case RequeueTask():
                assert self.jobs[decision.job_id] == "held"
                self.jobs[decision.job_id] = "queued"
                del self.out[decision.job_id]
            case FinishJob():
                assert self.jobs[decision.job_id] != "ended", "a job ended twice"
                self.jobs[decision.job_id] = "ended"
                start = self.out.pop(decision.job_id, None)
                assert decision.attempt_id == (start.attempt_id if start else None)
            case MarkRunning():
                assert self.out[decision.job_id].attempt_id == decision.attempt_id
            case RevokeLease():
                assert decision.token in {start.token for start in self.all_starts}
            case WakeAt():
                self.wake_us = decision.at_us

    def within_capacity(self, worker_id: str) -> None:
        slots, pipeline, _ = self.workers[worker_id]
        here = [self.specs[job_id] for job_id, start in self.out.items() if start.worker_id == worker_id]
        load = sum(spec.slots for spec in here)
        long_load = sum(spec.slots for spec in here if spec.slots > 1 or spec.estimate_us > POLICY.short_task_us)
        assert load <= slots + pipeline
        assert long_load <= slots

    @initialize(slots=st.integers(1, 3), pipeline=st.integers(0, 2))
    def first_worker(self, slots: int, pipeline: int) -> None:
        self.join("w0", slots, pipeline, BACKENDS)

    def join(self, worker_id: str, slots: int, pipeline: int, backends: tuple[str, ...]) -> None:
        self.workers[worker_id] = (slots, pipeline, backends)
        self.tell(WorkerJoined(self.now_us, worker_id, slots, pipeline, backends))

    @rule(
        project=st.sampled_from(["a", "b", "c"]),
        priority=st.integers(-1, 1),
        estimate_us=st.sampled_from([0, 50, 100, 500]),
        slots=st.sampled_from([1, 1, 1, 2]),
        backends=st.sampled_from([BACKENDS, ("aer",), ("mps",)]),
    )
    def submit(self, project: str, priority: int, estimate_us: int, slots: int, backends: tuple[str, ...]) -> None:
        job_id = f"j{len(self.jobs)}"
        self.specs[job_id] = TaskSpec(f"{job_id}/0", backends, estimate_us, 2_000, slots)
        self.jobs[job_id] = "queued"
        self.tell(JobSubmitted(self.now_us, job_id, project, priority, (self.specs[job_id],)))

    @rule(worker=st.sampled_from(["w0", "w1", "w2"]), slots=st.integers(1, 3), pipeline=st.integers(0, 2))
    def worker_joins(self, worker: str, slots: int, pipeline: int) -> None:
        if worker not in self.workers:
            self.join(worker, slots, pipeline, BACKENDS if worker != "w2" else ("mps",))

    @rule(worker=st.sampled_from(["w0", "w1", "w2"]))
    def worker_lost(self, worker: str) -> None:
        self.workers.pop(worker, None)
        self.tell(WorkerLost(self.now_us, worker, "chance"))

    @rule(worker=st.sampled_from(["w0", "w1", "w2"]))
    def worker_seen(self, worker: str) -> None:
        self.tell(WorkerSeen(self.now_us, worker))

    @rule(number=st.integers(0, 30))
    def cancel(self, number: int) -> None:
        self.tell(CancelRequested(self.now_us, f"j{number}"))

    @rule(backend=st.sampled_from(BACKENDS), state=st.sampled_from(["online", "draining", "offline"]))
    def backend_changes(self, backend: str, state: Any) -> None:
        (self.closed.discard if state == "online" else self.closed.add)(backend)
        self.tell(BackendStateChanged(self.now_us, backend, state))

    @precondition(lambda self: self.all_starts)
    @rule(
        drawing=st.data(), kind=st.sampled_from(["started", "succeeded", "stopped", "user", "crash", "fault", "memory"])
    )
    def report(self, drawing: st.DataObject, kind: Any) -> None:
        """About any attempt there ever was: late and repeated reports are among them."""
        recent = self.all_starts[-6:]
        start = drawing.draw(st.sampled_from(recent))
        living = self.out.get(start.job_id) is start
        before = len(self.heard)
        match kind:
            case "started":
                self.tell(AttemptStarted(self.now_us, start.attempt_id, start.token))
            case "succeeded":
                self.tell(AttemptSucceeded(self.now_us, start.attempt_id, start.token, 70))
            case "stopped":
                self.tell(AttemptStopped(self.now_us, start.attempt_id, start.token, 20))
            case _:
                self.tell(AttemptFailed(self.now_us, start.attempt_id, start.token, kind, "chance", 30))
        if not living:
            assert self.heard[before] == (), "an old report was believed"
        elif kind == "user":
            (finish,) = self.heard[before]
            assert isinstance(finish, FinishJob), "a user's own error was tried again"

    @precondition(lambda self: self.all_starts)
    @rule(wrong=st.integers(-3, 3))
    def report_with_a_wrong_token(self, wrong: int) -> None:
        start = self.all_starts[-1]
        if wrong:
            self.tell(AttemptSucceeded(self.now_us, start.attempt_id, start.token + wrong, 70))
            assert self.heard[-1] == ()

    @rule(passed_us=st.sampled_from([0, 10, 100, 500, 1_000, 5_000]))
    def time_passes_and_a_round_is_planned(self, passed_us: int) -> None:
        self.now_us += passed_us
        if self.wake_us is not None and self.wake_us <= self.now_us:
            self.wake_us = None
        self.tell(PlanRound(self.now_us))
        for job_id, start in self.out.items():
            assert self.state.attempts[start.attempt_id].lease_until_us > self.now_us, f"{job_id}'s lease is over"

    @invariant()
    def the_state_agrees_with_itself(self) -> None:
        check(self.state)

    @invariant()
    def the_state_agrees_with_the_decisions(self) -> None:
        assert self.state.queued_count == sum(1 for where in self.jobs.values() if where == "queued")
        assert self.state.running_count == len(self.out)

    @invariant()
    def some_wake_up_is_due_no_later_than_any_lease(self) -> None:
        if self.out:
            assert self.wake_us is not None
            assert self.wake_us <= min(self.state.attempts[a.attempt_id].lease_until_us for a in self.out.values())

    def teardown(self) -> None:
        """With a healthy fleet every job ends, once; and the same story told again gives the same decisions."""
        for backend in BACKENDS:
            self.closed.discard(backend)
            self.tell(BackendStateChanged(self.now_us, backend, "online"))
        for worker_id in list(self.workers):
            self.worker_lost(worker_id)
        self.join("last", 3, 1, BACKENDS)
        for _ in range(40 * (1 + len(self.jobs))):
            if all(where == "ended" for where in self.jobs.values()):
                break
            self.tell(WorkerSeen(self.now_us, "last"))
            self.time_passes_and_a_round_is_planned(400)
            for start in list(self.out.values()):
                self.tell(AttemptStarted(self.now_us, start.attempt_id, start.token))
                self.tell(AttemptSucceeded(self.now_us, start.attempt_id, start.token, 50))
        assert all(where == "ended" for where in self.jobs.values()), "a job never ended"
        check(self.state)
        again = State(next_token=7)
        assert [step(again, event, POLICY) for event in self.told] == self.heard


TestSchedulerMachine = SchedulerMachine.TestCase
TestSchedulerMachine.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_an_event_that_breaks_its_own_rules_raises_and_changes_nothing(story: Any) -> None:
    with pytest.raises(ValueError, match="exactly one task"):
        step(story.state, JobSubmitted(0, "a", "p", 0, ()), story.policy)
    assert story.state.queued_count == 0
    check(story.state)
