"""OpenQASM 3 imports as Qiskit's importer does it, with every multiplication charged before it is built."""

from __future__ import annotations

import pytest
from qiskit import qasm3
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import QFTGate
from qiskit.quantum_info import Operator

from backends.limits import Limits
from backends.qasm3_import import import_qasm3
from backends.rejected import Rejected

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def load(text: str, **limits: float) -> QuantumCircuit:
    return import_qasm3(HEAD + text, Limits.from_json(limits))


def refused(text: str, **limits: float) -> Rejected:
    with pytest.raises(Rejected) as caught:
        load(text, **limits)
    return caught.value


def test_a_program_with_everything() -> None:
    text = """
    input angle turn;
    gate pair(a) p, q { cx p, q; rz(a/2) q; gphase(0.1); }
    qubit[3] q; bit[3] c; bit flag;
    let front = q[0:1];
    h front;
    pair(turn) q[0], q[2];
    inv @ pair(0.3) q[0], q[2];
    ctrl @ x q[0], q[1];
    pow(0.5) @ x q[2];
    flag = measure q[0];
    if (flag) { x q[1]; } else { z q[1]; }
    for int i in [0:2] { rx(i) q[0]; }
    while (flag) { reset q[0]; flag = measure q[0]; }
    barrier q;
    delay[10ns] q[0];
    c = measure q;
    """
    expected = qasm3.loads(HEAD + text)
    found = load(text)
    assert found.count_ops() == expected.count_ops()
    assert [register.name for register in found.cregs] == [register.name for register in expected.cregs]
    assert found.num_parameters == 1


def test_what_qiskit_writes_comes_back() -> None:
    circuit = QuantumCircuit(4)
    circuit.h(0)
    circuit.append(QFTGate(4), range(4))
    circuit.rzz(0.3, 0, 2)
    circuit.ecr(1, 3)
    assert Operator(import_qasm3(qasm3.dumps(circuit), Limits())).equiv(Operator(circuit))


@pytest.mark.parametrize(
    ("text", "operations"),
    [
        ("qubit[5] q; h q;", 5),
        ("qubit[5] q; qubit[5] r; cx q, r;", 5),
        ("qubit[5] q; bit[5] c; c = measure q;", 5),
        ("qubit[5] q; bit[5] c = measure q;", 0),
        ("qubit[5] q; reset q;", 5),
        ("qubit[5] q; delay[1ns] q;", 5),
        ("gate two a { x a; x a; } qubit[5] q; two q;", 10),
        ("gate two a { x a; x a; } gate four a { two a; two a; } qubit[5] q; four q;", 20),
        ("qubit[5] q; for int i in [1:7] { h q; }", 35),
        ("qubit[5] q; for int i in {1, 5} { for int j in [0:2:4] { x q[0]; } }", 6),
        ("gate two a { x a; x a; } qubit[3] q; ctrl @ two q[0], q[1];", 16),
    ],
)
def test_operations_are_charged_by_multiplicity(text: str, operations: int) -> None:
    load(text, operations=operations)
    if operations:
        assert refused(text, operations=operations - 1).fields["operations_max"] == operations - 1


def test_registers_add_up_whatever_the_expression() -> None:
    text = "qubit q; qubit[2*2] r; bit[3] c;"
    assert load(text, qubits=5, clbits=3).num_qubits == 5
    assert refused(text, qubits=4).fields == {"qubits": 5, "qubits_max": 4}
    assert refused(text, clbits=2).fields == {"clbits": 3, "clbits_max": 2}


def test_copies_of_definitions_are_bounded_even_where_nothing_uses_them() -> None:
    text = "gate g0 a { x a; x a; } gate g1 a { g0 a; g0 a; } gate g2 a { g1 a; g1 a; } qubit q;"
    load(text, qasm3_copies=12)
    assert refused(text, qasm3_copies=11).fields["copied_operations_max"] == 11
    assert refused(text, definition_depth=2).fields == {"definition_depth_max": 2}


def test_controls_and_powers_are_bounded() -> None:
    assert refused("qubit[3] q; ctrl(3) @ x q[0], q[1], q[2], q[2];", qubits=3).fields["qubits"] == 4
    assert refused("qubit[3] q; pow(2) @ ctrl(2) @ x q[0], q[1], q[2];", unitary_qubits=2).fields["qubits"] == 3


def test_loops_and_blocks_are_bounded() -> None:
    loop = "qubit q; for int i in [1:10] { for int j in [1:10] { x q; } }"
    load(loop, loop_product=100, control_flow_depth=2)
    assert refused(loop, loop_product=99).fields == {"iterations": 100, "iterations_max": 99}
    assert refused(loop, control_flow_depth=1).code == "control_flow_too_deep"
    blocks = "qubit q; bit c; if (c) { while (c) { box { x q; } } } if (c) { x q; }"
    load(blocks, control_flow_depth=3)
    assert refused(blocks, control_flow_depth=2).fields == {"depth_max": 2}


def test_a_syntax_error_says_where() -> None:
    refusal = refused("qubit[2] q;\nh q[;")
    assert refusal.code == "circuit_invalid"
    assert "line 4:4" in refusal.detail


def test_physical_qubits_make_a_circuit_that_wide() -> None:
    assert load("h $4;").num_qubits == 5
    assert refused("h $4;", qubits=4).code == "circuit_too_large"


def test_long_text_is_sent_elsewhere() -> None:
    refusal = refused("qubit q;" + " " * 1000, qasm3_bytes=500)
    assert refusal.code == "circuit_too_large"
    assert "QPY" in refusal.detail
