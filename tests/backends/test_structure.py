"""Counting by multiplicity says what expanding would have found, without expanding."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import qasm2
from qiskit.circuit import Gate, Parameter, QuantumCircuit
from qiskit.circuit.annotated_operation import AnnotatedOperation, ControlModifier, PowerModifier
from qiskit.circuit.library import (
    DiagonalGate,
    MCXGate,
    PauliEvolutionGate,
    PauliGate,
    PermutationGate,
    QFTGate,
    StatePreparation,
    UnitaryGate,
    XGate,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import SparsePauliOp, random_clifford
from qiskit.synthesis import SuzukiTrotter

from backends.limits import Limits
from backends.rejected import Rejected
from backends.structure import Structure, structure_of


def count(circuit: QuantumCircuit, **limits: float) -> Structure:
    return structure_of(circuit, Limits.from_json(limits))


def refused(circuit: QuantumCircuit, **limits: float) -> Rejected:
    with pytest.raises(Rejected) as caught:
        count(circuit, **limits)
    return caught.value


def one_gate(gate: Any, qubits: int | None = None) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits or gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


def test_a_bell_pair() -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    assert count(circuit) == Structure(4, 1, 1, 3, clifford=True, measured=True, active=2)


@given(st.integers(0, 10**6))
def test_flat_circuits_count_as_qiskit_counts(seed: int) -> None:
    circuit = random_circuit(5, 6, max_operands=2, seed=seed)
    found = count(circuit)
    assert found.operations == circuit.size()
    assert found.depth == circuit.depth()
    assert found.gates_1q == sum(len(one.qubits) == 1 for one in circuit.data)
    assert found.gates_2q == sum(len(one.qubits) == 2 for one in circuit.data)


@given(st.integers(0, 10**6), st.integers(1, 3))
def test_nested_definitions_count_as_expanding_would(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    body = random_circuit(3, 2, max_operands=2, seed=seed)
    for level in range(depth):
        outer = QuantumCircuit(3, name=f"level{level}")
        for _ in range(2):
            outer.append(body.to_gate(), rng.permutation(3).tolist())
        outer.cx(0, 1)
        body = outer
    flat = body.decompose([f"level{level}" for level in range(depth)] + ["circuit*"], reps=depth + 1)
    found = count(body)
    assert (found.operations, found.gates_1q, found.gates_2q) == (
        flat.size(),
        sum(len(one.qubits) == 1 for one in flat.data),
        sum(len(one.qubits) == 2 for one in flat.data),
    )
    assert found.depth >= flat.depth()


def test_shared_definitions_are_counted_once_and_used_often() -> None:
    """2³⁰ operations behind thirty definitions are counted in milliseconds."""
    body = QuantumCircuit(1, name="g")
    body.x(0)
    for _ in range(30):
        gate = Gate("g", 1, [])
        gate.definition = body
        body = QuantumCircuit(1)
        body._append(gate, body.qubits, [])
        body._append(gate, body.qubits, [])
    began = time.perf_counter()
    assert count(body, operations=2**40, definition_depth=40).operations == 2**30
    assert refused(body, operations=2**30 - 1, definition_depth=40).fields["operations"] == 2**30
    assert refused(body, definition_depth=29).fields == {"definition_depth": 30, "definition_depth_max": 29}
    assert time.perf_counter() - began < 0.5


def test_definitions_that_are_made_anew_each_time_stop_at_the_limit() -> None:
    """The OpenQASM 2 reader makes every gate its own definition, so nothing is shared; counting gives up in time."""
    text = "OPENQASM 2.0; gate g0 a { U(0,0,0) a; } " + " ".join(
        f"gate g{level} a {{ g{level - 1} a; g{level - 1} a; }}" for level in range(1, 30)
    )
    circuit = qasm2.loads(text + " qreg q[1]; g29 q[0];")
    assert refused(circuit, operations=1000).fields["operations_max"] == 1000


@pytest.mark.parametrize(
    ("gate", "operations", "pairs"),
    [
        (UnitaryGate(np.eye(8)), 1, 0),
        (PauliGate("XYZ"), 1, 0),
        (MCXGate(6), 1, 0),
        (QFTGate(4), 12, 8),
        (DiagonalGate([1, -1, 1, -1]), 8, 8),
        (StatePreparation([0.5] * 4), 8, 8),
        (PermutationGate([2, 0, 1]), 9, 0),
        (random_clifford(3, seed=1), 9, 0),
        (PauliEvolutionGate(SparsePauliOp(["XX", "ZI"]), 0.1), 8, 8),
        (PauliEvolutionGate(SparsePauliOp(["XX", "ZI"]), 0.1, synthesis=SuzukiTrotter(order=2, reps=3)), 48, 48),
        (AnnotatedOperation(XGate(), [PowerModifier(7)]), 7, 0),
        (AnnotatedOperation(XGate(), [ControlModifier(2), PowerModifier(-3)]), 48, 0),
        (AnnotatedOperation(AnnotatedOperation(XGate(), [PowerModifier(2)]), [PowerModifier(2.5)]), 6, 0),
    ],
)
def test_library_gates_count_by_their_size(gate: Any, operations: int, pairs: int) -> None:
    found = count(one_gate(gate))
    assert (found.operations, found.gates_2q) == (operations, pairs)


@pytest.mark.parametrize(
    ("gate", "limits", "field"),
    [
        (UnitaryGate(np.eye(8)), {"unitary_qubits": 2}, "unitary_qubits"),
        (DiagonalGate([1] * 8), {"state_qubits": 2}, "state_qubits"),
        (StatePreparation([1, 0, 0, 0]), {"state_qubits": 1}, "state_qubits"),
        (
            PauliEvolutionGate(SparsePauliOp(["XX"]), 0.1, synthesis=SuzukiTrotter(reps=5)),
            {"evolution_reps": 4},
            "evolution_reps",
        ),
        (PauliEvolutionGate(SparsePauliOp(["XX"] * 3), 0.1), {"operations": 2}, "operations"),
        (AnnotatedOperation(XGate(), [PowerModifier(1e9)]), {}, "power"),
        (AnnotatedOperation(QFTGate(4), [PowerModifier(100)]), {"operations": 1000}, "operations"),
        (QFTGate(4), {"operations": 11}, "operations"),
    ],
)
def test_library_gates_beyond_their_size(gate: Any, limits: dict[str, float], field: str) -> None:
    refusal = refused(one_gate(gate), **limits)
    assert refusal.code == "circuit_too_large"
    assert f"{field}_max" in refusal.fields


def test_control_flow_counts_all_blocks_and_every_round() -> None:
    circuit = QuantumCircuit(2, 1)
    with circuit.for_loop(range(10)):
        circuit.x(0)
        with circuit.for_loop((3, 4)):
            circuit.cx(0, 1)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.h(0)
    with otherwise:
        circuit.t(0)
        circuit.s(0)
    found = count(circuit)
    assert (found.gates_1q, found.gates_2q) == (13, 20)
    assert found.operations == 1 + 10 * (1 + 1 + 2) + 1 + 3
    assert found.control_flow
    assert not found.clifford
    assert refused(circuit, loop_product=19).fields == {"iterations": 20, "iterations_max": 19}
    assert refused(circuit, control_flow_depth=1).code == "control_flow_too_deep"


@pytest.mark.parametrize(
    ("make", "mid_circuit", "active"),
    [
        (lambda c: c.measure([0, 1], [0, 1]), False, 0),
        (lambda c: (c.h(0), c.measure([0, 1], [0, 1])), False, 1),
        (lambda c: (c.h(0), c.measure(0, 0), c.h(1)), False, 2),
        (lambda c: (c.h(0), c.measure(0, 0), c.h(0)), True, 1),
        (lambda c: (c.h(0), c.measure(0, 0), c.measure(0, 1)), False, 1),
        (lambda c: (c.measure(0, 0), c.barrier(), c.delay(1, 0)), False, 0),
        (lambda c: (c.reset(0), c.h(0)), False, 1),
        (lambda c: (c.h(0), c.reset(0)), True, 1),
        (lambda c: (c.h(0), c.measure(0, 0), c.cx(0, 1), c.measure(2, 1)), True, 3),
    ],
)
def test_what_has_to_be_simulated(make: Any, mid_circuit: bool, active: int) -> None:
    circuit = QuantumCircuit(5, 2)
    make(circuit)
    found = count(circuit)
    assert (found.mid_circuit, found.active) == (mid_circuit, active)


def test_a_measurement_inside_a_definition_may_come_before_anything() -> None:
    inner = QuantumCircuit(1, 1)
    inner.h(0)
    inner.measure(0, 0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(inner.to_instruction(), [0], [0])
    found = count(circuit)
    assert (found.measured, found.mid_circuit, found.operations) == (True, True, 2)


def test_clifford_is_found_through_definitions_and_angles() -> None:
    inner = QuantumCircuit(2, name="inner")
    inner.h(0)
    inner.rz(np.pi / 2, 0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(2)
    circuit.append(inner.to_gate(), [0, 1])
    assert count(circuit).clifford
    circuit.rz(0.1, 0)
    assert not count(circuit).clifford
    turning = QuantumCircuit(1)
    turning.rz(Parameter("t"), 0)
    assert not count(turning).clifford


def test_modified_gates_are_a_level_of_definition() -> None:
    inner = QuantumCircuit(1, name="inner")
    inner.x(0)
    circuit = one_gate(AnnotatedOperation(inner.to_gate(), [PowerModifier(2)]))
    assert count(circuit, definition_depth=2).operations == 2
    assert refused(circuit, definition_depth=1).fields == {"definition_depth": 2, "definition_depth_max": 1}


def test_a_gate_without_meaning_is_refused() -> None:
    assert refused(one_gate(Gate("magic", 2, []))).fields == {"gate": "magic"}


def test_angles_are_finite() -> None:
    for angle in (float("nan"), float("inf")):
        circuit = QuantumCircuit(1)
        circuit.rx(angle, 0)
        assert refused(circuit).code == "circuit_invalid"
