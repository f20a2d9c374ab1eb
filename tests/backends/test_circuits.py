"""One content in, Qiskit circuits out; the same content is read once; a parser's failure is a sentence."""

from __future__ import annotations

import base64
import gzip
import io
import zlib
from typing import Any

import pytest
from qiskit import qasm2, qasm3, qpy
from qiskit.circuit import QuantumCircuit

from backends import circuits
from backends.limits import Limits
from backends.rejected import Rejected


def bell(seed: int = 0) -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, metadata={"seed": seed})
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def packed(*several: QuantumCircuit, press: Any = bytes) -> str:
    stream = io.BytesIO()
    qpy.dump(list(several), stream)
    return base64.b64encode(press(stream.getvalue())).decode()


def decode(form: str, content: str, **limits: float) -> tuple[circuits.Circuit, ...]:
    return circuits.decode(form, content, Limits.from_json(limits), "circuit 7")


def refused(form: str, content: str, **limits: float) -> Rejected:
    with pytest.raises(Rejected) as caught:
        decode(form, content, **limits)
    assert caught.value.detail.startswith("circuit 7")
    return caught.value


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("qpy", packed(bell())),
        ("qpy", packed(bell(), press=gzip.compress)),
        ("qpy", packed(bell(), press=zlib.compress)),
        ("openqasm2", qasm2.dumps(bell())),
        ("openqasm3", qasm3.dumps(bell())),
    ],
)
def test_every_format_gives_the_same_circuit(form: str, content: str) -> None:
    (found,) = decode(form, content)
    assert found.circuit.count_ops() == bell().count_ops()
    assert [(one.name, one.size) for one in found.circuit.cregs] == [("c", 2)]


def test_a_file_may_hold_several_circuits_in_order() -> None:
    found = decode("qpy", packed(bell(1), bell(2), bell(3)))
    assert [one.circuit.metadata["seed"] for one in found] == [1, 2, 3]
    assert len({one.key for one in found}) == 3


def test_the_same_content_is_read_once() -> None:
    content = packed(bell(41))
    assert decode("qpy", content)[0] is decode("qpy", content)[0]
    assert decode("qpy", content)[0] is not decode("qpy", packed(bell(42)))[0]
    assert decode("qpy", content)[0] is not decode("qpy", content, qubits=50)[0]


def test_what_was_not_used_for_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "_REMEMBERED_CONTENTS", 2)
    monkeypatch.setattr(circuits, "_memory", type(circuits._memory)())
    first, second, third = (packed(bell(number)) for number in (100, 101, 102))
    kept = decode("qpy", first)[0]
    decode("qpy", second)
    assert decode("qpy", first)[0] is kept
    decode("qpy", third)
    assert decode("qpy", first)[0] is kept
    assert len(circuits._memory) == 2


def test_what_is_remembered_is_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each content holds four instructions; the bound holds two of them."""
    monkeypatch.setattr(circuits, "_REMEMBERED_INSTRUCTIONS", 8)
    monkeypatch.setattr(circuits, "_memory", type(circuits._memory)())
    contents = [packed(bell(number)) for number in (200, 201, 202)]
    found = [decode("qpy", content)[0] for content in contents]
    assert len(circuits._memory) == 2
    assert decode("qpy", contents[2])[0] is found[2]
    assert decode("qpy", contents[1])[0] is found[1]
    assert decode("qpy", contents[0])[0] is not found[0]


def test_large_circuits_are_not_remembered_and_push_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "_REMEMBERED_INSTRUCTIONS", 5)
    monkeypatch.setattr(circuits, "_memory", type(circuits._memory)())
    small, large = packed(bell(43)), packed(bell(44), bell(45))
    kept = decode("qpy", small)[0]
    assert decode("qpy", large)[0] is not decode("qpy", large)[0]
    assert decode("qpy", small)[0] is kept


def test_legacy_gates_of_openqasm_2_are_known() -> None:
    text = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; sx q[0]; rzz(0.1) q[0],q[1]; csx q[0],q[1]; p(0.2) q[2];'
    assert dict(decode("openqasm2", text)[0].circuit.count_ops()) == {"sx": 1, "rzz": 1, "csx": 1, "p": 1}


def test_inflating_stops_at_its_bound() -> None:
    content = packed(bell(), press=zlib.compress)
    plain = len(zlib.decompress(base64.b64decode(content)))
    decode("qpy", content, inflated_bytes=plain)
    assert refused("qpy", content, inflated_bytes=plain - 1).fields == {"inflated_bytes_max": plain - 1}


@pytest.mark.parametrize(
    ("form", "content", "code", "words"),
    [
        ("qpy", "%%%", "circuit_invalid", "base64"),
        ("qpy", base64.b64encode(b"nothing at all").decode(), "circuit_invalid", "QISKIT"),
        ("qpy", base64.b64encode(b"\x78\x9cnothing").decode(), "circuit_invalid", "compress"),
        ("openqasm2", "OPENQASM 2.0; qreg q[1]; frob q[0];", "circuit_invalid", "frob"),
        ("openqasm3", "OPENQASM 3.0; qubit q; frob q;", "circuit_invalid", "frob"),
        ("cirq", "{}", "payload_unsupported", "openqasm3"),
    ],
)
def test_refusals_name_the_circuit_and_the_reason(form: str, content: str, code: str, words: str) -> None:
    refusal = refused(form, content)
    assert refusal.code == code
    assert words in refusal.detail


class Panic(BaseException):
    """As the panics of compiled code, which are no Exceptions."""


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Panic("index out of bounds"), "circuit_invalid"),
        (RuntimeError("\x1b[1mbold\x1b[22m ┆ boxes\n and lines " + "long " * 100), "circuit_invalid"),
        (RecursionError("too deep"), "control_flow_too_deep"),
        (MemoryError(), "circuit_too_large"),
    ],
)
def test_every_way_a_parser_fails_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(circuits.qpy, "load", fail)
    refusal = refused("qpy", packed(bell(99)))
    assert refusal.code == code
    assert refusal.detail.isprintable()
    assert refusal.detail.isascii()
    assert len(refusal.detail) < 400


def test_an_interrupt_is_no_failure_of_a_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(circuits.qpy, "load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        decode("qpy", packed(bell(98)))
