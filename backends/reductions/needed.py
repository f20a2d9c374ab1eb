"""Walks back from what is read: what no outcome depends on is dropped.

Of a qubit nothing may be needed, its basis states alone (whatever follows moves or measures them), or everything. A
gate that turns phases of qubits of which only basis states are needed does nothing that anybody sees.
"""

from __future__ import annotations

from collections.abc import Collection

from backends.program import Op, Program
from backends.reductions.kinds import DIAGONAL, MONOMIAL, controls_of

_NOTHING, _BASIS, _ALL = 0, 1, 2


def needed(program: Program, bits: Collection[int]) -> Program:
    """The program without what the final values of `bits` do not depend on."""
    levels = [_NOTHING] * program.qubits
    live = set(bits)
    kept: list[Op] = []
    for op in reversed(program.operations):
        if op.name == "measure":
            keep = _measure(op, levels, live)
        elif op.name in ("reset", "initialize"):
            keep = _reset(op, levels)
        else:
            keep = _gate(op, levels)
        if keep:
            kept.append(op)
            for clause in op.condition:
                live.update(clause.bits)
    kept.reverse()
    return program if len(kept) == len(program.operations) else Program(program.qubits, program.clbits, tuple(kept))


def _measure(op: Op, levels: list[int], live: set[int]) -> bool:
    qubit, bit = op.qubits[0], op.clbits[0]
    # One that nobody reads still takes away phases, which matters if they are needed.
    if bit not in live and levels[qubit] != _ALL:
        return False
    if not op.condition:
        live.discard(bit)
    levels[qubit] = max(levels[qubit], _BASIS)
    return True


def _reset(op: Op, levels: list[int]) -> bool:
    if all(levels[qubit] == _NOTHING for qubit in op.qubits):
        return False
    if not op.condition:
        for qubit in op.qubits:
            levels[qubit] = _NOTHING
    elif op.name == "initialize":
        for qubit in op.qubits:
            levels[qubit] = _ALL
    return True


def _gate(op: Op, levels: list[int]) -> bool:
    name, qubits = op.name, op.qubits
    most = max(levels[qubit] for qubit in qubits)
    if most == _NOTHING or (most == _BASIS and name in DIAGONAL):
        return False
    controls = controls_of(name, len(qubits))
    controlling, acted_on = qubits[:controls], qubits[controls:]
    if controls and most == _BASIS and all(levels[qubit] == _NOTHING for qubit in acted_on):
        return False
    if name in DIAGONAL or (most == _BASIS and name in MONOMIAL):
        for qubit in qubits:
            levels[qubit] = max(levels[qubit], _BASIS)
        return True
    for qubit in controlling:
        levels[qubit] = max(levels[qubit], _BASIS)
    for qubit in acted_on:
        levels[qubit] = _ALL
    return True
