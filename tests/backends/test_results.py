"""The result document: arrays survive, metadata of any shape is written, bytes are the same for the same input."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import orjson
import pytest

from backends.results import array_of, encode, estimator_pub, sampler_pub


def read(written: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(written["base64"]), written["dtype"]).reshape(written["shape"])


@pytest.mark.parametrize(
    "array",
    [np.arange(6, dtype=np.uint8).reshape(1, 2, 3), np.array(1.5), np.empty((0, 4)), np.arange(6.0).reshape(2, 3).T],
)
def test_arrays_survive(array: np.ndarray) -> None:
    written = array_of(array)
    assert np.array_equal(read(written), array)
    assert written["dtype"] in ("|u1", "<f8")


def test_a_sampled_pub() -> None:
    bits = np.array([[[1], [2]]], dtype=np.uint8)
    pub = sampler_pub({"meas": (2, bits)}, (1,), 2, {"circuit_metadata": {"a": 1}})
    assert pub["registers"]["meas"] | {"array": None} == {"shape": [1], "shots": 2, "bits": 2, "array": None}
    assert pub["metadata"] == {"shots": 2, "circuit_metadata": {"a": 1}}


def test_an_estimated_pub() -> None:
    pub = estimator_pub(np.array([0.5]), np.array([0.1]), 0.1, {})
    assert read(pub["evs"]).tolist() == [0.5]
    assert read(pub["stds"]).tolist() == [0.1]
    assert pub["metadata"] == {"target_precision": 0.1}


def test_the_document() -> None:
    document = orjson.loads(encode("sampler", [], {"seed": 2**52}))
    assert document == {"v": 1, "primitive": "sampler", "pubs": [], "metadata": {"seed": 2**52}}


def test_metadata_that_json_can_hardly_hold_is_written_all_the_same() -> None:
    """A circuit's metadata comes from its sender's JSON, whose Python side knows numbers that JSON does not."""
    odd = json.loads(
        '{"big": 123456789012345678901234567890, "nan": NaN, "lone": "\\ud800", "deep": [{"x": Infinity}]}'
    )
    odd[3] = {1, 2}
    (pub,) = orjson.loads(encode("sampler", [{"metadata": {"circuit_metadata": odd}}], {}))["pubs"]
    assert pub["metadata"]["circuit_metadata"] == {
        "big": "123456789012345678901234567890",
        "nan": None,
        "lone": "?",
        "deep": [{"x": None}],
        "3": "{1, 2}",
    }
