"""From bytes to bytes: what a worker calls, how quick it is, and that it survives what kills the engine alone."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.circuit.library import StatePreparation
from qiskit_aer import AerSimulator

from backends import circuits
from backends.run import backend_of, warm_up


def layered(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.h(qubit)
        circuit.rz(0.1 + qubit, qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def seconds(call: Any, times: int = 40) -> float:
    """The shortest of several, so that neighbours on the machine do not count."""
    call()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return min(took)


def test_names(desk: Any) -> None:
    assert backend_of("aer").spec.name == "aer"
    refusal = desk.refusal(backend_of, "auto")
    assert refusal.code == "unknown_backend"
    assert desk.refusal(desk.run, desk.sampler(desk.bell()), "ibm_kyoto").fields == {"backend": "ibm_kyoto"}


def test_refusals_of_decoding_come_through(desk: Any) -> None:
    assert desk.refusal(desk.run, b"{}").code == "circuit_invalid"
    assert desk.refusal(desk.run, desk.sampler(desk.bell(), {"shots": 0})).code == "shots_out_of_range"


def test_warming_up_runs_both_primitives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "_memory", type(circuits._memory)())
    warm_up()
    assert len(circuits._memory) == 2


def test_a_stabilizer_backend_declines_other_gates(desk: Any) -> None:
    assert desk.refusal(desk.run, desk.sampler(layered(3)), "aer-stabilizer").code == "backend_infeasible"


def test_a_small_job_costs_less_than_the_simulators_own_run(desk: Any) -> None:
    circuit = layered(5)
    work = desk.sampler(circuit, {"shots": 1024})
    simulator = AerSimulator(max_parallel_threads=1)
    plain = seconds(lambda: simulator.run(circuit, shots=1024).result())
    whole = seconds(lambda: desk.run(work))
    assert whole < plain


def test_a_loop_of_estimates_costs_little_more_than_the_engine(desk: Any) -> None:
    angles = ParameterVector("angle", 10)
    circuit = QuantumCircuit(5)
    for qubit in range(5):
        circuit.ry(angles[qubit], qubit)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    for qubit in range(5):
        circuit.ry(2 * angles[5 + qubit], qubit)
    source = desk.source(circuit)
    rng = np.random.default_rng(1)
    labels = {"".join(rng.choice(list("IXYZ"), 5)): 0.5 for _ in range(30)}

    def step() -> None:
        desk.run(desk.estimator(source, {"parameter_values": rng.normal(size=10), "observables": labels}))

    assert seconds(step) < 0.005


@pytest.mark.parametrize("qubits", [2, 5, 8])
def test_an_inverted_state_preparation_runs(desk: Any, qubits: int) -> None:
    """Honest, and fatal to the engine when compiled to its own widest basis. Sent as its definition, as it must be."""
    amplitudes = np.random.default_rng(1).normal(size=2**qubits)
    prepare = StatePreparation(amplitudes / np.linalg.norm(amplitudes))
    circuit = QuantumCircuit(qubits)
    circuit.append(prepare, range(qubits))
    circuit.append(prepare.inverse(), range(qubits))
    circuit.measure_all()
    (found,) = desk.samples(desk.sampler(circuit.decompose("state_preparation_dg"), {"shots": 50}))
    assert found["meas"].get_counts() == {"0" * qubits: 50}


def test_hundreds_of_small_pubs_in_one_file(desk: Any) -> None:
    circuits = []
    for number in range(300):
        circuit = QuantumCircuit(2)
        circuit.rx(0.01 * number, 0)
        circuit.cx(0, 1)
        circuit.measure_all()
        circuits.append(circuit)
    work = desk.sampler(desk.source(*circuits), *[{"circuit": number} for number in range(300)])
    began = time.perf_counter()
    assert len(desk.samples(work)) == 300
    assert time.perf_counter() - began < 3
