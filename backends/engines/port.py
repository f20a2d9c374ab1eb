"""What an engine is: it samples a program or evaluates Pauli products in its final state, and says how well.

An engine that cannot run a program says so beforehand (`obstacle`), refuses while it converts (`Unsuited`), or stops at
its budget (`GaveUp`, MemoryError). It never returns an answer that is worse than it says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backends.engines.traits import Traits
from backends.program import Program
from backends.registers import Bits

Pauli = tuple[tuple[int, str], ...]
"""A product of Pauli operators: (qubit, "X" | "Y" | "Z"), each qubit at most once; empty is the identity."""

FIDELITY_MIN = 0.99
"""What is less faithful than this is no result."""


class Unsuited(Exception):  # noqa: N818 - an expected no
    """The engine does not take this program; the reason is a sentence's end."""


class GaveUp(Exception):  # noqa: N818 - an expected no
    """The engine stopped at its budget, or could not keep its promise of fidelity; nothing is known of the answer."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a run may use. Engines keep what they can; time is a promise of few."""

    memory_bytes: int = 4 << 30
    seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class How:
    """How an answer came about."""

    engine: str
    version: str
    method: str
    fidelity: float = 1.0
    """A lower bound, 1 where nothing was left out but rounding."""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Outcomes as zeros and ones, shape (shots, clbits); a bit that nothing is measured into is 0."""

    bits: Bits
    how: How


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Expectation values in the order asked, each within `error` of the truth."""

    values: tuple[float, ...]
    error: float
    how: How


class Engine(Protocol):
    """One simulator method. Equal programs with equal seeds give equal answers."""

    @property
    def name(self) -> str:
        """Unique; the library's name, and the method where it has several: "aer.statevector"."""

    @property
    def licence(self) -> str:
        """As an SPDX expression."""

    @property
    def version(self) -> str:
        """Of the library; only where it is available."""

    def available(self) -> bool:
        """Whether its library is installed."""

    def obstacle(self, traits: Traits) -> str | None:
        """Why it cannot run a program with these traits, whatever the budget; None if it can."""

    def sample(self, program: Program, shots: int, seed: int, budget: Budget) -> Sampled:
        """Run `shots` times from |0…0>. Raises Unsuited, GaveUp or MemoryError."""

    def expectation(self, program: Program, paulis: Sequence[Pauli], budget: Budget) -> Expected:
        """The values in the final state of a program without random events. Raises Unsuited, GaveUp or MemoryError."""
