"""What was measured: one row a circuit and contestant, kept in a file so that it need not be measured again.

The file stands outside of the repository, and rows stand in it by circuit, contestant and version, so that a change of
either makes a new row. Drawn outcomes stand beside it, for judging.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.circuit_suite.entry import Bits

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """`seconds` of CPU are of one run (the median of several where it is short), or until the failure."""

    circuit: str
    digest: str
    contestant: str
    version: str
    status: str
    seconds: float
    limit_s: float
    fidelity: float = 0.0
    method: str = ""
    note: str = ""
    runs: int = 1
    converted_s: float = 0.0

    @property
    def key(self) -> Key:
        """What the row is found by."""
        return (self.circuit, self.digest, self.contestant, self.version)


def cache_folder() -> Path:
    """Where rows are kept: QUBATOR_BENCH_CACHE, or the user's own cache."""
    chosen = os.environ.get("QUBATOR_BENCH_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(chosen) if chosen else base / "qubator-bench"


class Rows:
    """The file of rows. Later rows win over earlier ones with the same key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bits").mkdir(parents=True, exist_ok=True)
        self._path = folder / "rows.jsonl"
        self._known: dict[Key, Row] = {}
        if self._path.exists():
            for line in self._path.read_bytes().splitlines():
                row = Row(**orjson.loads(line))
                self._known[row.key] = row

    def find(self, key: Key, limit_s: float) -> Row | None:
        """A row that tells as much as measuring within this limit would: one that ended, or ran out of more time."""
        row = self._known.get(key)
        if row is None or (row.status == "timeout" and row.limit_s < limit_s * 0.999):
            return None
        if row.seconds > limit_s:
            return replace(row, status="timeout", seconds=limit_s, note=f"took {row.seconds:.1f} s or more")
        return row

    def keep(self, row: Row, bits: Bits | None) -> None:
        """Append a row, durable enough for a benchmark."""
        if bits is not None:
            packed = np.packbits(bits, axis=1, bitorder="little")
            np.savez_compressed(self._bits_path(row), packed=packed, shape=bits.shape)
        with self._path.open("ab") as file:
            file.write(orjson.dumps(asdict(row)) + b"\n")
        self._known[row.key] = row

    def bits(self, row: Row) -> Bits:
        """The outcomes that were drawn for a row."""
        with np.load(self._bits_path(row)) as kept:
            shape = tuple(kept["shape"])
            unpacked = np.unpackbits(kept["packed"], axis=1, bitorder="little", count=int(shape[1]))
        return unpacked.reshape(shape).astype(np.uint8)

    def _bits_path(self, row: Row) -> Path:
        digest = hashlib.sha256(repr(row.key).encode()).hexdigest()[:12]
        return self.folder / "bits" / f"{row.circuit}-{row.contestant}-{digest}.npz"


def digest_of(circuit: Any) -> str:
    """A circuit's contents in ten letters: names of nested gates count, their run-on numbers do not."""
    from backends.program import Unflat
    from backends.programming import program_of

    program = program_of(circuit)
    text = repr(circuit.count_ops()) if isinstance(program, Unflat) else repr(program)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
