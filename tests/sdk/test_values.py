"""Numbers arrive exactly as they were; observables as Pauli strings with real weights."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from qiskit.circuit import Parameter
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import Pauli, PauliList, SparsePauliOp

from qubator.connection import encode_json
from qubator.values import (
    encode_array,
    encode_bindings,
    encode_observables,
    encode_plain_observables,
    looks_like_observables,
)


def arrived(wire: object) -> np.ndarray:
    read = json.loads(encode_json(wire))
    if isinstance(read, dict):
        return np.load(io.BytesIO(base64.b64decode(read["npy"])), allow_pickle=False)
    return np.asarray(read, dtype=float)


@given(
    hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9), elements=st.floats(width=64)
    )
)
def test_every_array_arrives_bit_by_bit(array: np.ndarray) -> None:
    found = arrived(encode_array(array))
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes() or np.array_equal(found, array, equal_nan=True)


def test_short_arrays_are_readable_and_long_ones_short() -> None:
    assert encode_array(np.array([[0.1, 0.2]])) == [[0.1, 0.2]]
    assert len(encode_array(np.random.default_rng(1).random((100, 10)))["npy"]) < 11_000
    assert list(encode_array(np.empty((0, 3)))) == ["npy"]


def test_values_by_name_or_parameter() -> None:
    assert encode_bindings({"a": 1, Parameter("b"): [1, 2]}) == {"a": 1.0, "b": [1.0, 2.0]}
    assert encode_bindings(None) is None
    with pytest.raises(TypeError, match="named by a string"):
        encode_bindings({3: 1.0})
    with pytest.raises(ValueError, match="finite"):
        encode_bindings({"a": float("nan")})


@pytest.mark.parametrize(
    ("given_", "wire"),
    [
        ("ZZ", {"ZZ": 1.0}),
        (Pauli("-XY"), {"XY": -1.0}),
        (SparsePauliOp(["ZZ", "IX"], [0.5, -2]), {"ZZ": 0.5, "IX": -2.0}),
        (["ZZ", "XX"], [{"ZZ": 1.0}, {"XX": 1.0}]),
        ([["ZZ"], ["XX"], ["II"]], [[{"ZZ": 1.0}], [{"XX": 1.0}], [{"II": 1.0}]]),
        (PauliList(["ZZ", "XI"]), [{"ZZ": 1.0}, {"XI": 1.0}]),
    ],
)
def test_observables_of_any_kind_and_shape(given_: object, wire: object) -> None:
    for _ in range(2):  # the second time from memory
        assert json.loads(encode_json(encode_observables(ObservablesArray.coerce(given_)))) == wire


def test_an_observable_changed_in_place_is_spelled_anew() -> None:
    operator = SparsePauliOp(["ZZ"], [1.0])
    assert encode_observables(ObservablesArray.coerce(operator)) == {"ZZ": 1.0}
    operator.coeffs[0] = 3.0
    assert encode_observables(ObservablesArray.coerce(operator)) == {"ZZ": 3.0}


def test_plain_observables_go_as_they_are() -> None:
    assert encode_plain_observables([["ZZ"], [{"XX": 1.5}]]) == [["ZZ"], [{"XX": 1.5}]]
    assert encode_plain_observables([SparsePauliOp("ZZ")]) == [{"ZZ": 1.0}]


@pytest.mark.parametrize(
    "value", ["ZZ", ["ZZ", "XX"], [[Pauli("Z")]], SparsePauliOp("Z"), {"ZZ": 1.0}, PauliList(["X"])]
)
def test_observables_are_recognised(value: object) -> None:
    assert looks_like_observables(value)


@pytest.mark.parametrize("value", [None, 0.5, [0.1, 0.2], [], {}, {"theta": 1.0}, np.ones(3), {Parameter("Z"): 1.0}])
def test_parameter_values_are_not_taken_for_observables(value: object) -> None:
    assert not looks_like_observables(value)
