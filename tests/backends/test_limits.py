"""Limits travel to child processes as JSON and come back the same; a misspelt one is an error, not a default."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.limits import Limits


def test_defaults_are_the_documented_ones() -> None:
    assert Limits().to_json() == {
        "body_bytes": 8_000_000,
        "inflated_bytes": 32_000_000,
        "qasm2_bytes": 1_000_000,
        "qasm3_bytes": 65_536,
        "qasm3_copies": 20_000,
        "qubits": 200,
        "clbits": 4_096,
        "operations": 200_000,
        "operations_total": 5_000_000,
        "expression_depth": 128,
        "control_flow_depth": 16,
        "loop_product": 100_000,
        "definition_depth": 32,
        "evolution_reps": 10_000,
        "unitary_qubits": 7,
        "state_qubits": 14,
        "circuits": 1_000,
        "pubs": 1_000,
        "parameter_numbers": 1_000_000,
        "executions": 100_000,
        "observable_terms": 200_000,
        "shots": 1_000_000,
        "precision_min": 0.001,
        "result_bytes": 256_000_000,
    }


def test_defaults_round_trip() -> None:
    assert Limits.from_json(json.loads(json.dumps(Limits().to_json()))) == Limits()
    assert Limits.from_json({}) == Limits()


@given(st.sampled_from([one.name for one in fields(Limits)]), st.integers(0, 10**9))
def test_one_number_can_be_set(name: str, number: int) -> None:
    limits = Limits.from_json({name: number})
    assert getattr(limits, name) == number
    assert {**limits.to_json(), name: 0} == {**Limits().to_json(), name: 0}


def test_counts_stay_whole_numbers_and_precision_does_not() -> None:
    limits = Limits.from_json({"qubits": 12.0, "precision_min": 1})
    assert (limits.qubits, type(limits.qubits)) == (12, int)
    assert (limits.precision_min, type(limits.precision_min)) == (1.0, float)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="qbits"):
        Limits.from_json({"qbits": 5})


def test_the_work_document_may_be_twice_the_body() -> None:
    assert Limits(body_bytes=1000).work_bytes == 2000
