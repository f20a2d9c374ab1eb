"""Expectation values of labels agree with Qiskit's operators, idle qubits included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp, Statevector, random_statevector

from backends.paulis import expectation, masks, narrow


@given(st.integers(1, 6), st.integers(0, 10**6), st.data())
def test_labels_agree_with_qiskit(width: int, seed: int, draw: st.DataObject) -> None:
    state = random_statevector(2**width, seed=seed)
    label = draw.draw(st.text("IXYZ", min_size=width, max_size=width))
    found = expectation(state.data, width, label, {qubit: qubit for qubit in range(width)})
    assert found == pytest.approx(state.expectation_value(SparsePauliOp(label)).real, abs=1e-12)


@given(st.integers(1, 4), st.integers(0, 10**6), st.data())
def test_idle_qubits_are_in_their_ground_state(busy: int, seed: int, draw: st.DataObject) -> None:
    """Busy qubits lie anywhere among the others."""
    width = 6
    qubits = sorted(draw.draw(st.permutations(range(width)))[:busy])
    lines = {qubit: line for line, qubit in enumerate(qubits)}
    state = random_statevector(2**busy, seed=seed)
    wide = np.zeros(2**width, dtype=complex)
    for index, amplitude in enumerate(state.data):
        wide[sum((index >> line & 1) << qubit for qubit, line in lines.items())] = amplitude
    label = draw.draw(st.text("IXYZ", min_size=width, max_size=width))
    expected = Statevector(wide).expectation_value(SparsePauliOp(label)).real
    assert expectation(state.data, busy, label, lines) == pytest.approx(expected, abs=1e-12)
    shorter = narrow(label, lines)
    value = 0.0 if shorter is None else state.expectation_value(SparsePauliOp(shorter)).real
    assert value == pytest.approx(expected, abs=1e-12)


def test_masks() -> None:
    assert masks("XYZI") == (0b1100, 0b0110, 1)
    assert masks("IIII") == (0, 0, 0)


def test_no_qubits_at_all() -> None:
    nothing = np.ones(1, dtype=complex)
    assert expectation(nothing, 0, "ZI", {}) == 1.0
    assert expectation(nothing, 0, "XI", {}) == 0.0
    assert narrow("ZZ", {}) == ""
