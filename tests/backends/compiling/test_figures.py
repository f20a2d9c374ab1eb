"""Figures by hand: gates, time, waiting, branches and loops."""

from __future__ import annotations

import math

import pytest
from qiskit.circuit import Measure, Parameter, QuantumCircuit, Reset
from qiskit.circuit.library import CZGate, SXGate
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

from backends.compiling.calibrated import Calibrated
from backends.compiling.figures import figures_of

T1, T2 = 100e-6, 80e-6


@pytest.fixture(scope="module")
def device() -> Calibrated:
    target = Target(num_qubits=3, dt=1e-9, qubit_properties=[QubitProperties(t1=T1, t2=T2)] * 3)
    target.add_instruction(SXGate(), {(q,): InstructionProperties(50e-9, 0.001) for q in range(3)})
    target.add_instruction(CZGate(), {(0, 1): InstructionProperties(200e-9, 0.01), (1, 2): None})
    target.add_instruction(Measure(), {(q,): InstructionProperties(1e-6, 0.02) for q in range(3)})
    target.add_instruction(Reset(), {(q,): None for q in range(3)})
    return Calibrated(target)


def kept(idle_s: float) -> float:
    return (1 + math.exp(-idle_s / T1) + 2 * math.exp(-idle_s / T2)) / 4


def test_gates_and_measurements_multiply(device: Calibrated) -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    found = figures_of(circuit, device)
    assert (found.two_qubit_gates, found.depth, found.schedule_ns) == (1, 3, 1250)
    assert found.predicted_success == pytest.approx(0.999 * 0.99 * 0.98)
    assert found.unknown == ()


def test_waiting_between_first_and_last_gate_decays(device: Calibrated) -> None:
    circuit = QuantumCircuit(2)
    circuit.cz(0, 1)
    for _ in range(10):
        circuit.sx(0)
    circuit.cz(0, 1)
    assert figures_of(circuit, device).predicted_success == pytest.approx(0.99**2 * 0.999**10 * kept(500e-9))


def test_gates_come_as_late_as_they_can(device: Calibrated) -> None:
    circuit = QuantumCircuit(2)
    circuit.sx(1)
    for _ in range(10):
        circuit.sx(0)
    circuit.cz(0, 1)
    assert figures_of(circuit, device).predicted_success == pytest.approx(0.99 * 0.999**11), "qubit 1 never waits"


def test_a_delay_is_waiting(device: Calibrated) -> None:
    circuit = QuantumCircuit(1)
    circuit.sx(0)
    circuit.delay(3000, 0, unit="dt")
    circuit.delay(2, 0, unit="us")
    circuit.delay(Parameter("t"), 0)
    circuit.sx(0)
    found = figures_of(circuit, device)
    assert found.schedule_ns == 5100
    assert found.predicted_success == pytest.approx(0.999**2 * kept(5e-6))


def test_a_barrier_holds_what_follows(device: Calibrated) -> None:
    circuit = QuantumCircuit(2)
    circuit.sx(0)
    circuit.barrier()
    circuit.sx(1)
    assert figures_of(circuit, device).schedule_ns == 100


def test_branches_count_as_the_worse_one_and_loops_as_often_as_they_run(device: Calibrated) -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.sx(1)
    with otherwise:
        circuit.cz(0, 1)
    with circuit.for_loop(range(3)):
        circuit.sx(0)
    found = figures_of(circuit, device)
    assert (found.two_qubit_gates, found.schedule_ns) == (1, 1000 + 200 + 150)
    assert found.predicted_success == pytest.approx(0.98 * 0.99 * 0.999**3)


def test_what_the_target_does_not_tell_is_named(device: Calibrated) -> None:
    circuit = QuantumCircuit(3)
    circuit.cz(1, 2)
    circuit.reset(0)
    found = figures_of(circuit, device)
    assert (found.predicted_success, found.unknown) == (1.0, ("cz", "reset"))
    assert found.to_json()["without_figures"] == ["cz", "reset"]


def test_an_empty_circuit_is_perfect(device: Calibrated) -> None:
    assert figures_of(QuantumCircuit(), device).to_json() == {
        "two_qubit_gates": 0,
        "depth": 0,
        "schedule_ns": 0,
        "predicted_success": 1.0,
    }
