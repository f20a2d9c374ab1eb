"""What is said of gates is true of their matrices."""

from __future__ import annotations

import numpy as np
import pytest

from backends.matrices import matrix_of
from backends.program import GATES, Op
from backends.reductions.kinds import CONTROLS, DIAGONAL, MONOMIAL, SYMMETRIC, controls_of


def matrix(name: str) -> np.ndarray:
    width, params = GATES.get(name, (3, 1 if name == "mcp" else 0))
    return matrix_of(Op(name, tuple(range(width)), (0.7, 0.4, 0.3, 0.2)[:params]))


@pytest.mark.parametrize("name", [*GATES, "mcx", "mcp"])
def test_a_gate_is_what_is_said_of_it(name: str) -> None:
    found = np.abs(matrix(name)) > 1e-12
    assert (name in DIAGONAL) == bool((found == np.eye(len(found), dtype=bool)).all())
    assert (name in MONOMIAL) == bool((found.sum(axis=0) == 1).all())


@pytest.mark.parametrize("name", [*CONTROLS, "mcx"])
def test_a_control_in_0_leaves_everything_as_it_is(name: str) -> None:
    found = matrix(name)
    controls = controls_of(name, int(np.log2(len(found))))
    for index in range(len(found)):
        if index & ((1 << controls) - 1) != (1 << controls) - 1:
            assert found[index, index] == 1


@pytest.mark.parametrize("name", sorted(SYMMETRIC - {"mcp"}))
def test_the_order_of_qubits_does_not_matter(name: str) -> None:
    found = matrix(name)
    width = int(np.log2(len(found)))
    swapped = [(index & ~3) | (index & 1) << 1 | (index >> 1 & 1) for index in range(1 << width)]
    assert np.allclose(found, found[np.ix_(swapped, swapped)])
