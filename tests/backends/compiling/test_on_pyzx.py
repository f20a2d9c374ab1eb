"""There and back: what PyZX makes of a stretch does the same, on random circuits of every basis gate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Operator

from backends.compiling.blocks import BASIS, NotRewritten
from backends.compiling.on_pyzx import from_pyzx, phases, to_pyzx


def drawn(seed: int, qubits: int = 4, gates: int = 60) -> QuantumCircuit:
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(qubits)
    for name in [*BASIS, *rng.choice(BASIS, gates)]:
        places = rng.choice(qubits, 2, replace=False).tolist()
        if name in ("cx", "cz"):
            getattr(circuit, name)(*places)
        elif name in ("rx", "ry", "rz"):
            getattr(circuit, name)(float(rng.choice([rng.uniform(-7, 7), math.pi / 3, 1e-9])), places[0])
        else:
            getattr(circuit, name)(places[0])
    return circuit


@pytest.mark.parametrize("seed", range(6))
def test_the_converter_keeps_every_gate(seed: int) -> None:
    circuit = drawn(seed)
    assert Operator(from_pyzx(to_pyzx(circuit), circuit)).equiv(Operator(circuit), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_phases_travel_without_loss(seed: int) -> None:
    circuit = drawn(seed)
    assert Operator(phases(circuit)).equiv(Operator(circuit), rtol=0, atol=1e-10)


def test_phases_that_meet_are_added() -> None:
    circuit = QuantumCircuit(2)
    circuit.t(1)
    circuit.cx(0, 1)
    circuit.cx(0, 1)
    circuit.t(1)
    circuit.rz(-math.pi / 2, 1)
    assert phases(circuit).size() == 0


def test_symbols_stay_with_qiskit() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a"), 0)
    with pytest.raises(NotRewritten, match="numbers only"):
        phases(circuit)


def test_a_gate_beyond_the_basis_is_declined() -> None:
    circuit = QuantumCircuit(2)
    circuit.swap(0, 1)
    with pytest.raises(NotRewritten, match="swap"):
        to_pyzx(circuit)
