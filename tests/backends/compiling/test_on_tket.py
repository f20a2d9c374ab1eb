"""There and back: what TKET makes of a stretch does the same, on random circuits of every basis gate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Operator

from backends.compiling.blocks import BASIS, NotRewritten
from backends.compiling.on_tket import from_tket, peephole, to_tket


def drawn(seed: int, qubits: int = 4, gates: int = 60) -> QuantumCircuit:
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(qubits, global_phase=0.7)
    for name in [*BASIS, *rng.choice(BASIS, gates)]:
        places = rng.choice(qubits, 2, replace=False).tolist()
        if name in ("cx", "cz"):
            getattr(circuit, name)(*places)
        elif name in ("rx", "ry", "rz"):
            getattr(circuit, name)(float(rng.choice([rng.uniform(0, 7), math.pi / 4])), places[0])
        else:
            getattr(circuit, name)(places[0])
    return circuit


@pytest.mark.parametrize("seed", range(6))
def test_the_converter_keeps_every_gate_and_the_phase(seed: int) -> None:
    circuit = drawn(seed)
    assert np.allclose(Operator(from_tket(*to_tket(circuit)[:1], circuit, {})).data, Operator(circuit).data)


@pytest.mark.parametrize("seed", range(6))
def test_the_peephole_pass_is_equal_with_its_phase(seed: int) -> None:
    circuit = drawn(seed)
    made = peephole(circuit)
    assert np.allclose(Operator(made).data, Operator(circuit).data)
    assert made.num_nonlocal_gates() <= circuit.num_nonlocal_gates()


def test_symbols_come_back_as_the_very_parameters() -> None:
    a, b = Parameter("a"), Parameter("pi*b")
    circuit = QuantumCircuit(2)
    circuit.rx(2 * a - b / 3 + 0.25, 0)
    circuit.cx(0, 1)
    circuit.cx(0, 1)
    circuit.rz(b, 1)
    circuit.rz(a, 1)
    made = peephole(circuit)
    assert set(made.parameters) == {a, b}
    assert made.num_nonlocal_gates() == 0, "the pair of CX cancels"
    values = {a: 0.4, b: 1.3}
    assert Operator(made.assign_parameters(values)).equiv(Operator(circuit.assign_parameters(values)))


def test_an_angle_that_is_no_linear_function_stays_with_qiskit() -> None:
    a, b = Parameter("a"), Parameter("b")
    for angle in (a * b, a**2, a.sin()):
        circuit = QuantumCircuit(1)
        circuit.rx(angle, 0)
        with pytest.raises(NotRewritten):
            peephole(circuit)


def test_a_gate_beyond_the_basis_is_declined() -> None:
    circuit = QuantumCircuit(2)
    circuit.swap(0, 1)
    with pytest.raises(NotRewritten, match="swap"):
        to_tket(circuit)
