"""What has happened: the only things the scheduler ever learns, each with the moment `at_us` at which it is told.

All times are microseconds (`_us`) of one clock that the shell owns. Events record; placing happens at `PlanRound`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FailureKind = Literal["user", "timeout", "memory", "crash", "fault", "lost"]
"""Why an attempt failed. user, timeout and memory are final; crash, fault and lost may be tried again (see Policy)."""

BackendState = Literal["online", "draining", "offline"]
"""Nothing new is placed on a backend that is draining or offline."""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task of a job. `backends` are the feasible ones, best first; `slots` is how many of a worker it fills.

    `attempts_made` and `failures` are for recovery: a task that waits again after a restart goes on counting where it
    was, so that no attempt id is given twice.
    """

    task_id: str
    backends: tuple[str, ...]
    estimate_us: int
    time_limit_us: int
    slots: int = 1
    attempts_made: int = 0
    failures: tuple[FailureKind, ...] = ()


@dataclass(frozen=True, slots=True)
class JobSubmitted:
    """A job was admitted. Higher `priority` goes first inside its project. The same job told twice changes nothing."""

    at_us: int
    job_id: str
    project_id: str
    priority: int
    tasks: tuple[TaskSpec, ...]


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants the job to end."""

    at_us: int
    job_id: str


@dataclass(frozen=True, slots=True)
class WorkerJoined:
    """A worker offers `slots` and, beyond them, room for `pipeline` short tasks that wait on it for a free slot.

    Told again for a known worker, it replaces the offer and counts as a sign of life.
    """

    at_us: int
    worker_id: str
    slots: int
    pipeline: int
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The worker is gone, and with it every attempt it held."""

    at_us: int
    worker_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A heartbeat: renews every lease the worker holds."""

    at_us: int
    worker_id: str


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """The worker began to execute the attempt (until then it may have waited on the worker)."""

    at_us: int
    attempt_id: str
    token: int


@dataclass(frozen=True, slots=True)
class AttemptSucceeded:
    """The attempt has a result and used `used_us` of its slots' time."""

    at_us: int
    attempt_id: str
    token: int
    used_us: int


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The attempt ended without a result; `reason` is for people."""

    at_us: int
    attempt_id: str
    token: int
    kind: FailureKind
    reason: str
    used_us: int


@dataclass(frozen=True, slots=True)
class AttemptStopped:
    """A RevokeLease was carried out: the attempt no longer runs."""

    at_us: int
    attempt_id: str
    token: int
    used_us: int


@dataclass(frozen=True, slots=True)
class BackendStateChanged:
    """An operator (or a probe) changed whether a backend takes new work."""

    at_us: int
    backend: str
    state: BackendState


@dataclass(frozen=True, slots=True)
class ProjectWeightSet:
    """A project's share of the machines: twice the weight, twice the share. The default is 100."""

    at_us: int
    project_id: str
    weight: int


@dataclass(frozen=True, slots=True)
class UsageRestored:
    """Recovery: the project had used `usage` (as `State.usage_of` gave it) at `at_us`."""

    at_us: int
    project_id: str
    usage: int


@dataclass(frozen=True, slots=True)
class AttemptRestored:
    """Recovery, after the job's JobSubmitted: this lease was out when the service stopped; `failures` came before."""

    at_us: int
    attempt_id: str
    task_id: str
    token: int
    worker_id: str
    backend: str
    lease_until_us: int
    started: bool
    failures: tuple[FailureKind, ...]


@dataclass(frozen=True, slots=True)
class PlanRound:
    """Time passes: timers fire and waiting tasks are placed, here and nowhere else."""

    at_us: int


Event = (
    JobSubmitted
    | CancelRequested
    | WorkerJoined
    | WorkerLost
    | WorkerSeen
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptStopped
    | BackendStateChanged
    | ProjectWeightSet
    | UsageRestored
    | AttemptRestored
    | PlanRound
)
