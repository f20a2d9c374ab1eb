"""Every gate becomes simpler ones that do the same, up to a global phase."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.engines.lowering import cliffordised, lowered
from backends.engines.port import Unsuited
from backends.matrices import matrix_of
from backends.program import GATES, Op

SIMPLE = frozenset({"h", "x", "rx", "ry", "rz", "p", "u", "cx", "t", "tdg", "s", "sdg", "sx", "sxdg"})


def whole(operations: list[Op], width: int) -> np.ndarray:
    """The matrix of several gates on `width` qubits."""
    size = 1 << width
    found = np.eye(size, dtype=complex)
    for op in operations:
        small = matrix_of(op)
        large = np.zeros((size, size), dtype=complex)
        for column in range(size):
            inner = sum((column >> qubit & 1) << place for place, qubit in enumerate(op.qubits))
            for row, amplitude in enumerate(small[:, inner]):
                target = column
                for place, qubit in enumerate(op.qubits):
                    target = target & ~(1 << qubit) | (row >> place & 1) << qubit
                large[target, column] += amplitude
        found = large @ found
    return found


@pytest.mark.parametrize("name", [*GATES, "mcx", "mcp"])
def test_a_lowered_gate_does_the_same(name: str) -> None:
    width, params = GATES.get(name, (3, int(name == "mcp")))
    op = Op(name, tuple(range(width)), (0.7, 0.4, -0.3, 0.9)[:params])
    found = list(lowered([op], SIMPLE))
    assert {one.name for one in found} <= SIMPLE
    product = whole(found, width) @ matrix_of(op).conj().T
    assert np.allclose(product, product[0, 0] * np.eye(1 << width), atol=1e-9)
    assert abs(abs(product[0, 0]) - 1) < 1e-9


def test_quarter_turns_become_clifford_gates() -> None:
    found = list(cliffordised([Op("rx", (1,), (math.pi / 2,)), Op("cp", (0, 1), (math.pi,))]))
    assert [(op.name, op.qubits) for op in found] == [("sx", (1,)), ("cz", (0, 1))]


def test_other_turns_do_not() -> None:
    with pytest.raises(Unsuited, match='"rx" is no Clifford gate'):
        list(cliffordised([Op("rx", (0,), (0.3,))]))
