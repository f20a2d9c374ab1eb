"""Random circuits entangle afresh in every layer, by ever new angles; what has a structure does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import QFTGate, quantum_volume

from backends.program import Program
from backends.programming import program_of
from backends.router.scrambling import scrambling


def program(circuit: QuantumCircuit) -> Program:
    found = program_of(circuit)
    assert isinstance(found, Program)
    return found


def brickwork(width: int, layers: int) -> Program:
    rng = np.random.default_rng(1)
    circuit = QuantumCircuit(width)
    for layer in range(layers):
        for qubit in range(width):
            circuit.u(*rng.uniform(0, 2 * math.pi, 3), qubit)
        for qubit in range(layer % 2, width - 1, 2):
            circuit.cx(qubit, qubit + 1)
    return program(circuit)


def trotter(width: int, steps: int) -> Program:
    circuit = QuantumCircuit(width)
    for _ in range(steps):
        for qubit in range(width - 1):
            circuit.cx(qubit, qubit + 1)
            circuit.rz(0.7, qubit + 1)
            circuit.cx(qubit, qubit + 1)
        circuit.rx(0.9, range(width))
    return program(circuit)


def test_a_random_circuit_counts_nearly_one_for_each_layer() -> None:
    found = scrambling(brickwork(20, 12))
    assert 8 < found.afresh <= 12
    assert found.angles > 12
    assert found.thorough
    assert not scrambling(brickwork(20, 3)).thorough


def test_gates_that_are_matrices_turn_their_qubits_themselves() -> None:
    circuit = quantum_volume(12, 8, seed=1)
    assert scrambling(program(circuit)).afresh == 8
    assert scrambling(program(circuit)).thorough


def test_evolution_repeats_its_few_angles() -> None:
    found = scrambling(trotter(20, 12))
    assert found.afresh > 8
    assert found.angles == 2 / 20
    assert not found.thorough


@pytest.mark.parametrize("width", [8, 40])
def test_a_fourier_transform_turns_no_qubit_twice(width: int) -> None:
    circuit = QuantumCircuit(width)
    circuit.append(QFTGate(width), range(width))
    assert scrambling(program(circuit)).afresh < 4


def test_clifford_gates_have_no_angles_that_count() -> None:
    circuit = QuantumCircuit(6)
    for _ in range(10):
        circuit.h(range(6))
        circuit.rz(math.pi / 4, range(6))
        for qubit in range(0, 6, 2):
            circuit.cx(qubit, qubit + 1)
    found = scrambling(program(circuit))
    assert (found.afresh, found.angles) == (10, 0)
    assert not found.thorough


def test_weak_turns_do_not_count() -> None:
    circuit = QuantumCircuit(4)
    for step in range(20):
        for qubit in range(4):
            circuit.ry(0.01 * step + 0.001 * qubit, qubit)
        circuit.cx(0, 1)
        circuit.cx(2, 3)
    assert scrambling(program(circuit)).afresh == 0


def test_nothing_scrambles_nothing() -> None:
    assert scrambling(Program(0, 0, ())).afresh == 0
