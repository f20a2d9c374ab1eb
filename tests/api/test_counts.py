"""Counts and plain numbers out of arrays, compared with Qiskit's own BitArray."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.primitives.containers import BitArray

from api.counts import counts
from dispatcher.model import Refusal

METADATA = {"engine": "aer", "seed": 7}


def array(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {
        "dtype": values.dtype.str,
        "shape": list(values.shape),
        "base64": base64.b64encode(np.ascontiguousarray(values).tobytes()).decode(),
    }


def document(*pubs: dict[str, Any]) -> bytes:
    return orjson.dumps({"v": 1, "primitive": "sampler", "pubs": list(pubs), "metadata": METADATA})


def sampled(bits: BitArray) -> dict[str, Any]:
    return {
        "registers": {
            "meas": {
                "shape": list(bits.shape),
                "shots": bits.num_shots,
                "bits": bits.num_bits,
                "array": array(bits.array),
            }
        },
        "metadata": {"shots": bits.num_shots},
    }


def read(content: bytes, max_bytes: int = 10**7) -> dict[str, Any]:
    found = counts(content, max_bytes)
    assert isinstance(found, bytes)
    return dict(orjson.loads(found))


def test_a_bell_pair_in_counts() -> None:
    bits = BitArray(np.array([[0], [3], [3], [0], [3]], dtype=np.uint8), 2)
    assert read(document(sampled(bits))) == {
        "v": 1,
        "primitive": "sampler",
        "pubs": [
            {
                "registers": {"meas": {"shape": [], "shots": 5, "bits": 2, "counts": {"00": 2, "11": 3}}},
                "metadata": {"shots": 5},
            }
        ],
        "metadata": METADATA,
    }


@settings(max_examples=50, deadline=None)
@given(
    shape=st.sampled_from([(), (1,), (3,), (2, 2), (0,), (2, 0)]),
    shots=st.integers(1, 20),
    bits=st.integers(1, 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_counts_are_those_of_qiskit(shape: tuple[int, ...], shots: int, bits: int, seed: int) -> None:
    width = -(-bits // 8)
    raw = np.random.default_rng(seed).integers(0, 256, (*shape, shots, width), dtype=np.uint8)
    raw[..., 0] &= 0xFF >> (8 * width - bits)
    taken = BitArray(raw, bits)
    found = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        found[index] = taken.get_counts(index)
    told = read(document(sampled(taken)))["pubs"][0]["registers"]["meas"]
    assert told["counts"] == found.tolist()
    assert told["shape"] == list(shape)


def test_outcomes_stand_in_order() -> None:
    bits = BitArray(np.array([[2], [0], [3], [1]], dtype=np.uint8), 2)
    told = read(document(sampled(bits)))["pubs"][0]["registers"]["meas"]["counts"]
    assert list(told) == ["00", "01", "10", "11"]


def test_a_register_without_bits_has_one_empty_outcome() -> None:
    register = {"shape": [], "shots": 4, "bits": 0, "array": {"dtype": "|u1", "shape": [4, 0], "base64": ""}}
    told = read(document({"registers": {"c": register}, "metadata": {}}))
    assert told["pubs"][0]["registers"]["c"]["counts"] == {"": 4}


def test_expectation_values_are_plain_numbers() -> None:
    evs, stds = np.array([[0.5, -1.0]]), np.array([[0.0, np.nan]])
    told = read(document({"evs": array(evs), "stds": array(stds), "metadata": {}}))
    assert told["pubs"][0] == {"evs": [[0.5, -1.0]], "stds": [[0.0, None]], "metadata": {}}


def test_one_expectation_value_is_a_number_not_a_list() -> None:
    told = read(document({"evs": array(np.array(0.25)), "stds": array(np.array(0.0)), "metadata": {}}))
    assert (told["pubs"][0]["evs"], told["pubs"][0]["stds"]) == (0.25, 0.0)


@pytest.mark.parametrize("kind", ["counts", "numbers"])
def test_an_answer_that_would_grow_too_large_is_refused_before_it_grows(kind: str) -> None:
    bits = BitArray(np.arange(200, dtype=np.uint8).reshape(200, 1), 8)
    values = array(np.zeros(1_000))
    pub = sampled(bits) if kind == "counts" else {"evs": values, "stds": values, "metadata": {}}
    refusal = counts(document(pub), 2_000)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields["limit"]) == ("result_too_large", 2_000)
