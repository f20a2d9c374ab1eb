"""What a program is like, as far as it decides which engine is quick: counts, and bounds on its entanglement."""

from __future__ import annotations

import math
from dataclasses import dataclass

from backends.engines.traits import Traits, traits_of
from backends.gates import CLIFFORD
from backends.program import LOOKING, Program
from backends.reductions.kinds import MONOMIAL, controls_of
from backends.reductions.ordering import line_order

_SIXTY_FOURTHS = 64 / math.pi
_TURNS = {
    "u": 3,
    "ch": 2,
    "csx": 3,
    "cp": 3,
    "crx": 2,
    "cry": 2,
    "crz": 2,
    "cu": 8,
    "ccx": 7,
    "ccz": 7,
    "cswap": 7,
    "unitary": 15,
}
_GATES_LOOKED_AT = 20_000
"""Beyond so many the bounds have long reached their caps."""


@dataclass(frozen=True, slots=True)
class Features:
    """`generic` gates turn by angles that are no simple fraction of π; `monomial` ones only permute basis states and
    turn their phases; `turns` about Pauli products are what non-Clifford gates consist of, besides Clifford ones.

    `branching` and `bond` are bounds: at most 2^branching basis states have an amplitude, and at most 2^bond
    singular values stand at any cut of the best line of qubits, `order`. `carried` adds up how far apart gates find
    their qubits on it.
    """

    traits: Traits
    entangling: int
    non_clifford: int
    turns: int
    generic: int
    monomial: int
    looking: int
    branching: int
    bond: int
    carried: int
    order: tuple[int, ...]


def features_of(program: Program) -> Features:
    """Look at a program; about 2 µs an operation."""
    traits = traits_of(program)
    entangling = non_clifford = turns = looking = events = generic = monomial = 0
    for name, qubits, params, _, _ in program.operations:
        if name in LOOKING:
            looking += 1
            continue
        if len(qubits) > 1:
            entangling += 1
        if name not in CLIFFORD:
            non_clifford += 1
            turns += _TURNS.get(name, 1) if len(qubits) <= 3 else 1 << len(qubits)
            generic += bool(params) and not all(map(_simple, params))
        if name in MONOMIAL:
            monomial += 1
        else:
            events += len(qubits) - controls_of(name, len(qubits))
    # Below a dozen qubits every engine is quick, and no bound changes the choice.
    small = traits.busy <= 12
    order = tuple(range(program.qubits)) if small else line_order(program)
    bond = traits.busy // 2 if small else _bond(program, order)
    place = {qubit: at for at, qubit in enumerate(order)}
    spans = [[place[qubit] for qubit in op.qubits] for op in program.operations if len(op.qubits) > 1]
    return Features(
        traits=traits,
        entangling=entangling,
        non_clifford=non_clifford,
        turns=turns,
        generic=generic,
        monomial=monomial,
        looking=looking,
        branching=min(events, traits.busy),
        bond=bond,
        carried=sum(max(span) - min(span) for span in spans),
        order=order,
    )


def _simple(angle: complex) -> bool:
    """Whether an angle is a multiple of π/64: such angles meet again, and equal parts of a state stay equal."""
    turns = angle.real * _SIXTY_FOURTHS
    return abs(turns - round(turns)) < 1e-6


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
