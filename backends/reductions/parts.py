"""Splits a program into parts that never meet, and puts what was sampled of each side by side again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backends.program import Clause, Op, Program
from backends.registers import Bits


@dataclass(frozen=True, slots=True)
class Part:
    """One part, its qubits and bits counted from 0; bit k of it is bit `clbits[k]` of the whole."""

    program: Program
    clbits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reduced:
    """What is left of a program: parts that know nothing of each other, and the bits that are certain.

    `steps` names the reductions that changed anything. The distribution of all bits is that of the program, but for a
    total variation distance of at most `error`.
    """

    clbits: int
    parts: tuple[Part, ...]
    constants: Mapping[int, int]
    steps: tuple[str, ...] = ()
    error: float = 0.0


def split(program: Program, constants: Mapping[int, int]) -> tuple[Part, ...]:
    """The parts of a program, in the order of their lowest qubits; qubits that nothing happens to are left out."""
    roots = list(range(program.qubits + program.clbits))

    def root(one: int) -> int:
        while roots[one] != one:
            roots[one] = roots[roots[one]]
            one = roots[one]
        return one

    bit_at = program.qubits
    touched: set[int] = set()
    for op in program.operations:
        members = [*op.qubits, *(bit_at + bit for bit in op.clbits)]
        members += [bit_at + bit for clause in op.condition for bit in clause.bits]
        touched.update(members)
        first = root(members[0])
        for other in members[1:]:
            roots[root(other)] = first
    groups: dict[int, tuple[list[int], list[int]]] = {}
    for one in sorted(touched):
        qubits, bits = groups.setdefault(root(one), ([], []))
        (qubits if one < bit_at else bits).append(one if one < bit_at else one - bit_at)
    if len(groups) == 1:
        ((qubits, bits),) = groups.values()
        if len(qubits) == program.qubits and len(bits) == program.clbits and set(bits) - constants.keys():
            return (Part(program, tuple(bits)),)
    members_of: dict[int, list[Op]] = {key: [] for key in groups}
    for op in program.operations:
        members_of[root(op.qubits[0])].append(op)
    return tuple(
        _part(qubits, bits, members_of[key]) for key, (qubits, bits) in groups.items() if set(bits) - constants.keys()
    )


def _part(qubits: Sequence[int], bits: Sequence[int], operations: Sequence[Op]) -> Part:
    line = {qubit: place for place, qubit in enumerate(qubits)}
    slot = {bit: place for place, bit in enumerate(bits)}
    moved = tuple(
        [
            Op(
                op.name,
                tuple([line[qubit] for qubit in op.qubits]),
                op.params,
                tuple([slot[bit] for bit in op.clbits]),
                tuple([Clause(tuple([slot[bit] for bit in one.bits]), one.values, one.inside) for one in op.condition]),
            )
            for op in operations
        ]
    )
    return Part(Program(len(qubits), len(bits), moved), tuple(bits))


def join(reduced: Reduced, sampled: Sequence[Bits], shots: int) -> Bits:
    """Outcomes of the whole, shape (shots, clbits), from those of its parts, in their order."""
    bits = np.zeros((shots, reduced.clbits), dtype=np.uint8)
    for part, own in zip(reduced.parts, sampled, strict=True):
        if part.clbits:
            bits[:, list(part.clbits)] = own
    ones = [bit for bit, value in reduced.constants.items() if value]
    zeros = [bit for bit, value in reduced.constants.items() if not value]
    bits[:, ones] = 1
    bits[:, zeros] = 0
    return bits
