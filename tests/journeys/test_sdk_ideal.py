"""The backend that picks its engines, through the service: worker children that fork, results, receipts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit

from qubator import EstimatorV2, Refused, SamplerV2


@pytest.fixture(scope="module")
def startup(zone: Any) -> Any:
    return zone.startup()


def ghz(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def entangled(qubits: int) -> QuantumCircuit:
    """No structure that any engine could use."""
    circuit = QuantumCircuit(qubits)
    for layer in range(3):
        for qubit in range(qubits):
            circuit.ry(0.3 + 0.1 * qubit + layer, qubit)
        for qubit in range(qubits):
            circuit.crx(0.7 + 0.05 * qubit, qubit, (qubit + 1 + 3 * layer) % qubits)
    circuit.measure_all()
    return circuit


def test_a_hundred_qubits_are_sampled_and_charged(startup: Any) -> None:
    job = startup.client.submit(ghz(100), shots=500, backend="ideal").wait(timeout=60)
    assert job.state == "succeeded"
    counts = job.result()[0].data.meas.get_counts()
    assert set(counts) == {"0" * 100, "1" * 100}
    assert job.receipt()["charged"] > 0


def test_a_circuit_without_structure_goes_to_a_dense_state(startup: Any) -> None:
    sampler = SamplerV2(startup.client, backend="ideal", seed=5)
    job = sampler.run([entangled(22)], shots=200)
    result = job.result()
    (told,) = job.metadata["pubs"]
    assert result[0].data.meas.num_shots == 200
    assert {one["engine"] for one in told["engines"]} <= {"prismq.statevector", "qulacs", "aer.statevector"}
    assert all(one["fidelity_at_least"] == 1.0 for one in told["engines"])


def test_an_estimator_of_forty_qubits_is_exact(startup: Any) -> None:
    circuit = QuantumCircuit(40)
    circuit.h(range(40))
    circuit.rz(0.4, range(40))
    estimator = EstimatorV2(startup.client, backend="ideal")
    found = estimator.run([(circuit, "X" + "I" * 39)], precision=0).result()[0].data.evs
    assert abs(float(found) - 0.9210609940028851) < 1e-9


def random_circuit(qubits: int, layers: int) -> QuantumCircuit:
    rng = np.random.default_rng(4)
    circuit = QuantumCircuit(qubits)
    for layer in range(layers):
        for qubit in range(qubits):
            circuit.u(*rng.uniform(0, 6.28, 3), qubit)
        for qubit in range(layer % 2, qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def test_where_a_job_goes_is_told_before_and_true_afterwards(startup: Any) -> None:
    route = startup.client.route(ghz(60), shots=100)
    assert (route.backend, route.refusal, route.sure) == ("ideal", None, True)
    (pub,) = route.pubs
    (part,) = pub["parts"]
    foretold = part["tries"][0]["engine"]
    job = startup.client.submit(ghz(60), shots=100).wait(timeout=60)
    assert job.record["backend"] == "ideal"
    (told,) = job.document()["pubs"]
    assert [one["engine"] for one in told["metadata"]["engines"]] == [foretold]
    assert startup.client.jobs().__next__().id == job.id, "asking made no job"


def test_what_no_engine_can_run_is_refused_before_it_starts(startup: Any) -> None:
    deep = random_circuit(60, 60)
    route = startup.client.route(deep)
    assert route.backend is None
    with pytest.raises(Refused, match="no engine can run it") as refused:
        startup.client.submit(deep, backend="ideal")
    assert refused.value.code == route.refusal["code"] == "backend_infeasible"
