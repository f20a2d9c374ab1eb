"""What a backend is to the rest of the room: something with a target that runs decoded work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from backends.catalogue import BackendSpec
from backends.limits import Limits
from backends.trust.finding import Finding
from backends.work import Work


@dataclass(frozen=True, slots=True)
class Execution:
    """What one run gave: the result document, the engine's own time in µs, and the shots spent.

    `afterwards`, if there is any, is to be called once the result has been told: it runs parts again on other engines.
    """

    result: bytes
    qpu_us: int
    shots: int
    afterwards: Callable[[], Iterator[Finding]] | None = None


class Backend(Protocol):
    """One way to run circuits. Equal work with an equal seed gives equal bytes."""

    @property
    def spec(self) -> BackendSpec:
        """Its entry in the catalogue."""

    @property
    def version(self) -> str:
        """The version of the engine behind it."""

    def run(self, work: Work, limits: Limits) -> Execution:
        """Run all PUBs; raises `Rejected` for what is the sender's to mend and MemoryError when memory ran out."""
