"""One circuit of the suite, and what is known of its outcomes beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

Bits = NDArray[np.uint8]
"""Outcomes, shape (shots, classical bits); column 0 is classical bit 0."""


@dataclass(frozen=True, slots=True)
class Certain:
    """Every shot gives these bits."""

    bits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lawful:
    """Every shot obeys a law, and what remains free is uniform: `free` gives each shot's free bits, one a column."""

    holds: Callable[[Bits], NDArray[np.bool_]]
    free: Callable[[Bits], Bits]


@dataclass(frozen=True, slots=True)
class Chained:
    """The exact chance of a 1 in every place of a shot, given the places before it; shape as that of the outcomes."""

    ones: Callable[[Bits], NDArray[np.float64]]


Known = Certain | Lawful | Chained


@dataclass(frozen=True, slots=True)
class Entry:
    """A circuit with its family; `make` gives the same circuit every time."""

    name: str
    family: str
    make: Callable[[], QuantumCircuit]
    known: Known | None = None


def rng_of(name: str) -> np.random.Generator:
    """The random numbers of a circuit, seeded by its own name: no other circuit can change them."""
    return np.random.default_rng(list(name.encode()))
