"""The numbers the scheduler decides by. All times in microseconds."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_WEIGHT = 100
"""The weight of a project nobody has set one for."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the scheduler decides. One policy per service; it may change between steps and takes effect at once."""

    half_life_us: int = 3_600_000_000
    """After this long without work a project's usage counts half."""
    lease_us: int = 30_000_000
    """How long a worker may stay silent before what it holds is taken back."""
    backoff_us: int = 1_000_000
    """The wait after the first fault of a task; it doubles with each further fault."""
    backoff_max_us: int = 60_000_000
    max_faults: int = 3
    """How often one task may end in a fault; the last of them fails the job."""
    max_losses: int = 3
    """How often one task may be lost with its worker; the last of them fails the job."""
    max_crashes: int = 2
    """How often one task may kill its process: one retry, then it is the task's own fault."""
    max_unstarted: int = 20
    """How often an attempt may end before it began. Such attempts do not count, but no task may come back for ever."""
    short_task_us: int = 50_000
    """A task of at most this estimate may wait on a worker beyond its slots."""
    grace_us: int = 2_000_000
    """How long after its time limit the executor has to end an attempt before the scheduler does."""

    def __post_init__(self) -> None:
        counts = ("max_faults", "max_losses", "max_crashes", "max_unstarted")
        for name in ("half_life_us", "lease_us", "backoff_us", "backoff_max_us", *counts):
            if getattr(self, name) < 1:
                raise ValueError(f"policy: {name} must be at least 1, not {getattr(self, name)}")
        for name in ("short_task_us", "grace_us"):
            if getattr(self, name) < 0:
                raise ValueError(f"policy: {name} must not be negative, not {getattr(self, name)}")
