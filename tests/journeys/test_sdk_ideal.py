"""The backend that picks its engines, through the service: worker children that fork, results, receipts."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit import QuantumCircuit

from qubator import EstimatorV2, SamplerV2


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
