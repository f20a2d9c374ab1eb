"""A refusal is one thing in two clothes: a value to hand on, an exception to get out of a parser."""

from __future__ import annotations

import pickle

import pytest

from backends.rejected import Rejected, Rejection


def test_the_exception_carries_the_value() -> None:
    refusal = Rejected("circuit_too_large", "too many qubits", {"qubits": 300, "qubits_max": 200})
    assert refusal.rejection == Rejection("circuit_too_large", "too many qubits", {"qubits": 300, "qubits_max": 200})
    assert (refusal.code, refusal.detail, refusal.fields) == (
        "circuit_too_large",
        "too many qubits",
        {"qubits": 300, "qubits_max": 200},
    )


def test_fields_are_copied_and_may_be_left_out() -> None:
    fields = {"qubits": 300}
    refusal = Rejected("circuit_too_large", "too many qubits", fields)
    fields["qubits"] = 1
    assert refusal.fields == {"qubits": 300}
    assert Rejected("circuit_invalid", "broken").fields == {}


def test_the_value_is_frozen_and_travels() -> None:
    value = Rejection("circuit_invalid", "broken", {"line": 3})
    assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(AttributeError):
        value.code = "other"  # type: ignore[misc]
