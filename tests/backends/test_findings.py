"""Findings are made in one process and read in another: JSON is what lies between."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.findings import CircuitFindings, Findings

TYPES = {"int": st.integers(0, 2**40), "bool": st.booleans()}
CIRCUITS = st.builds(CircuitFindings, **{one.name: TYPES[str(one.type)] for one in fields(CircuitFindings)})
QUBITS = st.lists(st.integers(0, 200), max_size=2).map(tuple)
PLACED = st.lists(st.tuples(st.sampled_from(["cx", "if_else"]), QUBITS), max_size=3).map(tuple)
FINDINGS = st.builds(
    Findings,
    primitive=st.sampled_from(["sampler", "estimator"]),
    circuits=st.lists(CIRCUITS, max_size=4).map(tuple),
    only_devices=st.lists(st.sampled_from(["compilation", "twirling"]), max_size=2).map(tuple),
    placed=st.lists(PLACED, max_size=2).map(tuple),
    **{
        one.name: st.integers(0, 2**40)
        for one in fields(Findings)
        if one.name not in ("primitive", "circuits", "only_devices", "placed")
    },
)


@given(FINDINGS)
def test_round_trip(findings: Findings) -> None:
    assert Findings.from_json(json.loads(json.dumps(findings.to_json()))) == findings


def test_the_document_reads_well() -> None:
    bell = CircuitFindings(2, 2, 2, 3, 1, 1, 4, True, True, 0, False, False, executions=1, shots=1024)
    document = Findings("sampler", (bell,), 1, 1, 1, 1024, 2, 1800).to_json()
    assert document["totals"] == {
        "pubs": 1,
        "parameter_sets": 1,
        "executions": 1,
        "shots": 1024,
        "qubits_max": 2,
        "result_bytes": 1800,
    }
    assert document["circuits"][0]["gates_2q"] == 1
    assert document["circuits"][0]["clifford"] is True


@pytest.mark.parametrize(
    "document", [{}, {"circuits": [], "totals": {}}, {"primitive": "sampler", "circuits": [{"q": 1}]}]
)
def test_another_document_is_an_error(document: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        Findings.from_json(document)
