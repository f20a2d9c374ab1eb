"""A gate is what its matrix says: Clifford steps are checked against it, names are not believed."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import qasm2
from qiskit.circuit import Gate, Parameter, QuantumCircuit
from qiskit.circuit.library import MCXGate, PauliGate, RXGate, UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford, Operator

from backends.gates import CLIFFORD, TURNING, clifford_steps, definition_of, is_clifford, is_genuine, quarter_turns
from backends.rejected import Rejected

STANDARD = get_standard_gate_name_mapping()


def turns_of(name: str) -> list[tuple[int, ...]]:
    return list(
        itertools.product(
            range(-2, 6) if len(STANDARD[name].params) == 1 else range(4), repeat=len(STANDARD[name].params)
        )
    )


@pytest.mark.parametrize("name", sorted(TURNING))
def test_turns_become_the_same_operator(name: str) -> None:
    for turns in turns_of(name):
        gate = STANDARD[name].base_class(*(turn * math.pi / 2 for turn in turns))
        steps = clifford_steps(name, gate.params)
        if steps is None:
            with pytest.raises(QiskitError):
                Clifford(gate)
            continue
        circuit = QuantumCircuit(gate.num_qubits)
        for step, places in steps:
            assert step in CLIFFORD
            circuit.append(STANDARD[step], places)
        assert Operator(circuit).equiv(Operator(gate)), (name, turns)


@pytest.mark.parametrize("name", sorted(set(STANDARD) - {"measure", "delay", "reset", "global_phase"}))
def test_what_is_called_clifford_is(name: str) -> None:
    """By Qiskit's own tableau, for gates without angles and for angles between the quarters."""
    gate = STANDARD[name]
    if gate.params:
        gate = gate.base_class(*[0.3] * len(gate.params))
    try:
        Clifford(gate)
        expected = True
    except QiskitError:
        expected = False
    assert is_clifford(name, gate.params) == expected


def test_parameters_are_no_turns() -> None:
    assert quarter_turns([Parameter("t")]) is None
    assert quarter_turns([math.nan]) is None
    assert quarter_turns([math.inf]) is None
    assert not is_clifford("rz", [Parameter("t")])


@given(st.integers(-(10**6), 10**6))
def test_turns_are_found_far_from_zero(turns: int) -> None:
    assert quarter_turns([turns * math.pi / 2]) == (turns % 4,)
    assert quarter_turns([(turns + 0.001) * math.pi / 2]) is None


def instruction(gate: Any, qubits: int) -> Any:
    circuit = QuantumCircuit(qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit.data[0]


def test_genuine_gates() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.barrier()
    circuit.delay(3, 0)
    assert all(is_genuine(one) for one in circuit.data)
    assert is_genuine(instruction(MCXGate(5), 6))
    assert is_genuine(instruction(PauliGate("XY"), 2))
    assert is_genuine(instruction(UnitaryGate(np.eye(4)), 2))


def test_a_name_alone_is_not_believed() -> None:
    program = "OPENQASM 2.0; gate h a { U(0.3,0.2,0.1) a; } gate mcx a,b { CX a,b; } qreg q[2]; h q[0]; mcx q[0],q[1];"
    assert [is_genuine(one) for one in qasm2.loads(program).data] == [False, False]
    assert not is_genuine(instruction(Gate("unitary", 1, []), 1))
    assert not is_genuine(instruction(Gate("measure", 1, []), 1))


def test_a_definition_that_fails_is_a_refusal() -> None:
    class Broken(Gate):
        def _define(self) -> None:
            raise TypeError("unsupported operand")

    assert definition_of(RXGate(0.1)) is not None
    assert definition_of(Gate("opaque", 1, [])) is None
    with pytest.raises(Rejected, match="unsupported operand") as caught:
        definition_of(Broken("broken", 1, []))
    assert caught.value.code == "circuit_invalid"
