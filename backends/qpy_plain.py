"""Counts circuits of standard gates straight off their QPY records, for a fraction of what reading them twice costs.

Most circuits hold nothing but standard gates, measurements, resets and barriers, whose records are few and come again
and again: each is understood once and then known by its bytes. Anything else, be it a label or an angle that is an
expression, sends the whole circuit the longer way; so does whatever is odd, since that way knows the refusals.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from qiskit.circuit import Gate
from qiskit.circuit.library import get_standard_gate_name_mapping

from backends import qpy_format as qpy
from backends.gates import CLIFFORD, TURNING, is_clifford
from backends.structure import Structure

_HEAD = qpy.INSTRUCTION.size
_KIND = qpy.PARAMETER.size
_BIT = struct.Struct("!cI")
_BIG, _LITTLE = struct.Struct(">9sd"), struct.Struct("<9sd")
_RECORD_MAX = 128
"""Longer than any gate's record: only a wide barrier's is."""
_FLOAT = qpy.PARAMETER.pack(b"f", 8)
_GATE, _MEASURE, _RESET, _BARRIER = range(4)
_SYMBOLS = (b"p", b"v")
"""A parameter by itself or out of a vector. An expression may turn out to be a number and goes the longer way."""


class _Step(NamedTuple):
    """One record understood: what is done to which bits. Classical bit c is called -1 - c."""

    kind: int
    bits: tuple[int, ...]
    parameters: int
    name: str


def read_plain(
    content: bytes, at: int, instructions: int, qubits: int, clbits: int, version: int
) -> tuple[int, Structure] | None:
    """The offset behind that many instructions and their counts, equal to what `structure_of` makes of the circuit.

    `at` is where the first one begins, in a circuit without custom instructions. None unless each is plain. Takes about
    1 µs an instruction. Raises struct.error where the file ends early.
    """
    steps: list[_Step] = []
    clifford = True
    one_angle = (_BIG if version >= 18 else _LITTLE).unpack_from
    for _ in range(instructions):
        length = _length(content[at : at + _HEAD])
        step = _step(content[at : at + length]) if length <= _RECORD_MAX else _wide(content[at : at + length])
        if step is None:
            return None
        at += length
        steps.append(step)
        if step.parameters:
            read = _angles(content, at, step.parameters, one_angle)
            if read is None:
                return None
            at, angles = read
            clifford = clifford and step.name in TURNING and is_clifford(step.name, angles)
        elif clifford and step.kind == _GATE:
            clifford = step.name in CLIFFORD
    if at > len(content):
        return None
    found = _count(steps, qubits, clbits)
    return None if found is None else (at, found if clifford else replace(found, clifford=False))


def _count(steps: list[_Step], qubits: int, clbits: int) -> Structure | None:
    """The counts of a circuit of so many bits, as if it were Clifford; None when it names others."""
    levels: dict[int, int] = {}
    gates: list[tuple[int, ...]] = []
    measured: set[int] = set()
    measures = 0
    resets: dict[int, int] = {}
    named: set[int] = set()
    mid_circuit = False
    for kind, bits, _, _ in steps:
        if kind == _GATE:
            gates.append(bits)
            if measured and not measured.isdisjoint(bits):
                mid_circuit = True
        elif kind == _MEASURE:
            measured.add(bits[0])
            measures += 1
        elif kind == _RESET:
            (qubit,) = bits
            mid_circuit = mid_circuit or levels.get(qubit, 0) > resets.get(qubit, 0)
            resets[qubit] = resets.get(qubit, 0) + 1
        else:
            named.update(bits)
            continue
        level = 0
        for bit in bits:
            known = levels.get(bit, 0)
            if known > level:
                level = known
        level += 1
        for bit in bits:
            levels[bit] = level
    named.update(levels)
    if max(named, default=-1) >= qubits or min(named, default=0) < -clbits:
        return None
    touched = set().union(*gates)
    widths = list(map(len, gates))
    return Structure(
        operations=len(gates) + measures + sum(resets.values()),
        gates_1q=widths.count(1),
        gates_2q=widths.count(2),
        depth=max(levels.values(), default=0),
        measured=measures > 0,
        mid_circuit=mid_circuit,
        active=len(touched | measured) if mid_circuit else len(touched),
    )


@lru_cache(maxsize=1024)
def _length(head: bytes) -> int:
    """How long the record that begins so is up to its parameters."""
    name_size, label_size, _, qargs, cargs, _, register_size, *_ = qpy.INSTRUCTION.unpack(head)
    return int(_HEAD + name_size + label_size + register_size + _BIT.size * (qargs + cargs))


@lru_cache(maxsize=4096)
def _step(record: bytes) -> _Step | None:
    """A record up to its parameters, understood; None when it is none of the plain ones."""
    name_size, _, _, qargs, cargs, *_ = qpy.INSTRUCTION.unpack_from(record)
    named = record[: _HEAD + name_size]
    known = _PLAIN.get(named)
    if known is None and named == _barrier(qargs):
        known = _BARRIER, "barrier", 0
    places = record[len(named) :]
    if known is None or len(places) != _BIT.size * (qargs + cargs):
        return None
    bits = []
    for place, (kind, number) in enumerate(_BIT.iter_unpack(places)):
        if kind != (b"q" if place < qargs else b"c"):
            return None
        bits.append(number if place < qargs else -1 - number)
    if len(set(bits)) != len(bits):
        return None
    kind, name, parameters = known
    return _Step(kind, tuple(bits), parameters, name)


# Not remembered: such records are long, and nothing but a barrier is plain and that wide.
_wide = _step.__wrapped__


def _barrier(qubits: int) -> bytes:
    """How a barrier's record begins."""
    return qpy.INSTRUCTION.pack(7, 0, 0, qubits, 0, 0, 0, 0, 0, 0) + b"Barrier"


def _angles(
    content: bytes, at: int, parameters: int, one: Callable[[bytes, int], tuple[Any, ...]]
) -> tuple[int, list[float | None]] | None:
    """The offset behind a gate's parameters and the angles that they are, None for one still open.

    None instead of both where one is neither, or no finite number.
    """
    angles: list[float | None] = []
    for _ in range(parameters):
        kind, angle = one(content, at)
        at += _KIND
        if kind == _FLOAT and angle - angle == 0:
            angles.append(angle)
            at += 8
        elif kind[:1] in _SYMBOLS:
            angles.append(None)
            at += qpy.PARAMETER.unpack(kind)[1]
        else:
            return None
    return at, angles


def _plain_records() -> dict[bytes, tuple[int, str, int]]:
    """How the records of plain instructions begin, up to their names: the kind, the gate, how many parameters."""
    records = {
        qpy.INSTRUCTION.pack(7, 0, 0, 1, 1, 0, 0, 0, 0, 0) + b"Measure": (_MEASURE, "measure", 0),
        qpy.INSTRUCTION.pack(5, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"Reset": (_RESET, "reset", 0),
    }
    for name, gate in get_standard_gate_name_mapping().items():
        if isinstance(gate, Gate) and gate.num_qubits > 0:
            written, count = gate.base_class.__name__.encode(), len(gate.params)
            controls, state = getattr(gate, "num_ctrl_qubits", 0), getattr(gate, "ctrl_state", 0)
            head = qpy.INSTRUCTION.pack(len(written), 0, count, gate.num_qubits, 0, 0, 0, 0, controls, state)
            records[head + written] = _GATE, name, count
    return records


_PLAIN = _plain_records()
