"""The result document: arrays in base64 beside their types and shapes, as JSON bytes.

{"v": 1, "primitive": …, "pubs": [{"registers": {…}} | {"evs": …, "stds": …}, …], "metadata": {…}}
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray


def sampler_pub(
    registers: Mapping[str, tuple[int, NDArray[np.uint8]]],
    shape: Sequence[int],
    shots: int,
    metadata: Mapping[str, Any],
) -> dict[str, Any]:
    """One sampled PUB; each register is (bits, array of shape (*shape, shots, bytes))."""
    return {
        "registers": {
            name: {"shape": list(shape), "shots": shots, "bits": bits, "array": array_of(array)}
            for name, (bits, array) in registers.items()
        },
        "metadata": {"shots": shots, **metadata},
    }


def estimator_pub(
    evs: NDArray[np.float64], stds: NDArray[np.float64], precision: float, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """One estimated PUB."""
    return {
        "evs": array_of(evs),
        "stds": array_of(stds),
        "metadata": {"target_precision": precision, **metadata},
    }


def encode(primitive: str, pubs: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any]) -> bytes:
    """The whole document. What a circuit's metadata holds beyond JSON is written as text."""
    document = {"v": 1, "primitive": primitive, "pubs": list(pubs), "metadata": dict(metadata)}
    try:
        return orjson.dumps(document, default=str)
    except TypeError:
        return orjson.dumps(_plain(document))


def _plain(value: Any) -> Any:
    """The same value in JSON's own types: numbers beyond 64 bits and foreign objects as text, names as text."""
    match value:
        case bool() | float() | None:
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case str():
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {_plain(str(name)): _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            return str(value)


def array_of(array: NDArray[Any]) -> dict[str, Any]:
    """An array as JSON: C order, little-endian."""
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "base64": base64.b64encode(np.ascontiguousarray(array).data).decode("ascii"),
    }
