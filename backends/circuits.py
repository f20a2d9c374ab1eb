"""From one circuit's content, in any format, to Qiskit circuits: scanned, inflated within bounds, then remembered."""

from __future__ import annotations

import base64
import binascii
import inspect
import io
import re
import warnings
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from qiskit import qasm2, qpy
from qiskit.circuit import Operation, QuantumCircuit, controlflow, library

from backends.limits import Limits
from backends.qasm3_import import import_qasm3
from backends.qasm_scan import scan_qasm2
from backends.qpy_plain import read_plain
from backends.qpy_scan import scan
from backends.rejected import Rejected
from backends.structure import Structure

INSTRUCTION_NAMES = frozenset(
    name
    for module in (library, controlflow)
    for name, thing in vars(module).items()
    if inspect.isclass(thing) and issubclass(thing, Operation)
) | {"Clifford", "Delay", "Store", "AnnotatedOperation", "PauliProductMeasurement", "pauli_product_measurement"}

_REMEMBERED_CONTENTS = 256
_REMEMBERED_INSTRUCTIONS = 40_000
"""Over all that is remembered; with all that is compiled from it, an instruction takes about 2 kB."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNPRINTED = re.compile(r"[^\x20-\x7e]+")
_GZIP_WINDOW, _ZLIB_WINDOW = 31, 15

_Loaded = tuple[QuantumCircuit, Structure | None]
"""A circuit, and its counts where the scan made them."""


@dataclass(eq=False, slots=True)
class Circuit:
    """One decoded circuit, which nobody may change, and what was worked out about it so far.

    `key` is the same for the same content in the same place; `notes` holds derived facts by the name of who keeps them.
    """

    circuit: QuantumCircuit
    key: bytes
    notes: dict[str, Any] = field(default_factory=dict)


class _Memory:
    """The contents decoded last, with a running count of their instructions: counting anew for each would cost more
    than decoding.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[Circuit, ...]] = OrderedDict()
        self._instructions = 0

    def __len__(self) -> int:
        """How many contents are remembered."""
        return len(self._kept)

    def get(self, key: bytes) -> tuple[Circuit, ...] | None:
        """What is remembered under the key, now as the last used."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: bytes, circuits: tuple[Circuit, ...]) -> None:
        """Keep what is not too large, and let go of what was not used for longest."""
        size = _size(circuits)
        if size > _REMEMBERED_INSTRUCTIONS:
            return
        self._kept[key] = circuits
        self._instructions += size
        while len(self._kept) > _REMEMBERED_CONTENTS or self._instructions > _REMEMBERED_INSTRUCTIONS:
            _, oldest = self._kept.popitem(last=False)
            self._instructions -= _size(oldest)


_memory = _Memory()


def decode(form: str, content: str, limits: Limits, where: str) -> tuple[Circuit, ...]:
    """The circuits of one content: a QPY file (base64, plain or gzip or zlib) may hold several, a program holds one.

    The same content gives the same objects again while it is remembered. Refuses with circuit_invalid,
    circuit_too_large, control_flow_too_deep or payload_unsupported; `where` names the circuit in the sentence.
    """
    key = blake2b(content.encode(), digest_size=16, key=f"{form}/{hash(limits)}".encode()).digest()
    remembered = _memory.get(key)
    if remembered is not None:
        return remembered
    circuits = tuple(
        Circuit(circuit, key + index.to_bytes(4, "big"), {} if counts is None else {"structure": counts})
        for index, (circuit, counts) in enumerate(_load(form, content, limits, where))
    )
    _memory.put(key, circuits)
    return circuits


def _size(circuits: tuple[Circuit, ...]) -> int:
    """Instructions of all circuits of one content."""
    return sum(len(each.circuit.data) for each in circuits)


def _load(form: str, content: str, limits: Limits, where: str) -> list[_Loaded]:
    """Parse, turning every way a parser can fail, panics of compiled code included, into a refusal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            match form:
                case "qpy":
                    return _load_qpy(content, limits)
                case "openqasm2":
                    scan_qasm2(content, limits)
                    custom = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
                    return [(qasm2.loads(content, include_path=(), custom_instructions=custom), None)]
                case "openqasm3":
                    return [(import_qasm3(content, limits), None)]
                case _:
                    detail = f'{where} has format "{form}"; send qpy, openqasm2 or openqasm3'
                    raise Rejected("payload_unsupported", detail, {"format": form})
    except Rejected as refusal:
        raise Rejected(refusal.code, f"{where}: {refusal.detail}", refusal.fields) from refusal
    except (KeyboardInterrupt, SystemExit):
        raise
    except RecursionError as error:
        detail = f"{where}: it is nested too deep to be read; nest blocks, definitions and expressions less"
        raise Rejected("control_flow_too_deep", detail, {"depth_max": limits.control_flow_depth}) from error
    except MemoryError as error:
        detail = f"{where}: reading it takes more memory than a decoder may use; send a smaller circuit"
        raise Rejected("circuit_too_large", detail, {}) from error
    except BaseException as error:  # a panic of compiled code is no Exception
        raise Rejected("circuit_invalid", f"{where}: {_reason(error)}", {"format": form}) from error


def _load_qpy(content: str, limits: Limits) -> list[_Loaded]:
    try:
        packed = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected("circuit_invalid", "QPY content must be base64 of what qpy.dump wrote", {}) from error
    plain = _inflate(packed, limits)
    held = scan(plain, limits, INSTRUCTION_NAMES, read_plain)
    circuits: list[QuantumCircuit] = qpy.load(io.BytesIO(plain))
    if len(circuits) != len(held):
        raise Rejected("circuit_invalid", f"the QPY file names {len(held)} circuits and holds {len(circuits)}", {})
    return list(zip(circuits, held, strict=True))


def _inflate(packed: bytes, limits: Limits) -> bytes:
    """Undo gzip or zlib, never producing more than the limit."""
    if packed[:2] == b"\x1f\x8b":
        window = _GZIP_WINDOW
    elif packed[:1] == b"\x78":
        window = _ZLIB_WINDOW
    else:
        return packed
    inflater = zlib.decompressobj(window)
    try:
        plain = inflater.decompress(packed, limits.inflated_bytes + 1)
    except zlib.error as error:
        raise Rejected("circuit_invalid", "the compressed content is damaged; compress it again", {}) from error
    if len(plain) > limits.inflated_bytes:
        detail = f"it inflates to more than {limits.inflated_bytes} bytes; send fewer circuits at once"
        raise Rejected("circuit_too_large", detail, {"inflated_bytes_max": limits.inflated_bytes})
    return plain


def _reason(error: BaseException) -> str:
    """What the parser said, in one plain line of reasonable length; some of them draw boxes in colour."""
    said = str(getattr(error, "message", None) or error)
    text = " ".join(_UNPRINTED.sub(" ", _COLOUR.sub("", said)).split())
    return (text[:300] + " ...") if len(text) > 300 else text or type(error).__name__
