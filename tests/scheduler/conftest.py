"""A story-teller for the scheduler: short words for events, all decisions remembered, invariants checked each time."""

from __future__ import annotations

import pytest

from scheduler.core import step
from scheduler.decisions import Decision, StartAttempt
from scheduler.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptStopped,
    AttemptSucceeded,
    BackendStateChanged,
    CancelRequested,
    Event,
    FailureKind,
    JobSubmitted,
    PlanRound,
    TaskSpec,
    WorkerJoined,
    WorkerLost,
    WorkerSeen,
)
from scheduler.invariants import check
from scheduler.policy import Policy
from scheduler.state import State

LONG_US = 1_000_000
SHORT_US = 10_000

Decisions = tuple[Decision, ...]


class Story:
    def __init__(self, policy: Policy | None = None, next_token: int = 1) -> None:
        self.policy = policy or Policy()
        self.state = State(next_token)
        self.tokens: dict[str, int] = {}
        self.events: list[Event] = []
        self.decisions: list[Decision] = []

    def tell(self, event: Event) -> Decisions:
        decisions = step(self.state, event, self.policy)
        check(self.state)
        for decision in decisions:
            if isinstance(decision, StartAttempt):
                self.tokens[decision.attempt_id] = decision.token
        self.events.append(event)
        self.decisions += decisions
        return decisions

    def submit(
        self,
        at_us: int,
        job_id: str,
        project_id: str = "p",
        priority: int = 0,
        backends: tuple[str, ...] = ("aer",),
        estimate_us: int = LONG_US,
        time_limit_us: int = 60_000_000,
        slots: int = 1,
    ) -> Decisions:
        spec = TaskSpec(f"{job_id}/0", backends, estimate_us, time_limit_us, slots)
        return self.tell(JobSubmitted(at_us, job_id, project_id, priority, (spec,)))

    def join(
        self, at_us: int, worker_id: str = "w", slots: int = 1, pipeline: int = 0, backends: tuple[str, ...] = ("aer",)
    ) -> Decisions:
        return self.tell(WorkerJoined(at_us, worker_id, slots, pipeline, backends))

    def seen(self, at_us: int, worker_id: str = "w") -> Decisions:
        return self.tell(WorkerSeen(at_us, worker_id))

    def lose(self, at_us: int, worker_id: str = "w", reason: str = "gone") -> Decisions:
        return self.tell(WorkerLost(at_us, worker_id, reason))

    def cancel(self, at_us: int, job_id: str) -> Decisions:
        return self.tell(CancelRequested(at_us, job_id))

    def backend(self, at_us: int, backend: str, state: str) -> Decisions:
        return self.tell(BackendStateChanged(at_us, backend, state))  # type: ignore[arg-type]

    def plan(self, at_us: int) -> Decisions:
        return self.tell(PlanRound(at_us))

    def starts(self, at_us: int) -> list[str]:
        """Plan, and name only what starts: attempt ids, in order."""
        return [decision.attempt_id for decision in self.plan(at_us) if isinstance(decision, StartAttempt)]

    def started(self, at_us: int, attempt_id: str) -> Decisions:
        return self.tell(AttemptStarted(at_us, attempt_id, self.tokens[attempt_id]))

    def succeeded(self, at_us: int, attempt_id: str, used_us: int = LONG_US) -> Decisions:
        return self.tell(AttemptSucceeded(at_us, attempt_id, self.tokens[attempt_id], used_us))

    def failed(
        self, at_us: int, attempt_id: str, kind: FailureKind, reason: str = "because", used_us: int = 0
    ) -> Decisions:
        return self.tell(AttemptFailed(at_us, attempt_id, self.tokens[attempt_id], kind, reason, used_us))

    def stopped(self, at_us: int, attempt_id: str, used_us: int = 0) -> Decisions:
        return self.tell(AttemptStopped(at_us, attempt_id, self.tokens[attempt_id], used_us))


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def tell_story() -> type[Story]:
    """For stories with a policy of their own."""
    return Story
