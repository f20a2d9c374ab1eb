"""QuantumCircuits to QPY bytes, remembered for circuits that come again unchanged (a VQE loop sends one thousands
of times).

Circuits are mutable, so the memory never trusts identity alone: it keeps a copy and compares content, which costs a
third of writing the circuit anew. The copy is taken at the second sight only; a circuit used once costs nothing more.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_REMEMBERED = 16
_WORTH_PACKING = 32_768
"""Bytes from which compressing (3 ms for 350 kB, to a sixth) costs less than sending and storing."""


class LenientEncoder(json.JSONEncoder):
    """Circuit metadata as JSON: what JSON has no word for becomes a list or its repr."""

    def default(self, o: object) -> Any:
        """A JSON value for `o`."""
        if isinstance(o, complex):
            return [o.real, o.imag]
        if isinstance(o, set | frozenset):
            return sorted(o, key=repr)
        to_list = getattr(o, "tolist", None)
        return to_list() if callable(to_list) else repr(o)


@dataclass(frozen=True, slots=True)
class _Remembered:
    copy: Any
    metadata: str
    content: bytes


class _Memory(threading.local):
    """Per thread, so that it needs no lock (a lock does not survive a fork of another thread's work)."""

    def __init__(self) -> None:
        self.known: OrderedDict[int, _Remembered | None] = OrderedDict()


_memory = _Memory()


def dump(circuits: Sequence[Any], version: int | None = None) -> bytes:
    """One QPY file of all `circuits`, at Qiskit's default version or `version`."""
    if len(circuits) != 1:
        return _write(circuits, version)
    (circuit,) = circuits
    if version is not None or circuit.num_identifiers:
        return _write(circuits, version)
    known, place = _memory.known, id(circuit)
    if place not in known:
        known[place] = None
        if len(known) > _REMEMBERED:
            known.popitem(last=False)
        return _write(circuits, version)
    known.move_to_end(place)
    remembered = known[place]
    metadata = _metadata_text(circuit)
    if remembered is not None and remembered.metadata == metadata and _same(circuit, remembered.copy):
        return remembered.content
    content = _write(circuits, version)
    known[place] = _Remembered(circuit.copy(name=circuit.name), metadata, content)
    return content


def packed(content: bytes) -> str:
    """The base64 text that travels; larger files are compressed first."""
    return base64.b64encode(zlib.compress(content, 1) if len(content) > _WORTH_PACKING else content).decode("ascii")


def forget() -> None:
    """Empty this thread's memory."""
    _memory.known.clear()


def _same(circuit: Any, copy: Any) -> bool:
    return bool(
        circuit.name == copy.name
        and circuit.qregs == copy.qregs
        and circuit.cregs == copy.cregs
        and circuit.global_phase == copy.global_phase
        and circuit._data == copy._data
    )


def _metadata_text(circuit: Any) -> str:
    return json.dumps(circuit.metadata, cls=LenientEncoder, skipkeys=True) if circuit.metadata else ""


def _write(circuits: Sequence[Any], version: int | None) -> bytes:
    from qiskit import qpy

    circuits = [_sayable(circuit) for circuit in circuits]
    options: dict[str, Any] = {"metadata_serializer": LenientEncoder}
    if version is not None:
        options["version"] = version
    out = io.BytesIO()
    try:
        qpy.dump(circuits, out, **options)
    except TypeError:
        # keys that JSON cannot have: the service only hands metadata back, and the client knows it already
        out = io.BytesIO()
        qpy.dump([_without_metadata(circuit) for circuit in circuits], out, **options)
    return out.getvalue()


def _sayable(circuit: Any) -> Any:
    """The circuit without what QPY would change on the way: it forgets that a StatePreparation is inverted."""
    if "state_preparation_dg" not in circuit.count_ops():
        return circuit
    return circuit.decompose("state_preparation_dg")


def _without_metadata(circuit: Any) -> Any:
    bare = circuit.copy(name=circuit.name)
    bare.metadata = {}
    return bare
