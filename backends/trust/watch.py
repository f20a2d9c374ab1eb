"""What is watched while a job runs: which engines it may use, and the parts that will be run again as shadows.

The backend asks and tells here; nothing it answers depends on whether a job is watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np

from backends.engines import roster
from backends.engines.port import Engine, Expected, How, Pauli, Sampled
from backends.program import Program
from backends.registers import Bits
from backends.trust.oversight import Oversight

PARTS_MAX = 4
"""Of one job no more parts are run again."""
SHOTS_MAX = 8_192
"""Of one part no more shots are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class SampledPart:
    """A program and the first of the shots that the user was given of it."""

    program: Program
    bits: Bits
    how: How


@dataclass(frozen=True, slots=True, eq=False)
class ValuedPart:
    """A program and the values that the user was given, each within `error`."""

    program: Program
    paulis: tuple[Pauli, ...]
    values: tuple[float, ...]
    error: float
    how: How


Part = SampledPart | ValuedPart


@dataclass(slots=True)
class Watch:
    """One job under oversight."""

    oversight: Oversight
    parts: list[Part] = field(default_factory=list)

    def wants(self, how: How) -> bool:
        """Whether another part, answered so, is to be run again."""
        return len(self.parts) < PARTS_MAX and self.oversight.watches(how.engine)


_current: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watching(oversight: Oversight) -> Iterator[Watch]:
    """Everything inside happens under this oversight."""
    token = _current.set(watch := Watch(oversight))
    try:
        yield watch
    finally:
        _current.reset(token)


def usable(name: str) -> bool:
    """Whether an engine is not under quarantine."""
    watch = _current.get()
    return watch is None or name not in watch.oversight.quarantined


def installed() -> Mapping[str, Engine]:
    """The engines of this installation that are not under quarantine."""
    everyone = roster.installed()
    watch = _current.get()
    if watch is None or not watch.oversight.quarantined:
        return everyone
    return {name: engine for name, engine in everyone.items() if name not in watch.oversight.quarantined}


def wanted(how: How) -> bool:
    """Whether an answer that came about so is worth telling here."""
    watch = _current.get()
    return watch is not None and watch.wants(how)


def sampled(program: Program, answer: Sampled) -> None:
    """An engine has answered; its rows are as good as any others in any order."""
    watch = _current.get()
    if watch is not None and watch.wants(answer.how):
        watch.parts.append(SampledPart(program, np.array(answer.bits[:SHOTS_MAX]), answer.how))


def valued(program: Program, paulis: Sequence[Pauli], answer: Expected) -> None:
    """An engine has answered."""
    watch = _current.get()
    if watch is not None and watch.wants(answer.how):
        watch.parts.append(ValuedPart(program, tuple(paulis), answer.values, answer.error, answer.how))
