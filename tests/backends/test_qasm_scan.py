"""OpenQASM text is weighed before it is parsed: what multiplies out too far never reaches a parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import qasm2

from backends.limits import Limits
from backends.qasm_scan import check_hardware_qubits, check_nesting, check_signs, check_size, scan_qasm2
from backends.rejected import Rejected

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'


def weight(text: str) -> int:
    """The operations the scanner counts: the smallest limit it lets pass."""
    low, high = 0, 10**6
    while low < high:
        middle = (low + high) // 2
        try:
            scan_qasm2(HEAD + text, Limits(operations=middle, qubits=10**6, clbits=10**6))
            high = middle
        except Rejected:
            low = middle + 1
    return low


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("qreg q[3]; creg c[3];", 0),
        ("qreg q[3]; h q[0];", 1),
        ("qreg q[3]; h q;", 3),
        ("qreg q[3]; cx q[0],q[1];", 1),
        ("qreg q[3]; qreg r[3]; cx q,r;", 3),
        ("qreg q[3]; qreg r[3]; cx q[0],r;", 3),
        ("qreg q[3]; creg c[3]; measure q -> c;", 3),
        ("qreg q[3]; creg c[3]; measure q[0] -> c[1]; reset q;", 4),
        ("qreg q[3]; barrier q; barrier q[0],q[1];", 0),
        ("qreg q[3]; rx(sin(pi/2)*(1+2)) q;", 3),
        ("qreg q[3]; creg c[2]; if(c==3) h q;", 3),
        ("gate pair a,b { cx a,b; cx b,a; } qreg q[3]; qreg r[3]; pair q,r;", 6),
        ("gate pair(t) a,b { cx a,b; rx(t) a; barrier a; } qreg q[2]; pair(0.5) q[0],q[1];", 2),
        ("gate one a { x a; } gate two a { one a; one a; } gate four a { two a; two a; } qreg q[5]; four q;", 20),
        ("gate nothing a { } qreg q[5]; nothing q;", 5),
        ("opaque magic a; qreg q[5]; magic q;", 5),
        ("qreg q[2]; // qreg hidden[1000]; h q;\nh q;", 2),
        ("qreg q[2];h q;h q", 2),
    ],
)
def test_weights(text: str, expected: int) -> None:
    assert weight(text) == expected


@given(
    st.lists(st.sampled_from(["h q;", "cx q,r;", "cx q[0],r;", "measure q -> c;", "reset r;", "x q[1];"]), max_size=12)
)
def test_the_weight_is_what_qiskit_builds(statements: list[str]) -> None:
    text = "qreg q[3]; qreg r[3]; creg c[3]; " + " ".join(statements)
    built = qasm2.loads(HEAD + text, include_path=(), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    assert weight(text) == len(built.data)


def test_registers_add_up() -> None:
    text = HEAD + "qreg q[3]; qreg r[4]; creg c[5];"
    scan_qasm2(text, Limits(qubits=7, clbits=5))
    for limits, fields in (
        (Limits(qubits=6), {"qubits": 7, "qubits_max": 6}),
        (Limits(clbits=4), {"clbits": 5, "clbits_max": 4}),
    ):
        with pytest.raises(Rejected) as caught:
            scan_qasm2(text, limits)
        assert (caught.value.code, caught.value.fields) == ("circuit_too_large", fields)


def test_definitions_are_only_so_deep() -> None:
    text = HEAD + "gate a0 q { x q; } " + " ".join(f"gate a{i} q {{ a{i - 1} q; }}" for i in range(1, 6))
    scan_qasm2(text, Limits(definition_depth=6))
    with pytest.raises(Rejected) as caught:
        scan_qasm2(text, Limits(definition_depth=5))
    assert caught.value.fields == {"definition_depth_max": 5}


def test_only_the_standard_file_is_included() -> None:
    with pytest.raises(Rejected) as caught:
        scan_qasm2('OPENQASM 2.0; include "secrets.inc"; qreg q[1];', Limits())
    assert caught.value.code == "circuit_invalid"
    assert "secrets" not in caught.value.detail


def test_size_counts_bytes() -> None:
    check_size("ab", 2, "OpenQASM 2")
    with pytest.raises(Rejected) as caught:
        check_size("aé", 2, "OpenQASM 2")
    assert caught.value.fields == {"bytes": 3, "bytes_max": 2}


@given(st.integers(1, 40), st.sampled_from(["()", "[]", "{}"]))
def test_nesting_is_bounded_and_neighbours_are_not_nested(depth: int, pair: str) -> None:
    text = (pair[0] * depth + pair[1] * depth) * 50
    check_nesting(text, depth)
    with pytest.raises(Rejected):
        check_nesting(text, depth - 1)


def test_signs_in_a_row() -> None:
    check_signs("rx(-~- -1)", 4)
    with pytest.raises(Rejected):
        check_signs("rx(-~- --1)", 4)


def test_physical_qubits() -> None:
    check_hardware_qubits("cx $0, $199;", Limits())
    with pytest.raises(Rejected) as caught:
        check_hardware_qubits("cx $0, $200;", Limits())
    assert caught.value.fields == {"qubits": 201, "qubits_max": 200}
