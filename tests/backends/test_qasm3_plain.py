"""The plain reader gives the importer's own circuit, or leaves the program to the importer."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import qasm3
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import real_amplitudes

from backends.limits import Limits
from backends.qasm3_plain import _GATES, read_plain

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
LIMITS = Limits()

NUMBERS = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0, 1e6, allow_nan=False).map(repr),
    st.sampled_from(["pi", "pi/2", "3*pi/4", "0.5*pi", "2 * pi / 3.0", "tau", "pi*2", "1/2", "(1)", "theta", ""]),
)
ANGLES = st.tuples(st.sampled_from(["", "-", "- ", "+", "--"]), NUMBERS).map("".join)
OPERANDS = st.sampled_from(["q[0]", "q[1]", "q[2]", "q", "r[0]", "r[1]", "r", " q [ 1 ] ", "q[3]", "q[-1]", "c[0]"])
BITS = st.sampled_from(["c", "d", "c[0]", "c[2]", "d[0]", "d[9]"])
PLAIN_ANGLES = st.tuples(
    st.sampled_from(["", "-", "- "]),
    st.one_of(
        st.integers(0, 10**6).map(str),
        st.floats(0, 1e6, allow_nan=False).map(repr),
        st.sampled_from(["pi", "pi/2", "3*pi/4", "0.5*pi", "2 * pi / 3.0", ".5", "2.", "1E3"]),
    ),
).map("".join)
CALLS = st.builds(
    lambda name, angles, operands: f"{name}{'(' + ', '.join(angles) + ')' if angles else ''} {', '.join(operands)};",
    st.sampled_from([*_GATES, "gphase", "nothing"]),
    st.lists(ANGLES, max_size=4),
    st.lists(OPERANDS, min_size=1, max_size=3),
)
FITTING = st.sampled_from(sorted(_GATES)).flatmap(
    lambda name: st.builds(
        lambda angles, operands: f"{name}{'(' + ','.join(angles) + ')' if angles else ''} {', '.join(operands)};",
        st.lists(PLAIN_ANGLES, min_size=_GATES[name][1], max_size=_GATES[name][1]),
        st.permutations(["q[0]", "q[1]", "q[2]", "r[0]"]).map(lambda all_of: all_of[: _GATES[name][2]]),
    )
)
OTHERS = st.one_of(
    st.builds("{} = measure {};".format, BITS, OPERANDS),
    st.builds("{} {};".format, st.sampled_from(["reset", "barrier", "h"]), OPERANDS),
    st.builds("barrier {}, {};".format, OPERANDS, OPERANDS),
    st.sampled_from(["barrier;", "inv @ s q[0];", "if (c[0]) { x q[0]; }", "// x q[0];", "/* h q; */", "bit[2] e;"]),
    st.sampled_from(["input float[64] theta;", "input angle phi;", "qubit[2] q;", "qubit x;", "let a = q;", "int i;"]),
)
LINES = st.one_of(st.lists(FITTING, max_size=8), st.lists(st.one_of(FITTING, FITTING, OTHERS, CALLS), max_size=5))
PROGRAMS = LINES.map(lambda lines: HEAD + "qubit[3] q;\nqubit[2] r;\nbit[3] c;\nbit[2] d;\n" + "\n".join(lines))


def told(circuit: QuantumCircuit) -> Any:
    """All that makes up a circuit, parameters by name: each reading makes parameters of its own."""
    return (
        [(register.name, register.size) for register in (*circuit.qregs, *circuit.cregs)],
        [parameter.name for parameter in circuit.parameters],
        circuit.global_phase,
        [
            (
                type(each.operation).__name__,
                each.operation.name,
                [
                    str(angle) if hasattr(angle, "parameters") else (type(angle).__name__, angle)
                    for angle in each.operation.params
                ],
                [circuit.find_bit(bit).index for bit in (*each.qubits, *each.clbits)],
            )
            for each in circuit.data
        ],
    )


def same_as_the_importer(text: str) -> bool:
    """Whether the plain reader took the text; if so, it made the importer's circuit."""
    from backends.qasm3_import import import_by_tree

    found = read_plain(text, LIMITS)
    if found is None:
        return False
    assert told(found) == told(import_by_tree(text, LIMITS))
    return True


@given(PROGRAMS)
def test_what_it_reads_is_what_the_importer_makes(text: str) -> None:
    same_as_the_importer(text)


@given(st.data())
def test_a_program_with_a_letter_changed_is_read_as_the_importer_does_or_not_at_all(data: Any) -> None:
    text = HEAD + "qubit[2] q; bit[2] c; input float[64] a; rx(pi/2) q[0]; rz(a) q[1]; cx q[0], q[1]; c = measure q;"
    place = data.draw(st.integers(0, len(text) - 1))
    change = data.draw(st.sampled_from([*'()[]{};,=+-*/.@$"_ \n019aqceUπ', ""]))
    same_as_the_importer(text[:place] + change + text[place + data.draw(st.integers(0, 2)) :])


@pytest.mark.parametrize(
    "lines",
    [
        "qubit[2] q; h q; cx q[0], q[1]; barrier q; bit[2] c; c = measure q;",
        "bit[5] meas; qubit[5] q; ry(-pi/4) q[0]; U(0.1, 3*pi/4, 2) q[4]; meas[0] = measure q[4]; reset q[1];",
        "input float[64] theta; input angle phi; qubit[1] q; rx(theta) q[0]; p(phi) q[0];",
        "qubit[3] q; /* two\nlines */ ccx q[0], q[1], q[2]; // the end\n",
        "qubit[2] q; rx(1) q[0]; rx(1.5e-3) q[0]; rx(.5) q[1]; rx(-2.) q[1]; id q[0]; cu(1,2,3,4) q[0], q[1];",
        "",
    ],
)
def test_plain_programs_are_read(lines: str) -> None:
    assert same_as_the_importer(HEAD + lines)


@pytest.mark.parametrize(
    "lines",
    [
        "qubit q; h q;",
        "qubit[2] q; ctrl @ x q[0], q[1];",
        "qubit[2] q; cx q, q;",
        "qubit[2] q; cx q[0], q[0];",
        "qubit[2] q; h q[2];",
        "qubit[2] q; rx(2*theta) q[0];",
        "qubit[2] q; rx(sin(1)) q[0];",
        "input float[64] unused; qubit[1] q;",
        "qubit[1] pi; h pi[0];",
        "qubit[1] x;",
        "qubit[2] q; bit[1] c; c = measure q;",
        "qubit[1] q; bit[1] c = measure q;",
        "qubit[1] Q; h Q;",
        "h $0;",
        "qubit[1] q; h q[0]",
        "gate g a { h a; } qubit[1] q; g q[0];",
        "qubit[201] q;",
        "qubit[1] q; bit[9999] c;",
    ],
)
def test_what_is_not_plain_is_left_alone(lines: str) -> None:
    assert read_plain(HEAD + lines, LIMITS) is None


def test_nothing_beyond_the_limits_is_built() -> None:
    text = HEAD + "qubit[9] q; h q; h q;"
    assert read_plain(text, Limits.from_json({"operations": 18})) is not None
    assert read_plain(text, Limits.from_json({"operations": 17})) is None
    assert read_plain(HEAD + "qubit[9] q;" * 1 + "x q[0];" * 30, Limits.from_json({"operations": 20})) is None


def test_without_the_standard_gates_it_is_not_plain() -> None:
    assert read_plain("OPENQASM 3.0; qubit[1] q; U(0,0,0) q[0];", LIMITS) is None
    assert read_plain("OPENQASM 2.0; qreg q[1];", LIMITS) is None


def test_what_qiskit_writes_of_ordinary_circuits_is_plain() -> None:
    ansatz = real_amplitudes(5, reps=2).assign_parameters([0.1 * math.pi * place for place in range(15)])
    ansatz.measure_all()
    assert same_as_the_importer(qasm3.dumps(ansatz))
    assert same_as_the_importer(qasm3.dumps(real_amplitudes(3)))
