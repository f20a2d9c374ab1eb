"""The auditor objects to what must never happen, even where the scheduler's own state agrees with itself."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.core import step
from scheduler.decisions import FinishJob, MarkRunning, RequeueTask, RevokeLease, StartAttempt, WakeAt
from scheduler.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CancelRequested,
    Event,
    JobSubmitted,
    PlanRound,
    TaskSpec,
    WorkerJoined,
)
from scheduler.policy import Policy
from scheduler.state import State
from simulation.auditor import Auditor
from simulation.laws import BrokenLaw

POLICY = Policy()


class Watched:
    """A real scheduler under audit, in which one step's decisions can be swapped for others."""

    def __init__(self) -> None:
        self.state = State()
        self.auditor = Auditor(0, POLICY)
        self.tell(WorkerJoined(0, "w", 1, 1, ("aer",)))
        self.tell(submitted("a"))

    def tell(self, event: Event, instead: tuple[Any, ...] | None = None) -> None:
        decisions = step(self.state, event, POLICY)
        self.auditor.after(self.state, event, decisions if instead is None else instead)


def submitted(job_id: str, estimate_us: int = 1_000_000, project_id: str = "p", priority: int = 0) -> JobSubmitted:
    return JobSubmitted(0, job_id, project_id, priority, (TaskSpec(f"{job_id}/0", ("aer",), estimate_us, 1_000_000),))


def start(job_id: str, token: int, **changes: Any) -> StartAttempt:
    given: dict[str, Any] = {
        "attempt_id": f"{job_id}/0.1",
        "task_id": f"{job_id}/0",
        "job_id": job_id,
        "project_id": "p",
        "worker_id": "w",
        "backend": "aer",
        "token": token,
        "lease_until_us": POLICY.lease_us,
        "time_limit_us": 1_000_000,
    }
    return StartAttempt(**(given | changes))


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def running(watched: Watched) -> Watched:
    watched.tell(PlanRound(0))
    watched.tell(AttemptStarted(1, "a/0.1", 1))
    return watched


def test_an_honest_life_passes(running: Watched) -> None:
    running.tell(AttemptSucceeded(2, "a/0.1", 1, 5))
    assert running.auditor.ended["a"].outcome == "succeeded"
    assert running.auditor.counts["attempts"] == 1


@pytest.mark.parametrize(
    ("sentence", "decision"),
    [
        ("never there", start("nobody", 1)),
        ("worker that is gone", start("a", 1, worker_id="v")),
        ("a token came after 0", start("a", 0)),
        ("lease of the wrong length", start("a", 1, lease_until_us=5)),
        ("not feasible", start("a", 1, backend="gpu")),
        ("a job was ended by an attempt that was not its own", FinishJob("a", "succeeded", "a/0.1", None, "", 0)),
        ("ended that was not there", FinishJob("b", "succeeded", None, None, "", 0)),
        ("requeued what was not out", RequeueTask("a/0", "a", 0, "")),
    ],
)
def test_a_round_that_does_what_makes_no_sense(watched: Watched, sentence: str, decision: Any) -> None:
    with pytest.raises(BrokenLaw, match=sentence):
        watched.tell(PlanRound(0), instead=(decision, WakeAt(POLICY.lease_us)))


def test_a_slot_that_idles(watched: Watched) -> None:
    with pytest.raises(BrokenLaw, match="idles while it could run"):
        watched.tell(PlanRound(0), instead=())


def test_a_lease_without_a_wake_up(watched: Watched) -> None:
    with pytest.raises(BrokenLaw, match="no wake-up is due"):
        watched.tell(PlanRound(0), instead=(start("a", 1),))


def test_a_lease_that_should_be_over(running: Watched) -> None:
    with pytest.raises(BrokenLaw, match="is still out"):
        running.tell(PlanRound(POLICY.lease_us), instead=(WakeAt(POLICY.lease_us + 1),))


def test_the_same_task_out_twice(running: Watched) -> None:
    with pytest.raises(BrokenLaw, match="out already"):
        running.tell(PlanRound(2), instead=(start("a", 2, attempt_id="a/0.2", lease_until_us=POLICY.lease_us + 2),))


def test_more_on_a_worker_than_it_offers(running: Watched) -> None:
    running.tell(submitted("b"))
    with pytest.raises(BrokenLaw, match="over capacity, load 2"):
        running.tell(PlanRound(2), instead=(start("b", 2, lease_until_us=POLICY.lease_us + 2),))


def test_a_short_task_waiting_behind_a_long_one(running: Watched) -> None:
    running.tell(submitted("b", estimate_us=10))
    with pytest.raises(BrokenLaw, match="waits behind long ones"):
        running.tell(PlanRound(2), instead=(start("b", 2, lease_until_us=POLICY.lease_us + 2),))


def test_somebody_with_a_better_claim_passed_over(watched: Watched) -> None:
    watched.tell(submitted("first", priority=1))
    with pytest.raises(BrokenLaw, match="was placed before"):
        watched.tell(PlanRound(0), instead=(start("a", 1), WakeAt(POLICY.lease_us)))
    other = Watched()
    other.auditor.shares.add("p", 1e9)
    other.tell(submitted("poor", project_id="q"))
    with pytest.raises(BrokenLaw, match="p was served, though q has used less"):
        other.tell(PlanRound(0), instead=(start("a", 1), WakeAt(POLICY.lease_us)))


def test_placing_outside_a_round(watched: Watched) -> None:
    with pytest.raises(BrokenLaw, match="led to"):
        watched.tell(submitted("b"), instead=(start("a", 1),))


def test_an_old_report_believed(running: Watched) -> None:
    with pytest.raises(BrokenLaw, match="an old or forged report was believed"):
        running.tell(AttemptSucceeded(2, "a/0.1", 7, 5), instead=(FinishJob("a", "succeeded", "a/0.1", None, "", 5),))


@pytest.mark.parametrize(
    ("event", "answer", "sentence"),
    [
        (AttemptSucceeded(2, "a/0.1", 1, 5), (), "the end of an attempt"),
        (AttemptSucceeded(2, "a/0.1", 1, 5), (FinishJob("a", "succeeded", "a/0.1", None, "", 6),), "the success of"),
        (AttemptFailed(2, "a/0.1", 1, "user", "", 5), (RequeueTask("a/0", "a", 2, ""),), "no retry can mend"),
        (AttemptFailed(2, "a/0.1", 1, "fault", "", 5), (RequeueTask("a/0", "a", 2, ""),), "without a wait"),
        (AttemptStarted(2, "a/0.1", 1), (MarkRunning("a", "a/0.1"),), "the start of"),
        (CancelRequested(2, "a"), (), "a cancel of a led to"),
        (CancelRequested(2, "a"), (FinishJob("a", "cancelled", "a/0.1", None, "", 0),), "a cancel of a led to"),
    ],
)
def test_an_answer_that_does_not_fit_the_event(running: Watched, event: Event, answer: Any, sentence: str) -> None:
    with pytest.raises(BrokenLaw, match=sentence):
        running.tell(event, instead=answer)


def test_a_cancelled_job_that_succeeds_after_all(running: Watched) -> None:
    running.tell(CancelRequested(2, "a"))
    with pytest.raises(BrokenLaw, match="was cancelled and its attempt ended"):
        running.tell(AttemptSucceeded(3, "a/0.1", 1, 5), instead=(FinishJob("a", "succeeded", "a/0.1", None, "", 5),))


def test_a_state_that_forgot_a_job(running: Watched) -> None:
    running.auditor.jobs["ghost"] = running.auditor.jobs["a"]
    with pytest.raises(BrokenLaw, match="the scheduler knows 1 attempts out, not 2"):
        running.tell(PlanRound(2))


def test_a_lease_revoked_that_is_not_out(watched: Watched) -> None:
    with pytest.raises(BrokenLaw):
        watched.tell(CancelRequested(0, "a"), instead=(RevokeLease("a/0.1", 1, "w", "cancelled"),))
