"""The frame and its dense state are the state: every Pauli product has the value that a plain state vector gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Pauli as QiskitPauli
from qiskit.quantum_info import Statevector

from backends.engines.frame_state import BYTES_PER_AMPLITUDE, FrameState, acted, times
from backends.engines.port import Budget, GaveUp

QUBITS = 4
ALONE, TOGETHER = ("h", "s", "sdg", "sx", "sxdg", "x", "y", "z"), ("cx", "cz", "swap")
PAULIS = st.lists(st.sampled_from("IXYZ"), min_size=QUBITS, max_size=QUBITS).filter(lambda one: set(one) != {"I"})
PAIRS = st.permutations(range(QUBITS)).map(lambda order: tuple(order[:2]))
GATES = (
    st.tuples(st.sampled_from(ALONE), st.integers(0, QUBITS - 1).map(lambda qubit: (qubit,)))
    | st.tuples(st.sampled_from(TOGETHER), PAIRS)
    | st.tuples(PAULIS, st.sampled_from([math.pi / 4, 0.3, -2.0, math.pi]))
)


def product_of(letters: list[str]) -> tuple[tuple[int, str], ...]:
    return tuple((qubit, letter) for qubit, letter in enumerate(letters) if letter != "I")


@given(st.lists(GATES, max_size=25), st.lists(PAULIS, min_size=1, max_size=5))
def test_values_are_those_of_a_state_vector(gates: list[tuple[object, object]], asked: list[list[str]]) -> None:
    state = FrameState(QUBITS, Budget())
    circuit = QuantumCircuit(QUBITS)
    turns = 0
    for name, where in gates:
        if isinstance(name, str):
            assert isinstance(where, tuple)
            state.clifford(name, where)
            getattr(circuit, name)(*where)
        else:
            assert isinstance(name, list) and isinstance(where, float)  # noqa: PT018 - both for the type checker
            state.turn(product_of(name), where)
            circuit.append(
                PauliEvolutionGate(QiskitPauli("".join(reversed(name))), where / 2).definition, range(QUBITS)
            )
            turns += 1
    assert len(state.active) <= min(turns, QUBITS)
    assert len(state.dense) == 1 << len(state.active)
    truth = Statevector(circuit)
    for letters in asked:
        wanted = truth.expectation_value(QiskitPauli("".join(reversed(letters)))).real
        assert state.value(product_of(letters)) == pytest.approx(wanted, abs=1e-9)


def test_turns_of_what_rests_make_nothing_active() -> None:
    """A T gate on |0>, or on one half of a pair that another T gate has already turned, adds no qubit."""
    state = FrameState(50, Budget())
    state.turn(((7, "Z"),), math.pi / 4)
    assert state.active == []
    state.clifford("h", (0,))
    for qubit in range(49):
        state.clifford("cx", (qubit, qubit + 1))
    for qubit in range(50):
        state.turn(((qubit, "Z"),), math.pi / 4)
    assert len(state.active) == 1
    assert state.value(tuple((qubit, "X") for qubit in range(50))) == pytest.approx(math.cos(50 * math.pi / 4))


def test_it_stops_at_its_budget() -> None:
    state = FrameState(3, Budget(memory_bytes=2 * BYTES_PER_AMPLITUDE))
    state.turn(((0, "X"),), 0.1)
    with pytest.raises(MemoryError, match="2 active qubits"):
        state.turn(((1, "X"),), 0.1)
    with pytest.raises(GaveUp, match="at 0 active qubits"):
        FrameState(3, Budget(seconds=1e-9)).clifford("h", (0,))


def test_products_multiply_and_act() -> None:
    x, z = (1, 0, 0), (0, 1, 0)
    assert times(z, x) == (1, 1, 2), "ZX = -XZ"
    plus = np.array([1.0, 2.0], dtype=np.complex128)
    assert acted(times(x, z), plus).tolist() == [-2, 1]
