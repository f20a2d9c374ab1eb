"""What is to be done: the scheduler's answer to an event. The shell commits it first and carries it out afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scheduler.events import FailureKind

Outcome = Literal["succeeded", "failed", "cancelled"]
"""How a job ends; each job gets exactly one."""


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """Lease a place on the worker. Reports count only with this `token`, until the lease ends (heartbeats renew it)."""

    attempt_id: str
    task_id: str
    job_id: str
    project_id: str
    worker_id: str
    backend: str
    token: int
    lease_until_us: int
    time_limit_us: int


@dataclass(frozen=True, slots=True)
class RevokeLease:
    """Tell the worker to stop the attempt, whether or not it still matters here."""

    attempt_id: str
    token: int
    worker_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequeueTask:
    """The task waits again, and not before `not_before_us`. The attempt it had is over."""

    task_id: str
    job_id: str
    not_before_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class FinishJob:
    """The job has ended. `attempt_id` decided it (None: it never ran); `used_us` is what that attempt used."""

    job_id: str
    outcome: Outcome
    attempt_id: str | None
    kind: FailureKind | None
    reason: str
    used_us: int


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send a PlanRound at this moment at the latest.

    Every plan round says it anew while there is any timer, other events only when it has become sooner: the shell may
    forget the moment when it plans and take what it is told last.
    """

    at_us: int


@dataclass(frozen=True, slots=True)
class MarkRunning:
    """The attempt has begun to execute."""

    job_id: str
    attempt_id: str


Decision = StartAttempt | RevokeLease | RequeueTask | FinishJob | WakeAt | MarkRunning
