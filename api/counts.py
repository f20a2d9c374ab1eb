"""Turns a result document of arrays into one of counts and plain numbers, with the standard library alone."""

from __future__ import annotations

import base64
import math
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from api.answers import as_bytes
from dispatcher.model import Refusal

_PER_OUTCOME_BYTES = 16


def counts(document: bytes, max_bytes: int) -> bytes | Refusal:
    """The document with counts in place of BitArrays and lists of numbers in place of arrays of doubles.

    Counts are nested by the PUB's shape; the leftmost character of a bit string is the highest bit, as in Qiskit.
    Refusal: result_too_large, when the answer could exceed `max_bytes`.
    """
    result = orjson.loads(document)
    budget = _Budget(max_bytes)
    try:
        pubs = [_pub(pub, budget) for pub in result["pubs"]]
    except _OverBudget:
        detail = f"As counts the result could take more than {max_bytes} bytes; read it with format=arrays."
        return Refusal("result_too_large", detail, {"limit": max_bytes})
    return as_bytes({**result, "pubs": pubs})


class _OverBudget(Exception):  # noqa: N818 - ends a conversion, tells nobody of an error
    """The answer would grow too large."""


class _Budget:
    """What the answer may still grow by."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _OverBudget


def _pub(pub: Mapping[str, Any], budget: _Budget) -> dict[str, Any]:
    if "registers" in pub:
        registers = {name: _register(register, budget) for name, register in pub["registers"].items()}
        return {**pub, "registers": registers}
    return {**pub, "evs": _numbers(pub["evs"], budget), "stds": _numbers(pub["stds"], budget)}


def _register(register: Mapping[str, Any], budget: _Budget) -> dict[str, Any]:
    raw = base64.b64decode(register["array"]["base64"])
    shape, shots, bits = register["shape"], register["shots"], register["bits"]
    width = (bits + 7) // 8
    flat = [
        _counts(raw[at * shots * width : (at + 1) * shots * width], shots, bits, budget)
        for at in range(math.prod(shape))
    ]
    return {"shape": shape, "shots": shots, "bits": bits, "counts": _nested(flat, shape)}


def _counts(raw: bytes, shots: int, bits: int, budget: _Budget) -> dict[str, int]:
    width = (bits + 7) // 8
    if width == 0:
        return {"": shots}
    found = Counter(raw) if width == 1 else Counter(raw[at : at + width] for at in range(0, len(raw), width))
    budget.take(len(found) * (bits + _PER_OUTCOME_BYTES))
    keys = {key if isinstance(key, int) else int.from_bytes(key, "big"): count for key, count in found.items()}
    return {f"{key:0{bits}b}": keys[key] for key in sorted(keys)}


def _numbers(array: Mapping[str, Any], budget: _Budget) -> Any:
    raw = base64.b64decode(array["base64"])
    budget.take(3 * len(raw))
    return _nested(struct.unpack(f"<{len(raw) // 8}d", raw), array["shape"])


def _nested(flat: Sequence[Any], shape: Sequence[int]) -> Any:
    if not shape:
        return flat[0]
    step = math.prod(shape[1:])
    return [_nested(flat[at * step : (at + 1) * step], shape[1:]) for at in range(shape[0])]
