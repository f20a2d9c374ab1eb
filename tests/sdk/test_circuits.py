"""Text and bytes are recognised by their content."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from qiskit import QuantumCircuit, qpy

from qubator.circuits import CircuitText, as_circuit_text, from_bytes, from_file, from_text, is_native, is_native_pub


def qpy_of(*circuits: QuantumCircuit) -> bytes:
    out = io.BytesIO()
    qpy.dump(list(circuits), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("OPENQASM 2.0;\nqreg q[1];", "openqasm2"),
        ("OPENQASM 3;\nqubit q;", "openqasm3"),
        ("\n// made by hand\n/* two\nlines */ OPENQASM 3.0;", "openqasm3"),
        ("//OPENQASM 3.0;\nOPENQASM 2.0;", "openqasm2"),
    ],
)
def test_the_first_statement_tells_the_version(text: str, format_: str) -> None:
    assert from_text(text) == CircuitText(format_, text)


@pytest.mark.parametrize("text", ["", "qreg q[1];", "OPENQASM 4.0;", "// OPENQASM 2.0;", "/* OPENQASM 3.0;"])
def test_text_without_a_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="OpenQASM"):
        from_text(text)


def test_a_long_text_of_comments_is_read_in_linear_time() -> None:
    with pytest.raises(ValueError, match="OpenQASM"):
        from_text("/*" * 100_000)


def test_qpy_tells_how_many_circuits_it_holds() -> None:
    content = qpy_of(QuantumCircuit(1), QuantumCircuit(2), QuantumCircuit(3))
    found = from_bytes(content)
    assert (found.format, found.count) == ("qpy", 3)
    assert base64.b64decode(found.content) == content


@pytest.mark.parametrize("content", [b"QISKIT", b"QISKIT\x12\x02\x06\x02" + bytes(8), b"\xff\xfe"])
def test_bytes_that_are_no_circuit_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"QPY|OpenQASM"):
        from_bytes(content)


def test_the_mark_that_some_editors_put_before_utf_8_is_no_part_of_the_text() -> None:
    text = "OPENQASM 2.0;\nqreg q[1];"
    assert from_bytes(text.encode("utf-8-sig")) == from_text("\ufeff" + text) == CircuitText("openqasm2", text)


def test_a_files_content_decides_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "bell.txt"
    path.write_bytes(qpy_of(QuantumCircuit(1)))
    assert from_file(path).format == "qpy"
    assert as_circuit_text(path) == from_file(path)


def test_qiskits_own_things_are_known() -> None:
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    circuit = QuantumCircuit(1)
    assert is_native(circuit)
    assert not is_native("OPENQASM 2.0;")
    assert is_native_pub(SamplerPub.coerce(circuit))
    assert is_native_pub(EstimatorPub.coerce((circuit, "Z")))
    assert not is_native_pub((circuit, "Z"))
    assert as_circuit_text(circuit) is None
