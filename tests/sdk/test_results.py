"""Result documents become Qiskit's containers, bit for bit."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.primitives.containers import BitArray

from qubator.errors import QubatorError
from qubator.results import check_document, decode_array, joint_counts, registers_of, to_primitive_result


def wire(array: np.ndarray) -> dict[str, Any]:
    content = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": list(array.shape), "base64": content}


def register(bits: BitArray) -> dict[str, Any]:
    return {"shape": list(bits.shape), "shots": bits.num_shots, "bits": bits.num_bits, "array": wire(bits.array)}


def sampler_document(**registers: BitArray) -> dict[str, Any]:
    pub = {"registers": {name: register(bits) for name, bits in registers.items()},
           "metadata": {"shots": 4, "circuit_metadata": {"from": "wire"}}}  # fmt: skip
    return {"v": 1, "primitive": "sampler", "pubs": [pub], "metadata": {"engine": "aer"}}


@given(st.lists(st.integers(0, 2**11 - 1), min_size=1, max_size=40))
def test_bit_strings_are_those_of_qiskit(samples: list[int]) -> None:
    bits = BitArray.from_samples([format(sample, "011b") for sample in samples])
    (found,) = registers_of(sampler_document(meas=bits)["pubs"][0])
    assert found.bitstrings() == bits.get_bitstrings()
    assert joint_counts([found]) == bits.get_counts()


def test_a_sampler_result_has_a_bit_array_per_register() -> None:
    alpha = BitArray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1), 5)
    beta = BitArray(np.zeros((2, 3, 4, 2), dtype=np.uint8), 9)
    result = to_primitive_result(sampler_document(alpha=alpha, beta=beta))
    assert result.metadata == {"version": 2}
    assert result[0].data.shape == (2, 3)
    assert result[0].data.alpha == alpha
    assert result[0].data.beta == beta
    assert list(result[0].data) == ["alpha", "beta"]
    assert result[0].metadata == {"shots": 4, "circuit_metadata": {"from": "wire"}}
    assert result[0].join_data().num_bits == 14


def test_the_callers_own_circuit_metadata_comes_back_untouched() -> None:
    mine = {"pair": (1, 2)}
    document = sampler_document(meas=BitArray.from_samples(["0", "1"]))
    document["pubs"][0]["metadata"]["more"] = "words"
    result = to_primitive_result(document, [mine])
    assert result[0].metadata == {"shots": 4, "circuit_metadata": mine}
    assert result[0].metadata["circuit_metadata"] is mine
    assert to_primitive_result(document)[0].metadata["more"] == "words"


def test_an_estimator_result_has_values_and_errors_that_can_be_written_to() -> None:
    evs, stds = np.array([[0.1, -1.0]]), np.array([[0.0, 0.25]])
    pub = {"evs": wire(evs), "stds": wire(stds), "metadata": {"target_precision": 0.1, "circuit_metadata": {}}}
    result = to_primitive_result({"v": 1, "primitive": "estimator", "pubs": [pub]})
    assert result[0].data.shape == (1, 2)
    np.testing.assert_array_equal(result[0].data.evs, evs)
    np.testing.assert_array_equal(result[0].data.stds, stds)
    result[0].data.evs += 1
    assert result[0].metadata == {"target_precision": 0.1, "circuit_metadata": {}}


def test_a_single_value_keeps_the_empty_shape() -> None:
    pub = {"evs": wire(np.array(0.5)), "stds": wire(np.array(0.0))}
    result = to_primitive_result({"v": 1, "primitive": "estimator", "pubs": [pub]})
    assert result[0].data.evs.shape == ()
    assert float(result[0].data.evs) == 0.5


def test_empty_shapes_and_registers_without_bits() -> None:
    none = BitArray(np.zeros((0, 5, 1), dtype=np.uint8), 3)
    assert to_primitive_result(sampler_document(c=none))[0].data.shape == (0,)
    (found,) = registers_of(sampler_document(c=BitArray(np.zeros((5, 0), dtype=np.uint8), 0))["pubs"][0])
    assert found.bitstrings() == [""] * 5


def test_counts_over_registers_put_the_last_one_leftmost() -> None:
    low, high = BitArray.from_samples(["01", "10", "01"]), BitArray.from_samples(["0", "1", "0"])
    found = registers_of(sampler_document(low=low, high=high)["pubs"][0])
    assert joint_counts(found) == {"0 01": 2, "1 10": 1}
    assert joint_counts([]) == {}


def test_another_version_or_something_else_is_refused() -> None:
    with pytest.raises(QubatorError, match="this client reads 1"):
        check_document({"v": 2, "pubs": []})
    with pytest.raises(QubatorError, match="no result document"):
        check_document(["?"])


def test_arrays_own_their_memory() -> None:
    assert decode_array(wire(np.arange(3.0))).flags.writeable
