"""Observables become a table of distinct labels; what is no Hermitian operator of the right width is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.primitives.containers.observables_array import ObservablesArray

from backends.limits import Limits
from backends.observables import Observables, read
from backends.rejected import Rejected

LABELS = st.text("IXYZ", min_size=3, max_size=3)
SUMS = st.dictionaries(LABELS, st.floats(-2, 2).filter(lambda weight: abs(weight) > 0.01), min_size=1, max_size=4)


def code_of(given_observables: Any, qubits: int = 2, limits: Limits | None = None) -> str:
    with pytest.raises(Rejected) as caught:
        read(given_observables, qubits, limits or Limits(), "PUB 1")
    assert "PUB 1" in caught.value.detail
    return caught.value.code


def spelled_out(observables: Observables) -> np.ndarray:
    """The table as an array of {label: weight}."""
    flat = [{observables.labels[label]: weight for label, weight in one} for one in observables.sums]
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(observables.shape)


@given(st.lists(st.lists(st.one_of(LABELS, SUMS), min_size=2, max_size=2), min_size=1, max_size=3))
def test_nested_lists_agree_with_qiskit(nested: list[list[Any]]) -> None:
    found = read(nested, 3, Limits(), "PUB 0")
    expected = ObservablesArray.coerce(nested)
    assert found.shape == expected.shape
    for mine, theirs in zip(spelled_out(found).ravel(), np.asarray(expected).ravel(), strict=True):
        assert mine == pytest.approx(dict(theirs))


def test_one_label_is_an_array_without_axes() -> None:
    assert read("ZZ", 2, Limits(), "PUB 0") == Observables((), ("ZZ",), (((0, 1.0),),))


def test_shared_labels_are_kept_once() -> None:
    found = read(["ZZ", {"ZZ": 2.0, "XI": -1}, "XI"], 2, Limits(), "PUB 0")
    assert found.labels == ("ZZ", "XI")
    assert found.sums == (((0, 1.0),), ((0, 2.0), (1, -1.0)), ((1, 1.0),))
    assert found.terms == 4


def test_empty_arrays_have_a_shape() -> None:
    assert read([], 2, Limits(), "PUB 0").shape == (0,)
    assert read([[], []], 2, Limits(), "PUB 0").shape == (2, 0)


def test_coefficients_may_be_pairs_with_a_vanishing_imaginary_part() -> None:
    assert read({"ZZ": [1.5, 0.0], "XX": [2, 1e-14]}, 2, Limits(), "PUB 0").sums == (((0, 1.5), (1, 2.0)),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ZZ": [0.0, 1.0]},
        {"ZZ": [1.0, 1e-3]},
        {"ZZ": None},
        {"ZZ": True},
        {"ZZ": "1"},
        {"ZZ": [1.0, 2.0, 3.0]},
        {"ZZ": 10**400},
        {},
        {"ZZ": 0.0},
        {"": 1.0},
        "",
        "ZA",
        "zz",
        5,
        None,
        ["ZZ", ["ZZ"]],
        [["ZZ"], ["ZZ", "XX"]],
        [["ZZ"], "XX"],
        ["ZZ", 1.0],
    ],
)
def test_what_is_no_observable(wrong: Any) -> None:
    assert code_of(wrong) == "observable_invalid"


def test_another_width_says_apply_layout() -> None:
    with pytest.raises(Rejected) as caught:
        read(["ZZ", "ZZZ"], 2, Limits(), "PUB 0")
    assert caught.value.code == "observable_width"
    assert caught.value.fields == {"observable_qubits": 3, "circuit_qubits": 2}
    assert "apply_layout" in caught.value.detail


def test_too_many_terms() -> None:
    limits = Limits(observable_terms=3)
    assert read(["ZZ", {"XX": 1.0, "YY": 1.0}], 2, limits, "PUB 0").terms == 3
    assert code_of(["ZZ", {"XX": 1.0, "YY": 1.0}, "ZZ"], limits=limits) == "circuit_too_large"
