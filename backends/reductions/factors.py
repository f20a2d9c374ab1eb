"""The expectation value of one Pauli product as a product of values of smaller programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends.program import Op, Program
from backends.reductions.reducing import reduce


@dataclass(frozen=True, slots=True)
class Factor:
    """A program without measurements, and the qubits over whose product of Z its value is taken."""

    program: Program
    support: tuple[int, ...]


def factors(program: Program, pauli: Sequence[tuple[int, str]]) -> tuple[int, tuple[Factor, ...]]:
    """A sign, and the factors that it is multiplied with: together the value of `pauli` in the final state.

    The Pauli product is turned into one of Z and measured in thought: whatever leaves that distribution alone leaves
    its parity alone; angles are not snapped, for values are asked to more digits than shots show. `program` has no
    measurements, conditions or resets of its own.
    """
    turned = list(program.operations)
    for bit, (qubit, axis) in enumerate(pauli):
        if axis == "Y":
            turned.append(Op("sdg", (qubit,)))
        if axis != "Z":
            turned.append(Op("h", (qubit,)))
        turned.append(Op("measure", (qubit,), (), (bit,)))
    reduced = reduce(Program(program.qubits, len(pauli), tuple(turned)), snap=False)
    sign = -1 if sum(reduced.constants.values()) % 2 else 1
    found = []
    for part in reduced.parts:
        measured = tuple(op.qubits[0] for op in part.program.operations if op.name == "measure")
        gates = tuple(op for op in part.program.operations if op.name != "measure")
        found.append(Factor(Program(part.program.qubits, 0, gates), measured))
    return sign, tuple(found)
