"""EstimatorV2 of the SDK against the running service, beside Qiskit's own StatevectorEstimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import real_amplitudes
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import Pauli, PauliList, SparsePauliOp

from qubator import EstimatorV2, JobFailed, Refused


@pytest.fixture(scope="module")
def startup(zone: Any) -> Any:
    return zone.startup()


@pytest.fixture
def estimator(startup: Any) -> EstimatorV2:
    return EstimatorV2(startup.client, seed=7)


def ansatz() -> QuantumCircuit:
    return real_amplitudes(2, reps=1)


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, metadata={"k": (1, 2)})
    circuit.h(0)
    circuit.cx(0, 1)
    return circuit


def mixed_names() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("z"), 0)
    circuit.rx(Parameter("a"), 1)
    circuit.cx(0, 1)
    return circuit


ENERGY = SparsePauliOp(["ZZ", "XI", "IX", "YY"], [1.0, -0.5, 0.25, 2.0])
POINTS = np.linspace(-3, 3, 4 * 4).reshape(4, 4)


@pytest.mark.parametrize(
    "pub",
    [
        lambda: (bell(), "ZZ"),
        lambda: (bell(), ENERGY),
        lambda: (bell(), ["ZZ", Pauli("XX"), {"YY": 2.0, "IZ": 1.0}]),
        lambda: (bell(), PauliList(["ZZ", "XI"])),
        lambda: (ansatz(), ENERGY, [0.1, 0.2, 0.3, 0.4]),
        lambda: (ansatz(), ENERGY, POINTS),
        lambda: (ansatz(), [["ZZ"], ["XX"], [ENERGY]], POINTS),
        lambda: (ansatz(), ["ZZ", "XX", "ZI", "IX"], POINTS),
        lambda: (ansatz(), [["ZZ", "XX"]], POINTS.reshape(4, 1, 4)),
        lambda: (mixed_names(), "ZZ", {"a": [0.1, 0.2], "z": [1.0, 2.0]}),
        lambda: (mixed_names(), ["ZZ", "IX"], {("z", "a"): [[0.1, 0.2], [0.3, 0.4]]}),
    ],
)
def test_exact_values_are_those_of_qiskits_own_estimator(estimator: EstimatorV2, pub: Any) -> None:
    made = pub()
    (ours,), (theirs,) = estimator.run([made]).result(), StatevectorEstimator().run([made]).result()
    assert ours.data.evs.dtype == theirs.data.evs.dtype == np.float64
    assert (ours.data.shape, ours.data.evs.shape) == (theirs.data.shape, theirs.data.evs.shape)
    np.testing.assert_allclose(ours.data.evs, theirs.data.evs, atol=1e-12)
    assert not ours.data.stds.any()
    assert ours.metadata == theirs.metadata


def test_many_pubs_in_one_job(estimator: EstimatorV2) -> None:
    result = estimator.run([(bell(), "ZZ"), (ansatz(), ENERGY, POINTS), (bell(), ["XX", "YY"])]).result()
    assert [each.data.shape for each in result] == [(), (4,), (2,)]
    assert result.metadata == {"version": 2}
    assert result[0].metadata == {"target_precision": 0.0, "circuit_metadata": {"k": (1, 2)}}


def test_precision_is_a_standard_error_and_a_seed_repeats_it(startup: Any) -> None:
    def values(seed: int) -> np.ndarray:
        estimator = EstimatorV2(startup.client, seed=seed)
        return estimator.run([(bell(), [["ZI"]] * 50)], precision=0.05).result()[0].data.evs

    first = values(1)
    assert np.array_equal(first, values(1))
    assert not np.array_equal(first, values(2))
    assert abs(float(np.mean(first))) < 5 * 0.05 / np.sqrt(50)
    assert 0.02 < float(np.std(first)) < 0.1


def test_a_single_value_with_a_precision(estimator: EstimatorV2) -> None:
    result = estimator.run([(bell(), "ZI"), (bell(), "ZI", None, 0.2)], precision=0.1).result()
    assert [each.metadata["target_precision"] for each in result] == [0.1, 0.2]
    assert all(each.data.evs.shape == () for each in result)


def test_no_parameter_sets_are_an_empty_result(estimator: EstimatorV2) -> None:
    (result,) = estimator.run([(ansatz(), "ZZ", np.empty((0, 4)))]).result()
    assert result.data.evs.shape == (0,)


def test_a_variational_loop_finds_the_ground_state(estimator: EstimatorV2) -> None:
    circuit, point = ansatz(), np.full(4, 0.4)
    shifts = np.concatenate([np.eye(4), -np.eye(4)]) * np.pi / 2
    for _ in range(25):
        values = estimator.run([(circuit, ENERGY, point + shifts)]).result()[0].data.evs
        point = point - 0.3 * (values[:4] - values[4:]) / 2
    reached = float(estimator.run([(circuit, ENERGY, point)]).result()[0].data.evs)
    assert reached < np.linalg.eigvalsh(ENERGY.to_matrix())[0] + 0.3


@pytest.mark.parametrize("precision", [1e-9])
def test_a_precision_that_cannot_be_had_is_refused_or_met(estimator: EstimatorV2, precision: float) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.reset(0)
    with pytest.raises((Refused, JobFailed)) as caught:
        estimator.run([(circuit, "Z")], precision=precision).result()
    assert caught.value.code == "precision_out_of_range"
