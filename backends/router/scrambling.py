"""How thoroughly a program entangles: what tells circuits that reach the bounds of their entanglement from others."""

from __future__ import annotations

import math
from dataclasses import dataclass

from backends.program import LOOKING, Program
from backends.reductions.kinds import MONOMIAL

_STRONG = 0.25
"""Radians off a multiple of a quarter turn. Smaller angles entangle little at a time."""
_QUARTER = math.pi / 2
_FRACTION = 64 / math.pi
_ROUNDED = 6
_THOROUGH = 4.0
"""What `make bench-router` solves beyond the width of dense states stays below this, or has bonds of three at most."""


@dataclass(frozen=True, slots=True)
class Scrambling:
    """`afresh`: entangling gates a qubit that find all their qubits turned since the last, one for each layer of a
    random circuit. `angles`: how many different strong angles there are, a qubit; evolution under one Hamiltonian
    repeats its few, whatever its depth.
    """

    afresh: float
    angles: float

    @property
    def thorough(self) -> bool:
        """Whether the program is expected to entangle as random circuits do."""
        return self.afresh >= _THOROUGH and self.angles >= _THOROUGH


def scrambling(program: Program) -> Scrambling:
    """Look at a program; under 2 µs an operation."""
    turned: set[int] = set()
    angles: set[float] = set()
    touched = 0
    for name, qubits, params, _, _ in program.operations:
        strong = False
        for angle in params:
            off = angle.real
            strong = strong or abs(off - round(off / _QUARTER) * _QUARTER) >= _STRONG
            if strong and abs(off * _FRACTION - round(off * _FRACTION)) > 1e-6:
                angles.add(round(off, _ROUNDED))
        if name == "unitary" and len(qubits) > 1:
            # It turns its qubits by itself.
            touched += len(qubits)
            turned.update(qubits)
        elif len(qubits) == 1:
            if name not in MONOMIAL and name not in LOOKING and (strong or not params):
                turned.add(qubits[0])
        elif turned.issuperset(qubits):
            touched += len(qubits)
            turned.difference_update(qubits)
    return Scrambling(touched / max(1, program.qubits), len(angles) / max(1, program.qubits))
