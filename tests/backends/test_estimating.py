"""Expectation values: Qiskit's numbers, Qiskit's shapes, by every road through the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import Parameter, ParameterVector, QuantumCircuit
from qiskit.circuit.random import random_circuit
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp, random_clifford

from backends import estimating, sampling

UNIVERSAL = ("aer", "aer-statevector", "aer-mps")
SHAPES = [((), ()), ((4,), (4,)), ((4,), (3, 1)), ((3, 1), (4,)), ((2, 3), (3,)), ((), (2, 2)), ((5,), ())]


def ansatz(qubits: int) -> QuantumCircuit:
    angles = ParameterVector("angle", 2 * qubits)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(angles[qubit], qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    for qubit in range(qubits):
        circuit.rz(2 * angles[qubits + qubit] - 0.1, qubit)
        circuit.sx(qubit)
    return circuit


def sums(shape: tuple[int, ...], qubits: int, seed: int) -> np.ndarray:
    """An array of random Pauli sums."""
    rng = np.random.default_rng(seed)
    flat = np.empty(math.prod(shape), dtype=object)
    for place in range(len(flat)):
        labels = {"".join(rng.choice(list("IXYZ"), qubits)) for _ in range(rng.integers(1, 4))}
        flat[place] = {label: float(rng.normal()) for label in sorted(labels)}
    return flat.reshape(shape)


def theirs(circuit: QuantumCircuit, observables: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Qiskit's own values."""
    operators = np.vectorize(lambda one: SparsePauliOp.from_list(list(one.items())), otypes=[object])(observables)
    pub = (circuit, operators if observables.shape else operators.item(), values)
    found: np.ndarray = StatevectorEstimator().run([pub]).result()[0].data.evs
    return found


@pytest.mark.parametrize("backend", UNIVERSAL)
@pytest.mark.parametrize(("sets", "array"), SHAPES)
def test_shapes_broadcast_as_in_qiskit(desk: Any, sets: Any, array: Any, backend: str) -> None:
    circuit = ansatz(3)
    values = np.random.default_rng(1).normal(size=(*sets, 6))
    observables = sums(array, 3, 2)
    (found,) = desk.evs(
        desk.estimator(circuit, {"parameter_values": values, "observables": observables.tolist()}), backend
    )
    expected = theirs(circuit, observables, values)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, atol=1e-9)


@given(st.integers(0, 10**6), st.sampled_from(UNIVERSAL))
@settings(max_examples=25)
def test_random_circuits_and_sums(desk: Any, seed: int, backend: str) -> None:
    circuit = random_circuit(4, 4, max_operands=4, seed=seed)
    observables = sums((5,), 4, seed)
    (found,) = desk.evs(desk.estimator(circuit, {"observables": observables.tolist()}), backend)
    assert np.allclose(found, theirs(circuit, observables, np.empty(0)), atol=1e-7)


@given(st.integers(0, 10**6))
@settings(max_examples=15)
def test_tableaus_tell_the_same(desk: Any, seed: int) -> None:
    circuit = random_clifford(4, seed=seed).to_circuit()
    observables = sums((6,), 4, seed)
    (found,) = desk.evs(desk.estimator(circuit, {"observables": observables.tolist()}), "aer-stabilizer")
    assert np.allclose(found, theirs(circuit, observables, np.empty(0)), atol=1e-9)


def test_wide_circuits_with_few_busy_qubits(desk: Any) -> None:
    circuit = QuantumCircuit(100)
    circuit.ry(0.7, 90)
    circuit.cx(90, 3)

    def label(**letters: str) -> str:
        return "".join(letters.get(f"q{qubit}", "I") for qubit in reversed(range(100)))

    labels = [
        label(q90="Z"),
        label(q90="X", q3="X"),
        label(q90="Z", q50="Z"),
        label(q50="X"),
        label(q90="Y", q3="X", q7="Z"),
    ]
    for backend in UNIVERSAL:
        (found,) = desk.evs(desk.estimator(circuit, {"observables": labels}), backend)
        assert np.allclose(found, [math.cos(0.7), math.sin(0.7), math.cos(0.7), 0.0, 0.0], atol=1e-9)


def test_a_circuit_that_does_nothing(desk: Any) -> None:
    (found,) = desk.evs(desk.estimator(QuantumCircuit(3), {"observables": ["ZIZ", {"III": 2.5, "XII": 1.0}]}))
    assert found.tolist() == [1.0, 2.5]


@pytest.mark.parametrize(("sets", "array"), [((0,), ()), ((0,), (3, 1)), ((2, 0), (1,)), ((1,), (0,)), ((), (0,))])
def test_empty_arrays_never_reach_the_engine(desk: Any, monkeypatch: pytest.MonkeyPatch, sets: Any, array: Any) -> None:
    monkeypatch.setattr(estimating.engine, "execute", None)
    monkeypatch.setattr(sampling.engine, "execute", None)
    observables = np.full(array, "ZZ", dtype=object).tolist()
    values = {"npy": desk.npy(np.zeros((*sets, 4)))}
    for backend in UNIVERSAL:
        work = desk.estimator(ansatz(2), {"parameter_values": values, "observables": observables})
        (found,) = desk.evs(work, backend)
        assert found.shape == np.broadcast_shapes(sets, array)


def test_more_parameter_sets_than_fit_at_once(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(7, 4))
    work = desk.estimator(ansatz(2), {"parameter_values": values, "observables": "XY"})
    expected = theirs(ansatz(2), np.array({"XY": 1.0}, dtype=object), values)
    monkeypatch.setattr(sampling, "_STATES_AT_ONCE", 2)
    monkeypatch.setattr(estimating, "_VALUES_AT_ONCE", 2)
    for backend in UNIVERSAL:
        assert np.allclose(desk.evs(work, backend)[0], expected, atol=1e-9)


def test_a_label_is_evaluated_once_for_a_state(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    honest = estimating.expectation
    monkeypatch.setattr(estimating, "expectation", lambda *a: asked.append(a[2]) or honest(*a))
    observables = [{"ZZ": 1.0, "XX": 0.5}, {"ZZ": 2.0}, "XX"]
    (found,) = desk.evs(desk.estimator(ansatz(2), {"parameter_values": np.zeros(4), "observables": observables}))
    assert asked == ["ZZ", "XX"]
    assert found[1] == pytest.approx(2 * (found[0] - 0.5 * found[2]))


def test_only_the_pairs_that_meet_are_evaluated(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal shapes pair each set with its own observable."""
    asked: list[str] = []
    honest = estimating.expectation
    monkeypatch.setattr(estimating, "expectation", lambda *a: asked.append(a[2]) or honest(*a))
    labels = ["ZZ", "XX", "YY"]
    desk.evs(desk.estimator(ansatz(2), {"parameter_values": np.zeros((3, 4)), "observables": labels}))
    assert asked == labels


def measuring() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 1)
    circuit.ry(0.7, 0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    return circuit


def branching() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 1)
    circuit.ry(0.7, 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    return circuit


@pytest.mark.parametrize("backend", UNIVERSAL)
@pytest.mark.parametrize("make", [measuring, branching])
def test_random_states_are_averaged_over_runs(desk: Any, make: Any, backend: str) -> None:
    work = desk.estimator(make(), {"observables": ["IZ", "ZZ", "XX", "ZI"], "precision": 0.02})
    assert desk.run(work, backend).shots == 2500
    (found,) = desk.evs(work, backend)
    assert np.allclose(found, [math.cos(0.7), 1.0, 0.0, math.cos(0.7)], atol=0.08)
    assert not np.allclose(found[0], math.cos(0.7), atol=1e-9)


def test_parameters_of_random_states(desk: Any) -> None:
    angle = Parameter("angle")
    for branch in (False, True):
        circuit = QuantumCircuit(1, 1)
        circuit.rx(angle, 0)
        circuit.measure(0, 0)
        if branch:
            with circuit.if_test((circuit.clbits[0], 1)):
                circuit.x(0)
        else:
            circuit.reset(0)
        work = desk.estimator(circuit, {"parameter_values": [[0.3], [2.0]], "observables": "Z", "precision": 0.1})
        assert desk.evs(work)[0].tolist() == [1.0, 1.0]
