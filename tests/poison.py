"""Small inputs that would kill or hang a decoder or a simulator, and the refusals each may end in.

Load it by path (`importlib.util.spec_from_file_location`) or take the fixture `poison_inputs`. Everything is built by
code: nothing here is opaque. `poison_inputs()` must be refused by decoding and measuring alone; `endless_works()` and
`hungry_works()` decode well and have to be ended by whoever runs them.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from qiskit import qpy
from qiskit.circuit import ForLoopOp, Gate, ParameterVector, QuantumCircuit
from qiskit.circuit.annotated_operation import AnnotatedOperation, PowerModifier
from qiskit.circuit.library import PauliEvolutionGate, StatePreparation, UnitaryGate, XGate
from qiskit.quantum_info import SparsePauliOp
from qiskit.synthesis import LieTrotter

QASM2_HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
QASM3_HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


class Poison(NamedTuple):
    """A work document, and the codes it may be refused with."""

    work: bytes
    codes: frozenset[str]


def sampler_work(source: dict[str, str], **pub: Any) -> bytes:
    """A work document that samples one circuit."""
    entry = {"circuit": 0, "shots": 16, **pub}
    return json.dumps({"v": 1, "primitive": "sampler", "circuits": [source], "pubs": [entry], "seed": 1}).encode()


def estimator_work(source: dict[str, str], **pub: Any) -> bytes:
    """A work document that estimates on one circuit."""
    entry = {"circuit": 0, "precision": 0.0, **pub}
    return json.dumps({"v": 1, "primitive": "estimator", "circuits": [source], "pubs": [entry], "seed": 1}).encode()


def qpy_bytes(*circuits: QuantumCircuit, version: int = 18) -> bytes:
    """A QPY file."""
    stream = io.BytesIO()
    qpy.dump(list(circuits), stream, version=version)
    return stream.getvalue()


def qpy_source(content: bytes) -> dict[str, str]:
    """QPY content as the work document carries it."""
    return {"format": "qpy", "content": base64.b64encode(content).decode()}


def _qasm2(text: str) -> bytes:
    return sampler_work({"format": "openqasm2", "content": QASM2_HEAD + text})


def _qasm3(text: str) -> bytes:
    return sampler_work({"format": "openqasm3", "content": QASM3_HEAD + text})


def _qpy(*circuits: QuantumCircuit, version: int = 18) -> bytes:
    return sampler_work(qpy_source(qpy_bytes(*circuits, version=version)))


def _doubling(head: str, levels: int) -> str:
    """Gate definitions, each of which uses the one before twice."""
    gates = "".join(f"gate g{level} a {{ g{level - 1} a; g{level - 1} a; }}\n" for level in range(1, levels))
    return f"gate g0 a {{ {head} a; {head} a; }}\n{gates}"


def doubling_qpy(levels: int) -> bytes:
    """A version 18 QPY file written by hand: each gate's definition names the one before twice, written once."""
    no_gates = struct.pack("!Q", 0)
    table, uses = no_gates, _qpy_use(b"XGate") * 2
    for level in range(levels - 1):
        name = f"g{level}_0".encode()
        body = _qpy_circuit(table, uses)
        record = struct.pack("!H1cII?QIIQ", len(name), b"g", 1, 0, True, len(body), 0, 0, 0)
        table, uses = struct.pack("!Q", 1) + record + name + body, _qpy_use(name) * 2
    head = b"QISKIT" + struct.pack("!BBBBQcc", 18, 2, 6, 0, 1, b"p", b"q")
    return head + struct.pack("!Q", len(head) + 8) + _qpy_circuit(table, uses)


def _qpy_use(name: bytes) -> bytes:
    """One gate on qubit 0."""
    return struct.pack("!HHHIIBHqII", len(name), 0, 0, 1, 0, 0, 0, 0, 0, 0) + name + struct.pack("!1cI", b"q", 0)


def _qpy_circuit(table: bytes, uses: bytes, bits: int = 0, count: int = 2) -> bytes:
    """One circuit on one loose qubit, holding `count` instructions."""
    head = struct.pack("!H1cHIIQIQI", 1, b"f", 8, 1, bits, 2, 0, count, 0) + b"c" + struct.pack("!d", 0.0) + b"{}"
    return head + struct.pack("!IH", 0, 0) + table + uses + struct.pack("!?iiiIi", False, -1, -1, -1, 0, -1)


def nested_ifs_qpy(depth: int) -> bytes:
    """A version 18 QPY file written by hand: an if inside an if, `depth` times."""
    body = _qpy_circuit(struct.pack("!Q", 0), _qpy_use(b"XGate"), bits=1, count=1)
    for _ in range(depth):
        head = struct.pack("!HHHIIBHqII", 8, 0, 2, 1, 1, 1, 5, 1, 0, 0) + b"IfElseOp" + struct.pack("!BI", 0, 0)
        wires = struct.pack("!1cI1cI", b"q", 0, b"c", 0)
        blocks = struct.pack("!1cQ", b"q", len(body)) + body + struct.pack("!1cQ", b"z", 0)
        body = _qpy_circuit(struct.pack("!Q", 0), head + wires + blocks, bits=1, count=1)
    head = b"QISKIT" + struct.pack("!BBBBQcc", 18, 2, 6, 0, 1, b"p", b"q")
    return head + struct.pack("!Q", len(head) + 8) + body


def _loop(*counts: int) -> bytes:
    inner = QuantumCircuit(1, 1)
    inner.x(0)
    for count in counts:
        outer = QuantumCircuit(1, 1)
        outer.append(ForLoopOp(range(count), None, inner), [0], [0])
        inner = outer
    return _qpy(inner)


def _claimed(field: int, value: int, version: int) -> bytes:
    """A QPY file whose circuit header claims another number: field 0 counts qubits, 1 clbits, 2 instructions."""
    content = bytearray(qpy_bytes(QuantumCircuit(7, 5), version=version))
    start = 20 + (8 if version >= 16 else 0)
    place, size = ((start + 5, "!I"), (start + 9, "!I"), (start + 25, "!Q"))[field]
    content[place : place + struct.calcsize(size)] = struct.pack(size, value)
    return sampler_work(qpy_source(bytes(content)))


def _claimed_register() -> bytes:
    """A version 18 register that claims a range of 10⁹ bits, which takes no bytes to write."""
    content = qpy_bytes(QuantumCircuit(7))
    record = struct.pack("!1c?IH", b"q", True, 7, 1)
    assert content.count(record) == 1
    return sampler_work(qpy_source(content.replace(record, struct.pack("!1c?IH", b"q", True, 10**9, 1))))


def _renamed_instruction(old: bytes, new: bytes) -> bytes:
    """A QPY file that asks the loader to call something else of the same length of name."""
    circuit = QuantumCircuit(1)
    circuit.append(Gate(old.decode(), 1, []), [0])
    circuit.sxdg(0)
    content = qpy_bytes(circuit)
    assert len(old) == len(new)
    return sampler_work(qpy_source(content.replace(old, new)))


def _inflating(size_mib: int) -> bytes:
    """A zlib stream of zeros: one flushed block, repeated."""
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return sampler_work(qpy_source(first + again * (size_mib - 1)))


def _evolution(reps: int) -> bytes:
    """A gate that only says it repeats: making it for real would expand it here, while it is written."""

    class Boast(LieTrotter):
        @property
        def settings(self) -> dict[str, object]:
            return {**super().settings, "reps": reps}

    Boast.__name__ = "LieTrotter"
    circuit = QuantumCircuit(2, 2)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XX", "ZZ"]), 0.1, synthesis=Boast(reps=1)), [0, 1])
    circuit.measure([0, 1], [0, 1])
    return _qpy(circuit)


def _unitary(qubits: int) -> bytes:
    matrix = np.linalg.qr(np.random.default_rng(1).normal(size=(2**qubits, 2**qubits)))[0]
    circuit = QuantumCircuit(qubits)
    circuit.append(UnitaryGate(matrix), range(qubits))
    circuit.measure_all()
    return _qpy(circuit)


def _power(exponent: float) -> bytes:
    circuit = QuantumCircuit(1)
    circuit.append(AnnotatedOperation(XGate(), [PowerModifier(exponent)]), [0])
    circuit.measure_all()
    return _qpy(circuit)


def _uninverted() -> bytes:
    circuit = QuantumCircuit(2)
    circuit.append(StatePreparation([0.5, 0.5, 0.5, -0.5]).inverse(), [0, 1])
    circuit.measure_all()
    return _qpy(circuit)


def _rotations(values: Any) -> bytes:
    circuit = QuantumCircuit(1)
    angles = ParameterVector("angle", 2)
    circuit.rx(angles[0], 0)
    circuit.rz(angles[1], 0)
    circuit.measure_all()
    return sampler_work(qpy_source(qpy_bytes(circuit)), parameter_values=values)


def _npy(header: str, body: bytes) -> dict[str, str]:
    text = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body
    return {"npy": base64.b64encode(content).decode()}


def _nested_observable(depth: int) -> bytes:
    source = qpy_source(qpy_bytes(QuantumCircuit(1)))
    return estimator_work(source, observables=0).replace(
        b'"observables": 0', b'"observables": ' + b"[" * depth + b"]" * depth
    )


TOO_LARGE = frozenset({"circuit_too_large"})
INVALID = frozenset({"circuit_invalid"})
UNSUPPORTED = frozenset({"payload_unsupported"})
TOO_DEEP = frozenset({"control_flow_too_deep"})
UNREADABLE = INVALID | TOO_LARGE | TOO_DEEP


def _definitions() -> Iterator[tuple[str, bytes, frozenset[str]]]:
    yield "qasm2 definitions doubling 30 deep", _qasm2(_doubling("x", 30) + "qreg q[1]; g29 q[0];"), TOO_LARGE
    chain = "gate g0 a { x a; }\n" + "".join(f"gate g{i} a {{ g{i - 1} a; }}\n" for i in range(1, 5000))
    yield "qasm2 definitions chained 5,000 deep", _qasm2(chain + "qreg q[1]; g4999 q[0];"), TOO_LARGE
    yield "qasm3 definitions doubling 30 deep", _qasm3(_doubling("x", 30) + "qubit[1] q; g29 q[0];"), TOO_LARGE
    turning = "gate g0(t) a { rx(t) a; rz(t) a; }\n" + "".join(
        f"gate g{i}(t) a {{ g{i - 1}(t/2) a; g{i - 1}(t) a; }}\n" for i in range(1, 30)
    )
    yield "qasm3 definitions with angles doubling", _qasm3(turning + "qubit[1] q; g29(1.0) q[0];"), TOO_LARGE
    yield (
        "qasm3 a control of a wide definition",
        _qasm3(_doubling("x", 14) + "qubit[9] q; ctrl(8) @ g13 q[0],q[1],q[2],q[3],q[4],q[5],q[6],q[7],q[8];"),
        TOO_LARGE,
    )
    yield "qpy definitions doubling 30 deep", sampler_work(qpy_source(doubling_qpy(30))), TOO_LARGE
    yield "qpy definitions doubling 60 deep", sampler_work(qpy_source(doubling_qpy(60))), TOO_LARGE
    yield "qpy power of 10⁹", _power(1e9), TOO_LARGE
    yield "qpy power that is infinite", _power(float("inf")), TOO_LARGE
    yield "qpy evolution of 10⁸ repetitions", _evolution(10**8), TOO_LARGE
    yield "qpy evolution of 10⁴ repetitions on many terms", _evolution(10**4 + 1), TOO_LARGE
    yield "qpy dense unitary on 9 qubits", _unitary(9), TOO_LARGE


def _registers() -> Iterator[tuple[str, bytes, frozenset[str]]]:
    for size in (10**9, 10**7):
        yield f"qasm2 {size} qubits", _qasm2(f"qreg q[{size}];"), TOO_LARGE
        yield f"qasm2 {size} bits", _qasm2(f"qreg q[1]; creg c[{size}];"), TOO_LARGE
        yield f"qasm3 {size} qubits", _qasm3(f"qubit[{size}] q;"), TOO_LARGE
        yield f"qasm3 {size} bits", _qasm3(f"qubit q; bit[{size}] c;"), TOO_LARGE
        for version in (13, 16, 18):
            yield f"qpy {version} claims {size} qubits", _claimed(0, size, version), TOO_LARGE
            yield f"qpy {version} claims {size} bits", _claimed(1, size, version), TOO_LARGE
            yield f"qpy {version} claims {size} instructions", _claimed(2, size, version), TOO_LARGE
    yield "qpy 18 claims a register of 10⁹", _claimed_register(), TOO_LARGE
    yield "qasm2 a size of 5,000 digits", _qasm2(f"qreg q[{'9' * 5000}];"), TOO_LARGE
    yield "qasm3 a size of 5,000 digits", _qasm3(f"qubit[{'9' * 5000}] q;"), UNREADABLE
    yield "qasm3 a computed size", _qasm3("qubit[1000*1000*1000] q;"), TOO_LARGE
    yield "qasm3 a physical qubit 10⁹", _qasm3("h $1000000000;"), TOO_LARGE
    yield "qasm2 broadcast of 10⁷ gates", _qasm2("qreg q[10000];" + "h q;" * 1000), TOO_LARGE
    yield "qasm2 broadcast over few qubits", _qasm2("qreg q[200];" + "h q;" * 50_000), TOO_LARGE
    yield "qasm2 broadcast of a definition", _qasm2(_doubling("x", 12) + "qreg q[200]; g11 q;"), TOO_LARGE
    yield "qasm3 broadcast over few qubits", _qasm3("qubit[200] q;" + "h q;" * 1500), TOO_LARGE
    yield "qasm3 broadcast measurement", _qasm3("qubit[200] q; bit[200] c;" + "c = measure q;" * 1500), TOO_LARGE


def _nesting() -> Iterator[tuple[str, bytes, frozenset[str]]]:
    for count in (200_000, 20_000):
        round_brackets = "(" * count + "1" + ")" * count
        yield f"qasm2 {count} parentheses", _qasm2(f"qreg q[1]; rx({round_brackets}) q[0];"), TOO_LARGE
        yield f"qasm3 {count} parentheses", _qasm3(f"qubit q; rx({round_brackets}) q;"), TOO_LARGE
    yield "qasm3 20,000 signs", _qasm3(f"qubit q; rx({'-' * 20_000}1) q;"), UNREADABLE
    yield "qasm3 20,000 sums", _qasm3(f"qubit q; rx({'1+' * 20_000}1) q;"), UNREADABLE
    yield "qasm3 20,000 brackets", _qasm3("qubit[1] q; h q" + "[" * 20_000 + "0" + "]" * 20_000 + ";"), TOO_LARGE
    yield "qasm3 40 ifs", _qasm3("qubit q; bit c;" + "if (c) {" * 40 + "x q;" + "}" * 40), UNREADABLE
    yield "qasm3 40 ifs without braces", _qasm3("qubit q; bit c;" + "if (c) " * 40 + "x q;"), UNREADABLE
    yield "qasm3 2,000 ifs without braces", _qasm3("qubit q; bit c;" + "if (c) " * 2000 + "x q;"), UNREADABLE
    for depth in (17, 500, 5_000):
        yield f"qpy with {depth} ifs", sampler_work(qpy_source(nested_ifs_qpy(depth))), TOO_DEEP
    yield "qasm3 loop of 10⁹", _qasm3("qubit q; bit c; for int i in [0:1000000000] { x q; } c = measure q;"), TOO_LARGE
    loops = "for int i in [0:9999] { for int j in [0:9999] { x q; } }"
    yield "qasm3 loops of 10⁴ x 10⁴", _qasm3(f"qubit q; bit c; {loops} c = measure q;"), TOO_LARGE
    yield "qpy loop of 10⁹", _loop(10**9), TOO_LARGE
    yield "qpy loop of 10¹⁸", _loop(10**18), TOO_LARGE
    yield "qpy loops of 10⁴ x 10⁴", _loop(10**4, 10**4), TOO_LARGE
    yield "observables 900 lists deep", _nested_observable(900), frozenset({"observable_invalid"})
    yield "observables 100,000 lists deep", _nested_observable(100_000), INVALID


def _payloads() -> Iterator[tuple[str, bytes, frozenset[str]]]:
    good = qpy_bytes(QuantumCircuit(2, 2))
    yield "qpy version 12", sampler_work(qpy_source(good[:6] + b"\x0c" + good[7:])), UNSUPPORTED
    yield "qpy version 200", sampler_work(qpy_source(good[:6] + b"\xc8" + good[7:])), UNSUPPORTED
    yield "qpy cut short", sampler_work(qpy_source(good[:-30])), INVALID
    yield "qpy of zeros behind the header", sampler_work(qpy_source(good[:20] + bytes(200))), UNREADABLE
    yield "qpy that is none", sampler_work(qpy_source(b"hello")), INVALID
    yield "qpy that is no base64", sampler_work({"format": "qpy", "content": "§§§"}), INVALID
    yield "qpy with a library circuit for an instruction", _renamed_instruction(b"SXdgGate", b"Quantum_"), INVALID
    yield "qpy with a forgotten inverse", _uninverted(), UNSUPPORTED
    yield "zlib of 4 GiB", _inflating(4096), TOO_LARGE
    yield "zlib of 100 MiB", _inflating(100), TOO_LARGE
    yield "zlib that is none", sampler_work(qpy_source(b"\x78\x9c" + b"nonsense" * 4)), INVALID
    yield (
        "qasm2 that reads a file",
        sampler_work({"format": "openqasm2", "content": 'OPENQASM 2.0;\ninclude "/etc/passwd";\nqreg q[1];'}),
        INVALID,
    )
    yield "qasm2 with an unknown gate", _qasm2("qreg q[1]; frob q[0];"), INVALID
    yield (
        "qasm2 with a gate that means nothing",
        _qasm2("opaque frob a; qreg q[1]; creg c[1]; frob q[0]; measure q -> c;"),
        INVALID,
    )
    yield "qasm2 with an infinite angle", _qasm2("qreg q[1]; rx(10^1000) q[0];"), INVALID
    yield (
        "qasm3 that reads a file",
        sampler_work({"format": "openqasm3", "content": 'OPENQASM 3.0;\ninclude "/etc/passwd";\nqubit q;'}),
        INVALID,
    )
    controls = ",".join(f"q[{index}]" for index in range(151))
    yield (
        "qasm3 controls upon controls",
        _qasm3(_doubling("x", 3) + f"qubit[151] q; {'ctrl @ ' * 150} g2 {controls};"),
        TOO_LARGE,
    )
    yield (
        "qasm3 powers upon powers",
        _qasm3("qubit[7] q; " + "pow(0.5) @ " * 50 + "ctrl(6) @ x q[0],q[1],q[2],q[3],q[4],q[5],q[6];"),
        TOO_LARGE,
    )
    yield "qasm3 cut short", _qasm3("qubit[2] q; h q["), INVALID
    yield "a format nobody knows", sampler_work({"format": "runtime-json", "content": "{}"}), UNSUPPORTED
    not_finite = frozenset({"parameters_not_finite"})
    shape = frozenset({"parameters_shape"})
    nan = _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", struct.pack("<2d", float("nan"), 0.0))
    yield "a parameter that is no number", _rotations(nan), not_finite
    pickled = _npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", b"cos\nsystem\n(S'true'\ntR.")
    yield "an npy file of objects", _rotations(pickled), shape
    claimed = _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 2), }", bytes(16))
    yield "an npy file that claims 10⁹ rows", _rotations(claimed), shape
    empty = _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 0), }", b"")
    yield "an npy file of 10⁹ empty rows", _rotations(empty), shape | {"parameters_unbound"}


@cache
def poison_inputs() -> dict[str, Poison]:
    """All of them by name; building takes about two seconds, once."""
    sources: tuple[Callable[[], Iterator[tuple[str, bytes, frozenset[str]]]], ...] = (
        _definitions,
        _registers,
        _nesting,
        _payloads,
    )
    return {name: Poison(work, codes) for source in sources for name, work, codes in source()}


def endless_works() -> dict[str, bytes]:
    """Work that decodes, and runs until somebody ends it."""
    spin = QuantumCircuit(1, 1)
    with spin.while_loop((spin.clbits[0], 0)):
        spin.x(0)
        spin.x(0)
        spin.measure(0, 0)
    spin.measure(0, 0)
    slow = QuantumCircuit(24)
    for layer in range(60):
        for qubit in range(24):
            slow.rx(0.1 + layer, qubit)
        for qubit in range(23):
            slow.cx(qubit, qubit + 1)
    slow.measure_all()
    return {
        "a while loop that never ends": _qpy(spin),
        "a state of 24 qubits and 2,800 gates, minutes of compiled code": _qpy(slow),
    }


def hungry_works() -> dict[str, bytes]:
    """Work that decodes, and asks a dense engine for 16 GiB."""
    wide = QuantumCircuit(30)
    for qubit in range(30):
        wide.rx(0.1 + qubit, qubit)
    for qubit in range(29):
        wide.cx(qubit, qubit + 1)
    wide.measure_all()
    return {"a state of 30 qubits": _qpy(wide)}
