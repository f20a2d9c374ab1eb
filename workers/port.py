"""The border between the dispatcher and whatever runs work: orders go in, observations come out.

An executor never decides: it runs what it is told, stops what it is told, and says what it saw. The lease is judged by
the scheduler; a late or repeated observation is harmless because it carries the fencing token of its lease.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from backends.trust.finding import Finding

FailureCause = Literal["user", "timeout", "memory", "crash", "fault"]
"""What ended an attempt: the startup's own input, a limit, a dead process, or trouble of the facility."""

Key = tuple[str, int]
"""(attempt_id, token): what orders, stops and observations are matched by."""


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt to run. `work` is the work document (backends/work.py); the limits hold from the attempt's start;
    engines that are `quarantined` must not be used.
    """

    attempt_id: str
    token: int
    job_id: str
    backend: str
    work: bytes
    time_limit_us: int
    memory_mib: int
    quarantined: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.time_limit_us <= 0 or self.memory_mib <= 0:
            raise ValueError(f"{self.attempt_id}: time limit {self.time_limit_us} µs, memory {self.memory_mib} MiB")

    @property
    def key(self) -> Key:
        """What its observations carry."""
        return (self.attempt_id, self.token)


@dataclass(frozen=True, slots=True)
class Started:
    """The attempt began to run. May be repeated when its process was replaced before the work had begun."""

    attempt_id: str
    token: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Final. `result` is the result document, or the path of a finished file (fsynced) that the receiver takes over.

    `used_us` is the engine's wall time (what is charged), `cpu_us` the processor time of the whole attempt.
    """

    attempt_id: str
    token: int
    at_us: int
    result: bytes | Path
    used_us: int
    cpu_us: int
    shots: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Final. `code` and `fields` are for programs, `reason` is a sentence for people."""

    attempt_id: str
    token: int
    at_us: int
    kind: FailureCause
    code: str
    reason: str
    fields: dict[str, Any] = field(default_factory=dict)
    used_us: int = 0


@dataclass(frozen=True, slots=True)
class Stopped:
    """Final: a stop was carried out. `used_us` is 0 when the attempt had not started."""

    attempt_id: str
    token: int
    at_us: int
    used_us: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Final for this executor: it gave the attempt up without learning how it ended. A hint; the lease decides."""

    attempt_id: str
    token: int
    at_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class Watched:
    """After the end: what a shadow run of the order has found. Changes nothing about the attempt."""

    attempt_id: str
    token: int
    at_us: int
    finding: Finding


Final = Succeeded | Failed | Stopped | Lost
Observation = Started | Final
Seen = Observation | Watched


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How much fits: `slots` run at once, `pipeline` further short orders may wait, `backends` by name."""

    slots: int
    pipeline: int
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """An order the executor has and has not finally reported."""

    attempt_id: str
    token: int
    started: bool


def memory_reason(memory_mib: int) -> str:
    """The one wording of a reached memory limit, whoever noticed it."""
    return f"needed more than the {memory_mib} MiB of memory it may use"


@runtime_checkable
class Executor(Protocol):
    """Runs orders somewhere. Every method may be called from any thread; all are idempotent on (attempt_id, token)."""

    def capabilities(self) -> Capabilities:
        """What fits; constant over the executor's life."""
        ...

    def inventory(self) -> tuple[Held, ...]:
        """The orders held now, oldest first: what a recovering dispatcher compares its leases with."""
        ...

    def start(self, order: Order) -> None:
        """Take an order; never blocks on work. A known (attempt_id, token) is left alone, finished or not."""
        ...

    def stop(self, attempt_id: str, token: int) -> None:
        """End it soon, however busy it is. The final observation follows: Stopped, or the outcome that came first.

        Unknown and finished ones are left alone.
        """
        ...

    def observe(self, timeout_s: float) -> list[Seen]:
        """Everything seen since the last call, in order; waits up to `timeout_s` for the first. Empty when woken."""
        ...

    def wake(self) -> None:
        """Make the present call of `observe` (or the next one, if none waits) return at once."""
        ...

    def close(self) -> None:
        """Give up what is held (each reported Lost), end every process, free every descriptor. May be repeated."""
        ...
