"""Circuits that are to run as they are: taken, or refused with the gate, its qubits and what to do."""

from __future__ import annotations

import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.circuit.library import CXGate
from qiskit.transpiler import Target

from backends.compiling.calibrated import Calibrated
from backends.compiling.isa import check_isa
from backends.rejected import Rejected


def refusal(circuit: QuantumCircuit, target: Target) -> Rejected:
    with pytest.raises(Rejected) as refused:
        check_isa(circuit, target)
    assert refused.value.code == "circuit_not_isa"
    assert "let the service compile it" in refused.value.detail
    return refused.value


def test_native_gates_in_their_places_are_taken(calibrated: Calibrated) -> None:
    circuit = QuantumCircuit(7, 2)
    circuit.sx(6)
    circuit.rz(Parameter("a"), 0)
    circuit.rz(0.3, 0)
    circuit.cz(3, 5)
    circuit.delay(100, 2)
    circuit.barrier()
    circuit.measure(6, 0)
    with circuit.if_test((0, 1)):
        circuit.cz(1, 0)
    check_isa(circuit, calibrated.target)


def test_a_foreign_gate_is_named(calibrated: Calibrated) -> None:
    circuit = QuantumCircuit(2)
    circuit.sx(0)
    circuit.cx(0, 1)
    found = refusal(circuit, calibrated.target)
    assert "instruction 1 is cx on qubits 0, 1, which the device does not have" in found.detail
    assert found.fields == {"gate": "cx", "qubits": [0, 1], "instruction": "instruction 1"}


def test_a_gate_between_qubits_that_do_not_meet_is_told_the_nearest(calibrated: Calibrated) -> None:
    circuit = QuantumCircuit(5)
    circuit.cz(0, 4)
    assert "nearest it has it on qubits 0, 1; qubits 1, 0; qubits 4, 5" in refusal(circuit, calibrated.target).detail


def test_a_gate_inside_a_branch_is_found_by_its_own_qubits(calibrated: Calibrated) -> None:
    circuit = QuantumCircuit(7, 1)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.cz(2, 6)
    found = refusal(circuit, calibrated.target)
    assert found.fields["qubits"] == [2, 6]
    assert "instruction 1 (if_else), instruction 0 is cz" in found.detail


def test_the_direction_of_a_gate_counts() -> None:
    target = Target(num_qubits=2)
    target.add_instruction(CXGate(), {(1, 0): None})
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    assert "the other way round only, on qubits 1, 0" in refusal(circuit, target).detail


def test_a_circuit_wider_than_the_device(calibrated: Calibrated) -> None:
    assert refusal(QuantumCircuit(8), calibrated.target).fields == {"qubits": 8, "qubits_max": 7}
