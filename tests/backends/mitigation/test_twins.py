"""Twins: the same gates in the same places, and exact values that independent engines agree with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from backends.compiling.choosing import Compiled
from backends.mitigation.decoupling import Unfit
from backends.mitigation.measuring import Term, terms_of
from backends.mitigation.twins import SMALL_QUBITS, twin_of


def shape(circuit: QuantumCircuit) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.name, tuple(circuit.find_bit(bit).index for bit in each.qubits)) for each in circuit.data]


def exact(circuit: QuantumCircuit, terms: list[Term]) -> list[float]:
    """By the state of the whole circuit, idle qubits and all."""
    state = Statevector(circuit)
    listed = [("".join(letter for _, letter in term), [qubit for qubit, _ in term], 1.0) for term in terms]
    return [state.expectation_value(SparsePauliOp.from_sparse_list([one], circuit.num_qubits)).real for one in listed]


def test_a_small_twin_is_near_and_exact(compiled: Compiled) -> None:
    terms = terms_of(["ZIIII", "IXXII", "IIIYZ", "IIIII"], compiled.final_layout)
    twin = twin_of(compiled.circuit, terms, 5)
    assert shape(twin.circuit) == shape(compiled.circuit)
    assert twin.circuit != compiled.circuit
    assert twin.values == pytest.approx(exact(twin.circuit, terms))
    assert twin.kept > 0
    assert twin.to_json()["exact_by"] == "statevector"
    again = twin_of(compiled.circuit, terms, 5)
    assert again.circuit == twin.circuit


def ladder(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits + 5)
    rng = np.random.default_rng(4)
    for _ in range(3):
        for qubit in range(qubits):
            circuit.rz(rng.uniform(0, 7), qubit)
            circuit.sx(qubit)
            circuit.u(*rng.uniform(0, 7, 3).tolist(), qubit)
        for qubit in range(qubits - 1):
            circuit.cz(qubit, qubit + 1)
            circuit.rzz(rng.uniform(0, 7), qubit, qubit + 1)
    return circuit


def test_a_wide_twin_has_clifford_angles_and_a_tableau() -> None:
    circuit = ladder(SMALL_QUBITS + 2)
    terms: list[Term] = [((qubit, letter),) for qubit in range(12) for letter in "XYZ"]
    twin = twin_of(circuit, terms, 1)
    assert twin.to_json() == {"kind": "Clifford", "exact_by": "stabilizer", "qubits": 12, "angles_kept": 0}
    assert set(np.round(twin.values, 9)) <= {-1.0, 0.0, 1.0}
    assert twin.values == pytest.approx(exact(twin.circuit, terms))
    assert shape(twin.circuit) == shape(circuit)


def test_a_hundred_qubits_have_one_too() -> None:
    terms: list[Term] = [((qubit, "Z"),) for qubit in range(100)]
    assert twin_of(ladder(100), terms, 1).qubits == 100


def test_what_has_no_known_answer_says_so() -> None:
    measuring = QuantumCircuit(1, 1)
    measuring.measure(0, 0)
    with pytest.raises(Unfit, match="measures or branches"):
        twin_of(measuring, [((0, "Z"),)], 1)
    wide = QuantumCircuit(12)
    wide.h(range(12))
    wide.t(range(12))
    with pytest.raises(Unfit, match="beyond the Clifford group"):
        twin_of(wide, [((0, "Z"),)], 1)
    flat = QuantumCircuit(1)
    flat.h(0)
    with pytest.raises(Unfit, match="differ from 0"):
        twin_of(flat, [((0, "Z"),)], 1)


def test_angles_that_are_clifford_stay() -> None:
    circuit = QuantumCircuit(1)
    circuit.rz(math.pi / 2, 0)
    circuit.rz(-3 * math.pi, 0)
    assert twin_of(circuit, [((0, "Z"),)], 1).circuit == circuit
