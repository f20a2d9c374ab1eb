"""A naive exact simulator for small programs, and programs of all kinds to try it on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import strategies as st

from backends.matrices import matrix_of
from backends.program import GATES, Clause, Op, Program
from backends.reductions import Reduced

QUBITS, BITS = 4, 3
ANGLES = st.sampled_from([0.0, np.pi / 4, np.pi / 2, np.pi, -np.pi / 2, 2 * np.pi, 4 * np.pi, 0.3, -1.1])


def distribution(program: Program) -> dict[tuple[int, ...], float]:
    """The exact probabilities of all classical bits, branch by branch."""
    branches = [(1.0, np.eye(1 << program.qubits, 1, dtype=complex).ravel(), (0,) * program.clbits)]
    for op in program.operations:
        branches = [after for branch in branches for after in _step(op, branch, program.qubits)]
    found: Counter[tuple[int, ...]] = Counter()
    for weight, _, bits in branches:
        found[bits] += weight
    return {bits: weight for bits, weight in found.items() if weight > 1e-12}


def _step(op: Op, branch: Any, qubits: int) -> list[Any]:
    weight, state, bits = branch
    for clause in op.condition:
        held = sum(bits[bit] << place for place, bit in enumerate(clause.bits))
        if (held in clause.values) != clause.inside:
            return [branch]
    if op.name in ("measure", "reset"):
        after = []
        for outcome in (0, 1):
            index = np.arange(1 << qubits)
            kept = np.where((index >> op.qubits[0] & 1) == outcome, state, 0)
            chance = float(np.vdot(kept, kept).real)
            if chance < 1e-14:
                continue
            kept = kept / np.sqrt(chance)
            told = bits
            if op.name == "measure":
                told = (*bits[: op.clbits[0]], outcome, *bits[op.clbits[0] + 1 :])
            elif outcome:
                kept = kept[index ^ (1 << op.qubits[0])]
            after.append((weight * chance, kept, told))
        return after
    return [(weight, _apply(matrix_of(op), op.qubits, state, qubits), bits)]


def _apply(matrix: Any, on: tuple[int, ...], state: Any, qubits: int) -> Any:
    axes = [qubits - 1 - qubit for qubit in reversed(on)]
    tensor = np.moveaxis(state.reshape((2,) * qubits), axes, range(len(on)))
    shape = tensor.shape
    tensor = (matrix @ tensor.reshape(1 << len(on), -1)).reshape(shape)
    return np.moveaxis(tensor, range(len(on)), axes).ravel()


def of_parts(reduced: Reduced) -> dict[tuple[int, ...], float]:
    """The exact probabilities that a reduced program leads to."""
    whole: dict[tuple[int, ...], float] = {(0,) * reduced.clbits: 1.0}
    for part in reduced.parts:
        combined: Counter[tuple[int, ...]] = Counter()
        for bits, weight in whole.items():
            for own, chance in distribution(part.program).items():
                told = list(bits)
                for slot, value in zip(part.clbits, own, strict=True):
                    told[slot] = value
                combined[tuple(told)] += weight * chance
        whole = dict(combined)
    found: Counter[tuple[int, ...]] = Counter()
    for bits, weight in whole.items():
        found[tuple(reduced.constants.get(bit, value) for bit, value in enumerate(bits))] += weight
    return dict(found)


def alike(one: dict[Any, float], other: dict[Any, float], within: float = 1e-9) -> bool:
    return all(abs(one.get(key, 0) - other.get(key, 0)) < within for key in one.keys() | other.keys())


@st.composite
def operations(draw: Any, *, dynamic: bool = True) -> Op:
    names = [*GATES, "mcx", "mcp", "measure", "measure", *(("reset",) if dynamic else ())]
    name = draw(st.sampled_from(names))
    width, params = GATES.get(name, (1, 0))
    if name in ("mcx", "mcp"):
        width, params = draw(st.integers(2, 4)), int(name == "mcp")
    qubits = tuple(draw(st.permutations(range(QUBITS)))[:width])
    numbers = tuple(draw(ANGLES) for _ in range(params))
    clbits = (draw(st.integers(0, BITS - 1)),) if name == "measure" else ()
    condition: tuple[Clause, ...] = ()
    if dynamic and draw(st.integers(0, 4)) == 0:
        bits = tuple(draw(st.permutations(range(BITS)))[: draw(st.integers(1, 2))])
        values = tuple(sorted(draw(st.sets(st.integers(0, (1 << len(bits)) - 1), min_size=1))))
        condition = (Clause(bits, values, draw(st.booleans())),)
    return Op(name, qubits, numbers, clbits, condition)


PROGRAMS = st.lists(operations(), max_size=14).map(lambda ops: Program(QUBITS, BITS, tuple(ops)))
"""Anything, mid-circuit measurements, resets and conditions among it."""
UNITARY = st.lists(operations(dynamic=False).filter(lambda op: op.name != "measure"), max_size=12).map(
    lambda ops: Program(QUBITS, 0, tuple(ops))
)
