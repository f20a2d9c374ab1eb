"""The time model: more work never looks cheaper, and it stays near what was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.estimate import ESTIMATE_MAX_US, TABLEAU_FROM_QUBITS, memory_bytes, resolve, work_us
from backends.findings import CircuitFindings, Findings

METHODS: Any = st.sampled_from(["automatic", "statevector", "matrix_product_state", "stabilizer"])
SMALL = st.integers(0, 10**6)


def circuit(**numbers: Any) -> CircuitFindings:
    start = CircuitFindings(5, 5, 5, 3, 15, 12, 32, False, True, 0, False, False, executions=1, shots=1024)
    return replace(start, **numbers)


def work(*circuits: CircuitFindings) -> Findings:
    return Findings("sampler", circuits, 1, 1, 1, 1, 1, 1)


CIRCUITS = st.builds(
    CircuitFindings,
    qubits=st.integers(1, 200),
    active=st.integers(0, 200),
    clbits=SMALL,
    depth=SMALL,
    gates_1q=SMALL,
    gates_2q=SMALL,
    operations=SMALL,
    clifford=st.booleans(),
    measured=st.booleans(),
    parameters=SMALL,
    mid_circuit=st.booleans(),
    control_flow=st.booleans(),
    executions=SMALL,
    shots=SMALL,
    terms=SMALL,
)
GROWING = st.sampled_from(
    ["clbits", "depth", "gates_1q", "gates_2q", "operations", "parameters", "executions", "shots", "terms"]
)


@given(METHODS, CIRCUITS, GROWING, st.integers(1, 10**6))
def test_more_of_anything_never_costs_less(method: Any, start: CircuitFindings, name: str, more: int) -> None:
    grown = replace(start, **{name: getattr(start, name) + more})
    assert work_us(method, work(grown)) >= work_us(method, work(start))
    assert work_us(method, work(start, grown)) >= work_us(method, work(start))


@given(st.sampled_from(["statevector", "stabilizer"]), CIRCUITS, st.integers(1, 50))
def test_more_qubits_never_cost_less_in_a_state_or_a_tableau(method: Any, start: CircuitFindings, more: int) -> None:
    wider = replace(start, active=start.active + more)
    assert work_us(method, work(wider)) >= work_us(method, work(start))
    assert memory_bytes(method, wider) >= memory_bytes(method, start)


@given(METHODS, CIRCUITS)
def test_estimates_are_whole_positive_and_bounded(method: Any, one: CircuitFindings) -> None:
    estimate_us = work_us(method, work(one))
    assert isinstance(estimate_us, int)
    assert 1 <= estimate_us <= ESTIMATE_MAX_US
    assert isinstance(memory_bytes(resolve(method, one), one), int)


@pytest.mark.parametrize(
    ("method", "one", "measured_us"),
    [
        ("statevector", circuit(), 1_200),
        ("statevector", circuit(active=16, operations=109), 18_000),
        ("statevector", circuit(active=22, operations=151), 1_490_000),
        ("statevector", circuit(operations=905), 19_000),
        ("statevector", circuit(executions=1000, shots=1_024_000), 187_000),
        ("statevector", circuit(mid_circuit=True, operations=33), 59_000),
        ("stabilizer", circuit(active=50, operations=350), 46_000),
        ("stabilizer", circuit(active=200, operations=1400), 580_000),
        ("matrix_product_state", circuit(active=20, operations=137, gates_2q=57), 74_000),
        ("matrix_product_state", circuit(active=50, operations=650, gates_2q=294), 5_000_000),
    ],
)
def test_near_what_was_measured(method: Any, one: CircuitFindings, measured_us: int) -> None:
    assert measured_us / 5 < work_us(method, work(one)) < measured_us * 5


def test_automatic_takes_the_tableau_for_wide_clifford_circuits_only() -> None:
    wide = circuit(active=TABLEAU_FROM_QUBITS, clifford=True)
    assert resolve("automatic", wide) == "stabilizer"
    assert resolve("automatic", replace(wide, clifford=False)) == "statevector"
    assert resolve("automatic", replace(wide, active=TABLEAU_FROM_QUBITS - 1)) == "statevector"
    assert resolve("matrix_product_state", wide) == "matrix_product_state"


def test_idle_qubits_cost_nothing() -> None:
    assert work_us("statevector", work(circuit(qubits=127))) == work_us("statevector", work(circuit(qubits=5)))
