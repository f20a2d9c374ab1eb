"""Pulses in the gaps: the same circuit, and a slow field undone."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit.transpiler import Target

from backends.compiling.calibrated import Calibrated
from backends.compiling.isa import check_isa
from backends.mitigation.decoupling import Unfit, decoupled
from backends.mitigation.options import SEQUENCES, Sequence
from backends.mitigation.trying import Runner


def waiting(measure: bool) -> QuantumCircuit:
    """Qubit 0 is in a superposition and waits while the others work."""
    circuit = QuantumCircuit(5, 1)
    circuit.rz(math.pi / 2, 0)
    circuit.sx(0)
    circuit.rz(math.pi / 2, 0)
    circuit.cz(0, 1)
    for _ in range(40):
        circuit.x(1)
    circuit.cz(0, 1)
    circuit.rz(math.pi / 2, 0)
    circuit.sx(0)
    circuit.rz(math.pi / 2, 0)
    if measure:
        circuit.measure(0, 0)
    return circuit


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_circuit_stays_the_same(sequence: Sequence, calibrated: Calibrated) -> None:
    circuit = waiting(measure=False)
    made = decoupled(circuit, calibrated.target, sequence)
    check_isa(made, calibrated.target)
    assert made.count_ops()["x"] > circuit.count_ops()["x"]
    assert Operator(made).equiv(Operator(circuit))


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_slow_field_is_undone(sequence: Sequence, calibrated: Calibrated, device: Callable[..., Runner]) -> None:
    target = calibrated.target
    made = decoupled(waiting(measure=True), target, sequence)
    plain = made.copy_empty_like()
    bare = [each for each in waiting(measure=True).data if each.name != "measure"]
    gap = sum(each.params[0] for each in made.data if each.name == "delay" and each.qubits == (made.qubits[0],))
    run = device(detuning_hz=0.25 / (gap * target.dt), dt_s=target.dt)
    for place, instruction in enumerate(bare):
        if place == 44:
            plain.delay(gap, 0)
        plain._append(instruction)
    plain.measure(0, 0)
    with_field, undone = run([plain, made], 2000)
    assert 800 < with_field["1"] < 1200, "a quarter turn leaves nothing of the superposition"
    assert undone == {"0": 2000}


def test_where_it_cannot_be_done_it_says_why(calibrated: Calibrated) -> None:
    branching = QuantumCircuit(5, 1)
    branching.measure(0, 0)
    with branching.if_test((0, 1)):
        branching.x(0)
    with pytest.raises(Unfit, match="branches"):
        decoupled(branching, calibrated.target, "XX")
    with pytest.raises(Unfit, match="no clock step"):
        decoupled(QuantumCircuit(1), Target(num_qubits=1), "XX")
    with pytest.raises(Unfit, match="no X pulse"):
        decoupled(QuantumCircuit(1), Target(num_qubits=1, dt=1e-9), "XX")
    untimed = Target(num_qubits=5, dt=1e-9)
    for name in ("x", "rz", "cz", "sx"):
        operation = calibrated.target.operation_from_name(name)
        untimed.add_instruction(operation, dict.fromkeys(calibrated.target[name]))
    with pytest.raises(Unfit, match="cannot be scheduled"):
        decoupled(waiting(measure=False), untimed, "XX")
    assert np.isclose(calibrated.target.dt, 2.22e-10), "the target itself is left alone"
    assert "y" not in calibrated.target.operation_names
