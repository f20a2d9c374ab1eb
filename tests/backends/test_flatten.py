"""Rewriting over a basis keeps the operator, leaves what fits untouched, and believes definitions only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import qasm2
from qiskit.circuit import Gate, Instruction, Parameter, QuantumCircuit
from qiskit.circuit.annotated_operation import AnnotatedOperation, ControlModifier, InverseModifier, PowerModifier
from qiskit.circuit.library import (
    DiagonalGate,
    Initialize,
    LinearFunction,
    MCPhaseGate,
    MCXGate,
    PauliGate,
    PermutationGate,
    QFTGate,
    RXGate,
    StatePreparation,
    SwapGate,
    UCRYGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Clifford, Operator, Statevector, random_clifford, random_unitary

from backends.catalogue import catalogue
from backends.flatten import flatten
from backends.gates import CLIFFORD
from backends.rejected import Rejected

BASES = {spec.name: spec.basis_gates for spec in catalogue()}
NARROW = ("barrier", "cx", "delay", "id", "measure", "p", "reset", "rx", "ry", "rz", "u")
STANDARD = get_standard_gate_name_mapping()
NO_GATES = {"measure", "delay", "reset", "global_phase"}


def in_basis(circuit: QuantumCircuit, basis: Any) -> bool:
    return set(circuit.count_ops()) <= set(basis)


def one_gate(gate: Any) -> QuantumCircuit:
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


@pytest.mark.parametrize("basis", [BASES["aer"], BASES["aer-mps"], NARROW], ids=["aer", "mps", "narrow"])
@pytest.mark.parametrize("name", sorted(set(STANDARD) - NO_GATES))
def test_every_standard_gate_and_its_controlled_forms(name: str, basis: Any) -> None:
    gate = STANDARD[name]
    gate = gate.base_class(*(0.3 * place + 0.1 for place in range(len(gate.params)))) if gate.params else gate
    for form in (
        gate,
        gate.control(1, annotated=False),
        gate.control(1, ctrl_state=0, annotated=False),
        gate.inverse(),
    ):
        flat = flatten(one_gate(form), basis)
        assert in_basis(flat, basis)
        assert Operator(flat).equiv(Operator(form)), form.name


@pytest.mark.parametrize(
    "gate",
    [
        MCXGate(5),
        MCXGate(5, ctrl_state=9),
        MCPhaseGate(0.3, 3),
        UnitaryGate(random_unitary(8, seed=1)),
        DiagonalGate(np.exp(1j * np.arange(8))),
        PauliGate("XYZ"),
        QFTGate(3),
        PermutationGate([2, 0, 1]),
        LinearFunction([[1, 1, 0], [0, 1, 0], [1, 0, 1]]),
        UCRYGate([0.1, 0.2, 0.3, 0.4]),
        StatePreparation(np.arange(1, 9) / math.sqrt(204)),
        StatePreparation(np.arange(1, 9) / math.sqrt(204)).inverse(),
        AnnotatedOperation(RXGate(0.3), [ControlModifier(2), PowerModifier(2)]),
        AnnotatedOperation(SwapGate(), [ControlModifier(1, 0), InverseModifier()]),
        random_clifford(3, seed=2),
    ],
    ids=lambda gate: gate.name,
)
def test_library_gates(gate: Any) -> None:
    for basis in (BASES["aer"], BASES["aer-mps"], NARROW):
        flat = flatten(one_gate(gate), basis)
        assert in_basis(flat, basis)
        assert Operator(flat).equiv(Operator(one_gate(gate)))


@given(st.integers(0, 10**6))
@settings(max_examples=40)
def test_random_circuits_keep_their_operator(seed: int) -> None:
    circuit = random_circuit(4, 4, max_operands=4, seed=seed)
    flat = flatten(circuit, NARROW)
    assert in_basis(flat, NARROW)
    assert Operator(flat).equiv(Operator(circuit))


@given(st.integers(0, 10**6), st.lists(st.integers(-4, 8), min_size=6, max_size=6))
@settings(max_examples=40)
def test_clifford_circuits_keep_their_tableau(seed: int, turns: list[int]) -> None:
    quarter = math.pi / 2
    circuit = random_clifford(4, seed=seed).to_circuit()
    circuit.rz(turns[0] * quarter, 0)
    circuit.ry(turns[1] * quarter, 1)
    circuit.u(turns[2] * quarter, turns[3] * quarter, turns[4] * quarter, 2)
    circuit.rzz(turns[5] * quarter, 1, 3)
    circuit.cp(2 * turns[0] * quarter, 0, 3)
    circuit.iswap(0, 2)
    flat = flatten(circuit, BASES["aer-stabilizer"], clifford=True)
    assert set(flat.count_ops()) <= CLIFFORD & set(BASES["aer-stabilizer"])
    assert Clifford(flat) == Clifford(circuit)


def test_what_fits_is_the_same_object() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.barrier()
    circuit.measure([0, 1], [0, 1])
    assert flatten(circuit, BASES["aer"]) is circuit


def test_a_gate_is_what_its_program_says() -> None:
    program = "OPENQASM 2.0; gate h a { U(0.3,0.2,0.1) a; } gate cx a,b { CX b,a; } qreg q[2]; h q[0]; cx q[0],q[1];"
    circuit = qasm2.loads(program)
    expected = QuantumCircuit(2)
    expected.u(0.3, 0.2, 0.1, 0)
    expected.cx(1, 0)
    assert Operator(flatten(circuit, BASES["aer"])).equiv(Operator(expected))


def test_parameters_survive_definitions() -> None:
    angle = Parameter("angle")
    inner = QuantumCircuit(1, name="inner")
    inner.rx(2 * angle, 0)
    circuit = QuantumCircuit(1)
    circuit.append(inner.to_gate(), [0])
    flat = flatten(circuit, BASES["aer"])
    assert flat.count_ops() == {"rx": 1}
    assert set(flat.parameters) == {angle}
    assert Operator(flat.assign_parameters([0.4])).equiv(Operator(RXGate(0.8)))


@pytest.mark.parametrize("state", [[0.6, 0.8j], "+", 1])
def test_initial_states(state: Any) -> None:
    circuit = QuantumCircuit(1)
    circuit.append(Initialize(state, 1) if isinstance(state, int) else Initialize(state), [0])
    for basis in (BASES["aer"], BASES["aer-mps"]):
        flat = flatten(circuit, basis)
        assert in_basis(flat, basis)
        assert Statevector(flat).equiv(Statevector(circuit))
    whole = isinstance(state, list)
    assert ("initialize" in flatten(circuit, BASES["aer"]).count_ops()) == whole


def test_blocks_are_rewritten_and_boxes_opened() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.iswap(0, 1)
        with circuit.for_loop(range(2)):
            circuit.ch(0, 1)
    with circuit.box():
        circuit.dcx(0, 1)
    flat = flatten(circuit, BASES["aer"])
    assert flat.count_ops() == {"measure": 1, "if_else": 1, "cx": 2}
    block = flat.data[1].operation.blocks[0]
    assert in_basis(block, {*BASES["aer"], "for_loop"})
    assert "ch" not in block.data[-1].operation.blocks[0].count_ops()


def test_an_instruction_with_branches_inside_is_opened() -> None:
    inner = QuantumCircuit(1, 1)
    inner.measure(0, 0)
    with inner.if_test((inner.clbits[0], 1)):
        inner.x(0)
    whole = Instruction("whole", 1, 1, [])
    whole.definition = inner
    circuit = QuantumCircuit(2, 2)
    circuit.append(whole, [1], [1])
    flat = flatten(circuit, BASES["aer"])
    assert [one.name for one in flat.data] == ["measure", "if_else"]
    branch = flat.data[1]
    assert flat.find_bit(branch.qubits[0]).index == 1
    assert flat.find_bit(branch.operation.condition[0]).index == 1


def test_a_gate_without_meaning_is_refused() -> None:
    with pytest.raises(Rejected, match="magic") as caught:
        flatten(one_gate(Gate("magic", 1, [])), BASES["aer"])
    assert caught.value.code == "circuit_invalid"


def test_a_gate_defined_by_itself_is_refused() -> None:
    gate = Gate("ouroboros", 1, [])
    body = QuantumCircuit(1)
    gate.definition = body
    body._append(gate, body.qubits, [])
    circuit = QuantumCircuit(1)
    circuit._append(gate, circuit.qubits, [])
    with pytest.raises(Rejected, match="ouroboros"):
        flatten(circuit, BASES["aer"])
