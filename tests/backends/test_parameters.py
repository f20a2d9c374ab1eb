"""Parameter values bind exactly as Qiskit's own bindings do, and say what is wrong when they cannot."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from qiskit.circuit import Parameter, ParameterVector
from qiskit.primitives.containers.bindings_array import BindingsArray

from backends.limits import Limits
from backends.parameters import bind
from backends.rejected import Rejected

LIMITS = Limits(parameter_numbers=10_000)
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def names(count: int) -> list[Parameter]:
    return [Parameter(f"p{index}") for index in range(count)]


def npy(array: np.ndarray) -> dict[str, str]:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return {"npy": base64.b64encode(stream.getvalue()).decode()}


def code_of(given_values: Any, count: int, limits: Limits = LIMITS) -> str:
    with pytest.raises(Rejected) as caught:
        bind(given_values, names(count), limits, "PUB 3")
    assert "PUB 3" in caught.value.detail
    return caught.value.code


def theirs(given_values: Any, parameters: list[Parameter]) -> np.ndarray | None:
    """What Qiskit makes of it; None where it raises."""
    try:
        mapped = given_values if isinstance(given_values, dict) else {tuple(parameters): given_values}
        bindings = BindingsArray.coerce(mapped)
        array = bindings.as_array(parameters) if parameters else np.empty((*bindings.shape, 0))
    except (ValueError, TypeError):
        return None
    return array if bindings.num_parameters == len(parameters) else None


def ours(given_values: Any, parameters: list[Parameter]) -> np.ndarray | None:
    try:
        return bind(given_values, parameters, LIMITS, "PUB 0")
    except Rejected:
        return None


def same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and np.array_equal(one, other)


@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), st.integers(0, 4))
def test_one_array_follows_qiskit_for_every_shape(shape: tuple[int, ...], count: int) -> None:
    array = np.arange(float(np.prod(shape))).reshape(shape)
    parameters = names(count)
    assert same(ours(array.tolist(), parameters), theirs(array.tolist(), parameters))
    assert same(ours(npy(array), parameters), theirs(array, parameters))


@given(
    st.lists(hnp.array_shapes(min_dims=0, max_dims=2, min_side=1, max_side=3), min_size=1, max_size=3),
    st.integers(0, 2),
)
def test_arrays_by_name_follow_qiskit_for_every_shape(shapes: list[tuple[int, ...]], left_out: int) -> None:
    parameters = names(len(shapes))
    pieces = {
        parameter.name: (np.arange(float(np.prod(shape))) + place).reshape(shape).tolist()
        for place, (parameter, shape) in enumerate(zip(parameters, shapes, strict=True))
    }
    for name in list(pieces)[:left_out]:
        del pieces[name]
    expected = theirs(pieces, parameters)
    assert same(ours(pieces, parameters), expected)


@given(hnp.arrays(float, (2, 3), elements=NUMBERS), hnp.arrays(float, (2,), elements=NUMBERS))
def test_a_vector_by_its_name(vector_values: np.ndarray, single: np.ndarray) -> None:
    vector, alone = ParameterVector("theta", 3), Parameter("alone")
    parameters = [alone, *vector]
    bound = bind({"theta": vector_values.tolist(), "alone": single.tolist()}, parameters, LIMITS, "PUB 0")
    assert np.array_equal(bound, np.concatenate([single[:, None], vector_values], axis=1))


def test_elements_of_a_vector_by_their_own_names() -> None:
    vector = ParameterVector("theta", 2)
    bound = bind({"theta[1]": 2.0, "theta[0]": 1.0}, list(vector), LIMITS, "PUB 0")
    assert bound.tolist() == [1.0, 2.0]


def test_part_of_a_vector_is_what_the_circuit_uses() -> None:
    """A circuit may use two elements of a long vector; its name then stands for those two, in order."""
    vector = ParameterVector("theta", 10**6)
    bound = bind({"theta": [5.0, 7.0]}, [vector[3], vector[8]], LIMITS, "PUB 0")
    assert bound.tolist() == [5.0, 7.0]


def test_nothing_for_nothing() -> None:
    assert bind(None, [], LIMITS, "PUB 0").shape == (0,)
    assert bind([], [], LIMITS, "PUB 0").shape == (0,)
    assert bind({}, [], LIMITS, "PUB 0").shape == (0,)
    assert bind([[], []], [], LIMITS, "PUB 0").shape == (2, 0)


def test_an_empty_array_of_sets_keeps_its_shape() -> None:
    assert bind(npy(np.empty((0, 3))), names(3), LIMITS, "PUB 0").shape == (0, 3)
    assert bind(npy(np.empty((4, 0, 3))), names(3), LIMITS, "PUB 0").shape == (4, 0, 3)


def test_integers_and_fortran_order_become_floats_in_c_order() -> None:
    array = np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3))
    bound = bind(npy(array), names(3), LIMITS, "PUB 0")
    assert bound.dtype == np.float64
    assert bound.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("given_values", "count", "code"),
    [
        (None, 2, "parameters_unbound"),
        ([], 2, "parameters_unbound"),
        ({}, 2, "parameters_unbound"),
        ({"p0": 1.0}, 2, "parameters_unbound"),
        ([1.0], 2, "parameters_shape"),
        ([1.0, 2.0, 3.0], 2, "parameters_shape"),
        (1.0, 2, "parameters_shape"),
        ([[1.0, 2.0], [3.0]], 2, "parameters_shape"),
        (["1", "2"], 2, "parameters_shape"),
        ([True, False], 2, "parameters_shape"),
        ([None, 1.0], 2, "parameters_shape"),
        ("1.0", 1, "parameters_shape"),
        ([1.0], 0, "parameters_shape"),
        ({"p0": 1.0, "p1": [1.0, 2.0]}, 2, "parameters_shape"),
        ({"p0": 1.0, "p1": 2.0, "q": 3.0}, 2, "parameters_shape"),
        ({"npy": "AAAA"}, 2, "parameters_shape"),
        ({"npy": "§"}, 2, "parameters_shape"),
        ([1.0, 10**400], 2, "parameters_shape"),
    ],
)
def test_refusals(given_values: Any, count: int, code: str) -> None:
    assert code_of(given_values, count) == code


def test_a_vector_and_its_element_are_one_too_many() -> None:
    vector = ParameterVector("theta", 2)
    with pytest.raises(Rejected, match="twice"):
        bind({"theta": [1.0, 2.0], "theta[0]": 1.0}, list(vector), LIMITS, "PUB 0")


def test_numbers_must_be_finite_and_the_place_is_named() -> None:
    with pytest.raises(Rejected) as caught:
        bind(npy(np.array([[1.0, 2.0], [3.0, np.inf]])), names(2), LIMITS, "PUB 0")
    assert caught.value.code == "parameters_not_finite"
    assert caught.value.fields == {"index": [1, 1]}


def test_too_many_numbers() -> None:
    assert code_of(npy(np.zeros((6, 2))), 2, Limits(parameter_numbers=11)) == "circuit_too_large"
    assert bind(npy(np.zeros((6, 2))), names(2), Limits(parameter_numbers=12), "PUB 0").shape == (6, 2)


def test_missing_parameters_are_named() -> None:
    with pytest.raises(Rejected) as caught:
        bind({"p1": 1.0}, names(3), LIMITS, "PUB 0")
    assert caught.value.fields == {"parameters": 3, "missing": ["p0", "p2"]}
    assert "p0, p2" in caught.value.detail
