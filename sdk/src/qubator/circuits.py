"""Circuits as text or QPY bytes: what format they are in, and how they travel. Reads headers only, decodes nothing."""

from __future__ import annotations

import base64
import re
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeGuard

Format = Literal["qpy", "openqasm2", "openqasm3"]

_BYTE_ORDER_MARK = "\ufeff"
_QPY_MAGIC = b"QISKIT"
_QPY_HEADER = struct.Struct("!6sBBBBQ")
_COMMENTS = re.compile(r"\A(?:\s+|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_VERSION = re.compile(r"OPENQASM\s+(\d+)")


@dataclass(frozen=True, slots=True)
class CircuitText:
    """A circuit the service decodes: QPY bytes (base64 in `content`) or OpenQASM text. `count` circuits inside."""

    format: Format
    content: str
    count: int = 1

    def to_json(self) -> dict[str, Any]:
        """The wire form: {"format": …, "content": …}."""
        return {"format": self.format, "content": self.content}


def from_qpy(content: bytes) -> CircuitText:
    """QPY bytes as a CircuitText. Raises ValueError when the header is not QPY's or names no circuit."""
    if len(content) < _QPY_HEADER.size or not content.startswith(_QPY_MAGIC):
        raise ValueError("these bytes are not QPY: a QPY file begins with the six bytes QISKIT")
    count = int(_QPY_HEADER.unpack_from(content)[5])
    if count == 0:
        raise ValueError("the QPY file holds no circuit")
    return CircuitText("qpy", base64.b64encode(content).decode("ascii"), count)


def from_text(text: str) -> CircuitText:
    """OpenQASM text as a CircuitText, version 2 or 3 by its first statement. Raises ValueError when it has none."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    opening = _COMMENTS.match(text)
    version = _VERSION.match(text, opening.end() if opening else 0)
    match version and version[1]:
        case "2":
            return CircuitText("openqasm2", text)
        case "3":
            return CircuitText("openqasm3", text)
        case None:
            raise ValueError("OpenQASM text has to begin with `OPENQASM 2.0;` or `OPENQASM 3.0;`")
        case other:
            raise ValueError(f"OpenQASM version {other} is unknown: the service reads 2 and 3")


def from_bytes(content: bytes) -> CircuitText:
    """QPY, or OpenQASM text in UTF-8. Raises ValueError when it is neither."""
    if content.startswith(_QPY_MAGIC):
        return from_qpy(content)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the content is neither QPY nor OpenQASM text") from None
    return from_text(text)


def from_file(path: Path) -> CircuitText:
    """A file's circuit; the content decides the format, whatever the file is called."""
    return from_bytes(path.read_bytes())


def as_circuit_text(source: object) -> CircuitText | None:
    """A CircuitText for text, bytes, a path or a CircuitText; None for anything else."""
    match source:
        case CircuitText():
            return source
        case str():
            return from_text(source)
        case bytes() | bytearray():
            return from_bytes(bytes(source))
        case Path():
            return from_file(source)
        case _:
            return None


def is_native(source: object) -> TypeGuard[Any]:
    """Whether `source` is a qiskit QuantumCircuit; does not import Qiskit (without it nothing can be one)."""
    module = sys.modules.get("qiskit.circuit")
    return module is not None and isinstance(source, module.QuantumCircuit)


def is_native_pub(source: object) -> TypeGuard[Any]:
    """Whether `source` is a SamplerPub or EstimatorPub."""
    for name, kind in (("sampler_pub", "SamplerPub"), ("estimator_pub", "EstimatorPub")):
        module = sys.modules.get(f"qiskit.primitives.containers.{name}")
        if module is not None and isinstance(source, getattr(module, kind)):
            return True
    return False


def circuits_of(texts: Mapping[CircuitText, int]) -> list[dict[str, Any]]:
    """The wire list of distinct circuit texts, in the order they were first named."""
    return [text.to_json() for text in texts]
