"""Gates on many states at once do what their matrices do to each."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.columns import States, apply, zero_states
from backends.matrices import matrix_of
from backends.program import GATES, Op

SETS = 5


def random_states(width: int) -> States:
    rng = np.random.default_rng(3)
    states = rng.normal(size=(1 << width, SETS)) + 1j * rng.normal(size=(1 << width, SETS))
    return states / np.linalg.norm(states, axis=0)


def one_by_one(states: States, op: Op) -> States:
    """By the whole matrix of the gate on all qubits, entry by entry."""
    width = len(states).bit_length() - 1
    small = matrix_of(op)
    whole = np.zeros((len(states), len(states)), dtype=complex)
    mask = sum(1 << qubit for qubit in op.qubits)
    for column in range(len(states)):
        local = sum(((column >> qubit) & 1) << place for place, qubit in enumerate(op.qubits))
        for value in range(1 << len(op.qubits)):
            row = (column & ~mask) | sum(((value >> place) & 1) << qubit for place, qubit in enumerate(op.qubits))
            whole[row, column] += small[value, local]
    assert width == 4
    return whole @ states


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("qubits", [(0, 1, 2), (3, 1, 0)])
def test_every_gate_fixed_and_with_open_angles(name: str, qubits: tuple[int, ...]) -> None:
    width, count = GATES[name]
    angles = np.random.default_rng(len(name)).uniform(-math.pi, math.pi, (count, SETS))
    op = Op(name, qubits[:width], tuple(angles[:, 0].tolist()))
    before = random_states(4)
    states = before.copy()
    apply(states, op, {})
    assert np.allclose(states, one_by_one(before, op), atol=1e-12)
    if count:
        states = before.copy()
        apply(states, op, dict(enumerate(angles)))
        for column in range(SETS):
            own = op._replace(params=tuple(angles[:, column].tolist()))
            assert np.allclose(states[:, column], one_by_one(before, own)[:, column], atol=1e-12)


def test_one_open_angle_of_several() -> None:
    angles = np.linspace(-2, 2, SETS)
    before = random_states(4)
    states = before.copy()
    apply(states, Op("u", (2,), (0.3, 0.0, 0.7)), {1: angles})
    for column, angle in enumerate(angles.tolist()):
        wanted = one_by_one(before, Op("u", (2,), (0.3, angle, 0.7)))[:, column]
        assert np.allclose(states[:, column], wanted, atol=1e-12)


@pytest.mark.parametrize("name", ["mcx", "mcp", "unitary", "diagonal"])
def test_wide_gates(name: str) -> None:
    phases = np.exp(1j * np.arange(8))
    params = {"mcx": (), "mcp": (0.4,), "diagonal": tuple(phases.tolist())}.get(name, tuple(np.diag(phases).ravel()))
    op = Op(name, (3, 0, 2), params)
    before = random_states(4)
    states = before.copy()
    apply(states, op, {})
    assert np.allclose(states, one_by_one(before, op), atol=1e-12)


def test_they_start_in_zero() -> None:
    assert zero_states(2, 3).tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
