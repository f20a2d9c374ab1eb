"""Keys of circuits: equal for equal content, different for any other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qiskit.circuit import Gate, Parameter, QuantumCircuit
from qiskit.circuit.library import PermutationGate, QFTGate, UnitaryGate
from qiskit.circuit.random import random_circuit

from backends.compiling.content import content_key


@pytest.mark.parametrize("seed", range(5))
def test_equal_circuits_have_one_key(seed: int) -> None:
    one, other = (random_circuit(4, 5, max_operands=4, seed=seed, measure=True) for _ in range(2))
    other.name, other.metadata = "x", {"y": 1}
    assert content_key(one) == content_key(other) is not None


def custom(turn: float) -> Gate:
    inner = QuantumCircuit(1, name="mine")
    inner.rx(turn, 0)
    return inner.to_gate()


def with_gate(gate: Gate, *qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(3, 2)
    circuit.append(gate, qubits)
    return circuit


def turned(angle: object, place: int = 0) -> QuantumCircuit:
    circuit = QuantumCircuit(3, 2)
    circuit.rx(angle, place)
    return circuit


def made(build: Callable[[QuantumCircuit], object]) -> QuantumCircuit:
    circuit = QuantumCircuit(3, 2)
    build(circuit)
    return circuit


def test_any_change_of_content_is_another_key() -> None:
    a = Parameter("a")
    circuits = [
        QuantumCircuit(3, 2),
        QuantumCircuit(3, 1),
        QuantumCircuit(2, 2),
        QuantumCircuit(3, 2, global_phase=1.0),
        turned(0.1),
        turned(0.1, 1),
        turned(np.nextafter(0.1, 1)),
        turned(a),
        turned(Parameter("b")),
        turned(a / 3),
        turned(a * np.nextafter(1 / 3, 1)),
        with_gate(custom(0.1), 0),
        with_gate(custom(0.2), 0),
        with_gate(QFTGate(2), 0, 1),
        with_gate(UnitaryGate(np.diag([1, 1j])), 0),
        with_gate(UnitaryGate(np.diag([1, -1j])), 0),
        with_gate(PermutationGate([1, 0, 2]), 0, 1, 2),
        with_gate(PermutationGate([1, 2, 0]), 0, 1, 2),
        made(lambda circuit: circuit.cx(0, 1)),
        made(lambda circuit: circuit.cx(0, 1, ctrl_state=0)),
        made(lambda circuit: circuit.measure(0, 0)),
        made(lambda circuit: circuit.measure(0, 1)),
        made(lambda circuit: circuit.delay(10, 0, unit="ns")),
        made(lambda circuit: circuit.delay(10, 0, unit="us")),
        made(lambda circuit: circuit.barrier(0)),
        made(lambda circuit: circuit.barrier(0, 1)),
    ]
    keys = [content_key(circuit) for circuit in circuits]
    assert None not in keys
    assert len(set(keys)) == len(circuits)


def test_registers_of_bits_are_content() -> None:
    def bits(*sizes: int) -> QuantumCircuit:
        from qiskit.circuit import ClassicalRegister

        return QuantumCircuit(*(ClassicalRegister(size, f"r{place}") for place, size in enumerate(sizes)))

    assert content_key(bits(1, 2)) != content_key(bits(2, 1))


def test_branches_and_what_nothing_defines_have_none() -> None:
    branching = QuantumCircuit(1, 1)
    with branching.if_test((0, 1)):
        branching.x(0)
    opaque = QuantumCircuit(1)
    opaque.append(Gate("opaque", 1, []), [0])
    assert content_key(branching) is content_key(opaque) is None
