"""The chances of a banded IQP circuit, bit by bit, are those of Qiskit's state, and catch shots of another circuit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Statevector

from benchmarks.circuit_suite.chain import chained
from benchmarks.circuit_suite.entry import Bits
from benchmarks.circuit_suite.judging import by_law
from benchmarks.circuit_suite.layered import iqp


def banded(qubits: int, name: str = "chain") -> QuantumCircuit:
    return iqp(name, qubits, [(a, a + step) for step in (1, 2, 3) for a in range(qubits - step)])


def all_bits(width: int) -> Bits:
    return ((np.arange(1 << width)[:, None] >> np.arange(width)) & 1).astype(np.uint8)


def test_the_product_of_the_chances_is_the_probability_in_the_state() -> None:
    circuit = banded(7)
    bits = all_bits(7)
    ones = chained(lambda: circuit, 3).ones(bits)
    product = np.where(bits == 1, ones, 1 - ones).prod(axis=1)
    expected = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities()
    assert np.abs(product - expected).max() < 1e-12
    assert expected.max() > 3 * expected.min()


def shots_of(circuit: QuantumCircuit, shots: int, seed: int) -> Bits:
    state = Statevector(circuit.remove_final_measurements(inplace=False))
    drawn = np.random.default_rng(seed).choice(1 << circuit.num_qubits, shots, p=state.probabilities())
    return ((drawn[:, None] >> np.arange(circuit.num_qubits)) & 1).astype(np.uint8)


def test_its_own_shots_pass_every_time_and_those_of_another_are_caught() -> None:
    for seed in range(20):
        circuit = banded(9, f"own{seed}")
        law = chained(lambda circuit=circuit: circuit, 3)  # type: ignore[misc]
        verdict = by_law(shots_of(circuit, 1024, seed), law)
        assert verdict.passed, verdict
        assert verdict.means == "known"
        other = shots_of(banded(9, f"other{seed}"), 1024, seed)
        assert not by_law(other, law).passed
        assert not by_law(other[:, ::-1].copy(), law).passed


def test_an_outcome_that_cannot_be_is_told() -> None:
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.cp(0, 0, 1)
    circuit.h([0, 1])
    circuit.measure_all()
    verdict = by_law(np.array([[0, 0], [1, 0], [0, 1]], dtype=np.uint8), chained(lambda: circuit, 1))
    assert not verdict.passed
    assert verdict.finding == "2 of 3 shots are impossible"


def test_circuits_of_other_kinds_are_refused() -> None:
    wide = QuantumCircuit(4)
    wide.cp(math.pi / 2, 0, 3)
    with pytest.raises(ValueError, match="qubits 0 and 3 are 3 apart, the band is 2 wide"):
        chained(lambda: wide, 2).ones(all_bits(4))
    other = QuantumCircuit(1)
    other.t(0)
    with pytest.raises(ValueError, match="t is no gate of an IQP circuit"):
        chained(lambda: other, 1).ones(all_bits(1))
