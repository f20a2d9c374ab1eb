"""The terms of a sparse state: equal to the dense state's, counted, and given up in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.engines.port import Budget, GaveUp, Unsuited
from backends.engines.sparse_state import QUBITS_MAX, State
from backends.matrices import matrix_of
from backends.program import GATES, Op

WIDTH = 4


@st.composite
def gates(draw: st.DrawFn) -> Op:
    name = draw(st.sampled_from(sorted(GATES)))
    width, params = GATES[name]
    angles = tuple(draw(st.sampled_from([0.3, np.pi / 2, np.pi, -1.1])) for _ in range(params))
    return Op(name, tuple(draw(st.permutations(range(WIDTH)))[:width]), angles)


def dense(operations: list[Op]) -> np.ndarray:
    state = np.eye(1 << WIDTH, 1, dtype=complex).ravel()
    for op in operations:
        axes = [WIDTH - 1 - qubit for qubit in reversed(op.qubits)]
        tensor = np.moveaxis(state.reshape((2,) * WIDTH), axes, range(len(axes)))
        shape = tensor.shape
        tensor = (matrix_of(op) @ tensor.reshape(1 << len(axes), -1)).reshape(shape)
        state = np.moveaxis(tensor, range(len(axes)), axes).ravel()
    return state


@settings(deadline=None, max_examples=150)
@given(st.lists(gates(), max_size=12))
def test_its_terms_are_those_of_the_dense_state(operations: list[Op]) -> None:
    state = State(WIDTH, Budget())
    for op in operations:
        state.apply(op)
    assert len(set(state.indices.tolist())) == len(state.indices)
    found = np.zeros(1 << WIDTH, dtype=complex)
    found[state.indices] = state.amplitudes
    expected = dense(operations)
    # Global phases are of no account.
    assert abs(np.vdot(expected, found)) == pytest.approx(1, abs=1e-9)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-9)


def test_every_pass_is_counted_and_sorting_most() -> None:
    state = State(20, Budget())
    state.apply(Op("x", (0,)))
    flat = state.seconds
    state.apply(Op("h", (0,)))
    branching = state.seconds - flat
    assert 0 < flat < branching


def test_it_gives_up_at_the_count() -> None:
    state = State(30, Budget(seconds=1e-3))
    for qubit in range(8):
        state.apply(Op("h", (qubit,)))
    state.seconds = 1e-3
    with pytest.raises(GaveUp, match=r"its work exceeds 0\.001 s, at 256 terms"):
        state.apply(Op("x", (0,)))


def test_its_index_has_a_width() -> None:
    assert State(QUBITS_MAX, Budget()).peak == 1
    with pytest.raises(Unsuited, match="63 qubits are busy, at most 62 can be"):
        State(63, Budget())
