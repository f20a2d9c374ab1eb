"""Stories of writing Qiskit's circuits as programs; Qiskit's own operators and Aer's branches are the judges."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr
from qiskit.circuit.library import (
    DiagonalGate,
    MCXGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
    quantum_volume,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Clifford, Operator, random_clifford, random_unitary

from backends.matrices import matrix_of
from backends.program import GATES, WIDE, Clause, Op, Program, Unflat
from backends.programming import Template, program_of, template_of

STANDARD = get_standard_gate_name_mapping()


def operator(program: Program) -> Operator:
    """The whole program as one matrix, by Qiskit's products."""
    whole = Operator(np.eye(1 << program.qubits))
    for op in program.operations:
        assert op.name in GATES or op.name in WIDE
        whole = whole.compose(Operator(matrix_of(op)), qargs=list(op.qubits))
    return whole


def written(circuit: QuantumCircuit) -> Program:
    program = program_of(circuit)
    assert isinstance(program, Program)
    return program


@pytest.mark.parametrize("name", sorted(set(STANDARD) - {"measure", "reset", "delay"}))
def test_every_standard_gate_keeps_its_meaning(name: str) -> None:
    gate = STANDARD[name]
    gate = type(gate)(*(0.3, -1.1, 2.2, 0.7)[: len(gate.params)]) if gate.params else gate
    circuit = QuantumCircuit(max(2, gate.num_qubits))
    circuit.append(gate, list(reversed(range(gate.num_qubits))))
    assert operator(written(circuit)).equiv(Operator(circuit))


@pytest.mark.parametrize("seed", range(5))
def test_random_circuits_keep_their_meaning(seed: int) -> None:
    circuit = random_circuit(4, 8, max_operands=4, seed=seed)
    assert operator(written(circuit)).equiv(Operator(circuit))


def test_definitions_matrices_cliffords_and_controls_keep_their_meaning() -> None:
    circuit = QuantumCircuit(4)
    circuit.append(quantum_volume(3, 2, seed=1).to_gate(), [2, 0, 1])
    circuit.append(UnitaryGate(random_unitary(2, seed=5)), [3])
    circuit.append(Clifford(random_clifford(3, seed=2)), [0, 3, 1])
    circuit.append(MCXGate(3), [3, 1, 0, 2])
    circuit.append(MCXGate(1), [3, 1])
    circuit.pauli("XIYZ", [0, 1, 2, 3])
    circuit.mcp(0.7, [0, 1, 2], 3)
    circuit.append(DiagonalGate([1, 1j, -1, 1]), [0, 2])
    assert operator(written(circuit)).equiv(Operator(circuit))


@pytest.mark.parametrize("seed", range(40))
def test_matrices_of_one_qubit_become_turns(seed: int) -> None:
    special = [[[0, 1], [1, 0]], [[0, 1j], [1, 0]], [[1, 0], [0, 1j]], [[0, -1j], [1j, 0]]]
    matrix = np.array(special[seed], dtype=complex) if seed < len(special) else random_unitary(2, seed=seed).data
    circuit = QuantumCircuit(1)
    circuit.unitary(matrix, [0])
    (op,) = written(circuit).operations
    assert op.name == "u"
    assert Operator(matrix_of(op)).equiv(Operator(matrix))


def test_barriers_delays_and_identities_are_gone() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.id(0)
    circuit.barrier()
    circuit.delay(10, 0)
    circuit.measure(1, 0)
    assert written(circuit).operations == (Op("measure", (1,), (), (0,)),)


def test_parameters_are_filled_in_for_every_set() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.rx(2 * a + 1, 0)
    circuit.r(a, b, 1)
    circuit.u(0.5, a * b, b, 0)
    template = template_of(circuit)
    assert not isinstance(template, Unflat)
    values = np.array([[0.2, -0.4], [1.5, 3.0], [0.0, 0.0]])
    for numbers, program in zip(values, template.programs(values), strict=True):
        assert operator(program).equiv(Operator(circuit.assign_parameters(numbers)))


def test_branches_become_conditions() -> None:
    circuit = QuantumCircuit(2, 3)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
        with circuit.if_test((circuit.cregs[0], 5)):
            circuit.z(0)
    with otherwise:
        circuit.h(1)
    first = Clause((0,), (1,))
    assert written(circuit).operations[1:] == (
        Op("x", (1,), (), (), (first,)),
        Op("z", (0,), (), (), (first, Clause((0, 1, 2), (5,)))),
        Op("h", (1,), (), (), (first._replace(inside=False),)),
    )


def test_a_switch_becomes_conditions_and_its_default_is_what_no_case_names() -> None:
    circuit = QuantumCircuit(1, 2)
    with circuit.switch(circuit.cregs[0]) as case:
        with case(1, 2):
            circuit.x(0)
        with case(case.DEFAULT):
            circuit.y(0)
    assert [op.condition for op in written(circuit).operations] == [
        (Clause((0, 1), (1, 2)),),
        (Clause((0, 1), (1, 2), False),),
    ]


def test_loops_over_numbers_are_unrolled_with_their_number() -> None:
    circuit = QuantumCircuit(1)
    angle = Parameter("a")
    with circuit.for_loop(range(3), angle):
        circuit.rx(angle * 0.5, 0)
        circuit.h(0)
    assert [op.params for op in written(circuit).operations if op.name == "rx"] == [(0.0,), (0.5,), (1.0,)]


def test_expressions_become_conditions() -> None:
    circuit = QuantumCircuit(1, 3)
    bits, register = circuit.clbits, circuit.cregs[0]
    with circuit.if_test(expr.logic_and(expr.lift(bits[0]), expr.logic_not(bits[2]))):
        circuit.x(0)
    with circuit.if_test(expr.not_equal(register, 3)):
        circuit.y(0)
    assert [op.condition for op in written(circuit).operations] == [
        (Clause((0, 2), (1,)),),
        (Clause((0, 1, 2), (3,), False),),
    ]


def test_what_no_condition_can_express_is_told() -> None:
    endless = QuantumCircuit(1, 1)
    with endless.while_loop((endless.clbits[0], 0)):
        endless.measure(0, 0)
    computed = QuantumCircuit(1, 11)
    with computed.if_test(expr.less(computed.cregs[0], 3)):
        computed.x(0)
    biting = QuantumCircuit(1, 1)
    with biting.if_test((biting.clbits[0], 0)):
        biting.measure(0, 0)
        biting.x(0)
    for circuit in (endless, computed, biting):
        unflat = program_of(circuit)
        assert isinstance(unflat, Unflat)
        assert unflat.reason


def test_values_may_be_those_of_a_circuit_that_had_more_parameters() -> None:
    """What compilers cancel is gone from their circuit, and not from the values that people send."""
    lost, kept = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.ry(kept, 0)
    template = template_of(circuit, parameters=(lost, kept))
    assert isinstance(template, Template)
    (program,) = template.programs(np.array([[0.25, 0.5]]))
    assert program.operations[0].params == (0.5,)


def test_what_takes_time_is_kept_where_a_device_asks() -> None:
    circuit = QuantumCircuit(2)
    circuit.delay(3, 0, "us")
    circuit.delay(10, 1, "dt")
    circuit.barrier()
    circuit.x(0)
    plain, timed = template_of(circuit), template_of(circuit, dt_ns=0.5)
    assert isinstance(plain, Template)
    assert isinstance(timed, Template)
    assert [op.name for op in plain.program.operations] == ["x"]
    assert [(op.name, op.qubits, op.params) for op in timed.program.operations] == [
        ("delay", (0,), (3_000.0,)),
        ("delay", (1,), (5.0,)),
        ("barrier", (0, 1), ()),
        ("x", (0,), ()),
    ]
