"""The records the scheduler's state is made of. Only `step` changes them; the shell sees them through State's views."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from scheduler.events import TaskSpec
from scheduler.lane import Lane
from scheduler.policy import DEFAULT_WEIGHT

Revocation = Literal["cancel", "timeout"]


@dataclass(eq=False, slots=True)
class Demand:
    """What a task asks of a worker. Tasks of equal demand are interchangeable when looking for a place.

    `tasks` counts every living task of this demand, `waiting` those in a lane.
    """

    backends: tuple[str, ...]
    slots: int
    short: bool
    tasks: int = 0
    waiting: int = 0


@dataclass(eq=False, slots=True)
class Task:
    """One job's task: waiting in a lane, sleeping until a moment, or held by an attempt; never two of them."""

    spec: TaskSpec
    job_id: str
    project: Project
    demand: Demand
    rank: int
    attempts_made: int = 0
    faults: int = 0
    losses: int = 0
    crashes: int = 0
    unstarted: int = 0
    cancelling: bool = False
    not_before_us: int | None = None
    sleep_reason: str = ""
    attempt: Attempt | None = None


@dataclass(eq=False, slots=True)
class Attempt:
    """A lease on a place. `charge` is the score its project was charged at the start, taken back at the end."""

    attempt_id: str
    token: int
    task: Task
    worker: Worker
    backend: str
    lease_until_us: int
    charge: int
    started_us: int | None = None
    stop_by_us: int | None = None
    revoked: Revocation | None = None


@dataclass(eq=False, slots=True)
class Worker:
    """A worker's offer and what it holds. `load` counts the slots of all its attempts, `long_load` of the not short."""

    worker_id: str
    slots: int = 0
    pipeline: int = 0
    backends: tuple[str, ...] = ()
    fresh_until_us: int = 0
    load: int = 0
    long_load: int = 0
    excused: int = 0
    """Load it had when its offer was made or restored: a smaller offer does not undo what is held already."""
    attempts: dict[int, Attempt] = field(default_factory=dict)

    def has_room(self) -> bool:
        """Whether anything at all could be placed here."""
        return self.load < self.slots or (self.long_load < self.slots and self.load < self.slots + self.pipeline)


@dataclass(eq=False, slots=True)
class Project:
    """A tenant's usage, as a score (see usage.py), and its waiting tasks by demand. No lane in `lanes` is empty."""

    project_id: str
    weight: int = DEFAULT_WEIGHT
    score: int = 0
    charged_us: int = 0
    lanes: dict[Demand, Lane[Task]] = field(default_factory=dict)

    def key(self) -> int:
        """What projects are compared by: usage over weight."""
        return self.score * DEFAULT_WEIGHT // self.weight
