"""A calibrated target: its figures by gate and place, and a hash that changes with each of them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from qiskit.circuit import Parameter
from qiskit.circuit.library import CZGate, RZGate
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

from backends.compiling.calibrated import Calibrated, Cost


def target(error: float | None = 0.01, duration: float | None = 1e-7, t1: float | None = 1e-4) -> Target:
    made = Target(num_qubits=2, dt=1e-9, qubit_properties=[QubitProperties(t1=t1, t2=9e-4), QubitProperties()])
    made.add_instruction(CZGate(), {(0, 1): InstructionProperties(duration, error)})
    made.add_instruction(RZGate(Parameter("a")))
    return made


def test_figures_by_gate_and_place() -> None:
    calibrated = Calibrated(target())
    assert calibrated.cost("cz", (0, 1)) == Cost(math.log1p(-0.01), 1e-7)
    assert calibrated.cost("cz", (1, 0)) is None
    assert calibrated.cost("rz", (1,)) == Cost(None, None), "defined for any qubit, without figures"
    assert calibrated.cost("cx", (0, 1)) is None


def test_figures_of_gates_on_any_qubits_come_from_beside_the_target() -> None:
    free = {"rz": {None: Cost(-0.5, 1e-6), (1,): Cost(-0.25, 2e-6)}}
    calibrated = Calibrated(target(), free)
    assert calibrated.cost("rz", (0,)) == Cost(-0.5, 1e-6)
    assert calibrated.cost("rz", (1,)) == Cost(-0.25, 2e-6)
    assert calibrated.cost("cz", (0, 1)) == Cost(math.log1p(-0.01), 1e-7)
    assert calibrated.key != Calibrated(target()).key


def test_dephasing_is_never_slower_than_twice_relaxation() -> None:
    assert Calibrated(target()).coherence == ((1e-4, 2e-4), (math.inf, math.inf))


def test_a_dead_gate_never_succeeds() -> None:
    assert Calibrated(target(error=1.0)).cost("cz", (0, 1)) == Cost(-math.inf, 1e-7)


def test_equal_calibrations_are_one() -> None:
    assert Calibrated(target()) == Calibrated(target())
    assert hash(Calibrated(target())) == hash(Calibrated(target()))
    assert Calibrated(target()) != "a target"


@pytest.mark.parametrize("change", [{"error": 0.02}, {"error": None}, {"duration": 2e-7}, {"t1": 2e-5}])
def test_any_figure_makes_another_calibration(change: dict[str, Any]) -> None:
    assert Calibrated(target(**change)).key != Calibrated(target()).key


def test_another_gate_makes_another_calibration() -> None:
    fixed = target()
    fixed.add_instruction(RZGate(0.5), name="rz_half")
    other = target()
    other.add_instruction(RZGate(0.25), name="rz_half")
    assert len({Calibrated(each).key for each in (target(), fixed, other)}) == 3
