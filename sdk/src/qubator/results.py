"""Result documents: arrays back to NumPy, to counts for people, and to Qiskit's result containers."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qubator.errors import QubatorError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Register:
    """Samples of one classical register: packed bytes (*shape, shots, ⌈bits/8⌉), most significant byte first."""

    name: str
    bits: int
    shots: int
    packed: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the PUB's parameter sets."""
        return tuple(self.packed.shape[:-2])

    def bitstrings(self, place: tuple[int, ...] = ()) -> list[str]:
        """One text of `bits` characters per shot at `place`, bit 0 rightmost."""
        import numpy as np

        if self.bits == 0:
            return [""] * self.shots
        unpacked = np.unpackbits(self.packed[place], axis=-1)[:, -self.bits :] + ord("0")
        width = self.bits
        flat = unpacked.tobytes().decode("ascii")
        return [flat[start : start + width] for start in range(0, len(flat), width)]


def decode_array(array: Mapping[str, Any]) -> Any:
    """The NumPy array of {"dtype", "shape", "base64"}, writable and owning its memory."""
    import numpy as np

    content = base64.b64decode(array["base64"])
    return np.frombuffer(content, dtype=np.dtype(array["dtype"])).reshape(tuple(array["shape"])).copy()


def registers_of(pub: Mapping[str, Any]) -> list[Register]:
    """The registers of a sampler PUB's result, in circuit order."""
    return [
        Register(name, int(row["bits"]), int(row["shots"]), decode_array(row["array"]))
        for name, row in pub["registers"].items()
    ]


def joint_counts(registers: Sequence[Register], place: tuple[int, ...] = ()) -> dict[str, int]:
    """Counts of all registers together at `place`, most frequent first; the last register stands leftmost, parted by
    spaces."""
    if not registers:
        return {}
    columns = [register.bitstrings(place) for register in reversed(registers)]
    counts = Counter(columns[0] if len(columns) == 1 else map(" ".join, zip(*columns, strict=True)))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def check_document(document: object) -> Mapping[str, Any]:
    """The document itself when it is one this version reads. Raises QubatorError otherwise."""
    if not isinstance(document, Mapping) or "pubs" not in document:
        raise QubatorError("the service's answer is no result document", code="result_unreadable")
    if document.get("v") != 1:
        raise QubatorError(
            f"the result document has version {document.get('v')!r}, this client reads 1: update qubator",
            code="result_unreadable",
        )
    return document


def to_primitive_result(document: Mapping[str, Any], circuit_metadata: Iterable[Any] | None = None) -> Any:
    """Qiskit's PrimitiveResult of a result document.

    With `circuit_metadata`, one per PUB, the metadata of each PUB is exactly what Qiskit's own primitives give: the
    caller's own objects instead of what went through the wire (where tuples became lists), and no further words.
    """
    from qiskit.primitives.containers import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult

    check_document(document)
    local = None if circuit_metadata is None else list(circuit_metadata)
    pub_results: list[Any] = []
    for index, pub in enumerate(document["pubs"]):
        metadata = dict(pub.get("metadata", {}))
        if local is not None:
            metadata = {word: metadata[word] for word in ("shots", "target_precision") if word in metadata}
            metadata["circuit_metadata"] = local[index]
        if "registers" in pub:
            registers = registers_of(pub)
            shape = registers[0].shape if registers else tuple(pub.get("shape", ()))
            arrays = {register.name: BitArray(register.packed, register.bits) for register in registers}
            pub_results.append(SamplerPubResult(DataBin(**arrays, shape=shape), metadata=metadata))
        else:
            evs = decode_array(pub["evs"])
            bins = DataBin(evs=evs, stds=decode_array(pub["stds"]), shape=evs.shape)
            pub_results.append(PubResult(bins, metadata=metadata))
    return PrimitiveResult(pub_results, metadata={"version": 2})
