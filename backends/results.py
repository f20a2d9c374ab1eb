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
    """The whole document. Circuit metadata that is no JSON is written as text."""
    document = {"v": 1, "primitive": primitive, "pubs": list(pubs), "metadata": dict(metadata)}
    return orjson.dumps(document, default=str, option=orjson.OPT_NON_STR_KEYS)


def array_of(array: NDArray[Any]) -> dict[str, Any]:
    """An array as JSON: C order, little-endian."""
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "base64": base64.b64encode(np.ascontiguousarray(array).data).decode("ascii"),
    }
