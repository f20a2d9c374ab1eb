"""What a program is like, as far as it decides which engine is quick: counts, and bounds on its entanglement."""

from __future__ import annotations

from dataclasses import dataclass

from backends.engines.traits import Traits, traits_of
from backends.gates import CLIFFORD
from backends.program import LOOKING, Program
from backends.reductions.kinds import MONOMIAL, controls_of
from backends.reductions.ordering import line_order

_GATES_LOOKED_AT = 20_000
"""Beyond so many the bounds have long reached their caps."""


@dataclass(frozen=True, slots=True)
class Features:
    """`branching` and `bond` are bounds: at most 2^branching basis states have an amplitude, and at most 2^bond
    singular values stand at any cut of the best line of qubits, `order`.
    """

    traits: Traits
    entangling: int
    non_clifford: int
    looking: int
    branching: int
    bond: int
    order: tuple[int, ...]


def features_of(program: Program) -> Features:
    """Look at a program; about 2 µs an operation."""
    traits = traits_of(program)
    entangling = non_clifford = looking = events = 0
    for name, qubits, _, _, _ in program.operations:
        if name in LOOKING:
            looking += 1
            continue
        if len(qubits) > 1:
            entangling += 1
        if name not in CLIFFORD:
            non_clifford += 1
        if name not in MONOMIAL:
            events += len(qubits) - controls_of(name, len(qubits))
    # Below a dozen qubits every engine is quick, and no bound changes the choice.
    small = traits.busy <= 12
    order = tuple(range(program.qubits)) if small else line_order(program)
    bond = traits.busy // 2 if small else _bond(program, order)
    return Features(
        traits, entangling, non_clifford, looking, branching=min(events, traits.busy), bond=bond, order=order
    )


def _bond(program: Program, order: tuple[int, ...]) -> int:
    """The largest logarithm of a bond: a gate over a cut adds its qubits' worth, and no cut exceeds its sides."""
    place = {qubit: at for at, qubit in enumerate(order)}
    last = program.qubits - 1
    bonds = [0] * (last + 2)  # bonds[k] lies between the places k - 1 and k
    for op in program.operations[:_GATES_LOOKED_AT]:
        if len(op.qubits) < 2:
            continue
        places = [place[qubit] for qubit in op.qubits]
        low, high = min(places), max(places)
        for cut in range(low + 1, high + 1):
            most = min(bonds[cut - 1] + 1, bonds[cut + 1] + 1) if high - low == 1 else min(cut, last + 1 - cut)
            bonds[cut] = min(bonds[cut] + 1, most, cut, last + 1 - cut)
    return max(bonds)
