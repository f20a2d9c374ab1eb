"""Aer's backends as a whole: seeds, metadata, methods and the numbers that are charged."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import orjson
import pytest
from qiskit.circuit import ParameterVector, QuantumCircuit

from backends import aer, seeds
from backends.aer import backend
from backends.catalogue import spec_of


def ansatz(qubits: int = 2) -> QuantumCircuit:
    angles = ParameterVector("angle", qubits)
    circuit = QuantumCircuit(qubits, metadata={"name": "ansatz"})
    for qubit in range(qubits):
        circuit.ry(angles[qubit], qubit)
    return circuit


def ghz(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def resetting() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.h(0)
    circuit.measure(0, 1)
    return circuit


NOISY = {"parameter_values": [0.1, 0.2], "observables": ["ZZ", "XX"], "precision": 0.1}


@pytest.mark.parametrize("name", ["aer", "aer-statevector", "aer-mps", "aer-stabilizer"])
def test_a_seed_repeats_every_byte(desk: Any, name: str) -> None:
    work = desk.sampler([ghz(3), resetting()], {}, {"circuit": 1}, seed=11)
    assert desk.run(work, name).result == desk.run(work, name).result
    other = desk.sampler([ghz(3), resetting()], {}, {"circuit": 1}, seed=12)
    assert desk.result(work, name)["pubs"] != desk.result(other, name)["pubs"]


def test_neighbours_change_nothing(desk: Any) -> None:
    """The second PUB draws the same whatever stands before it, and not what the first draws."""
    pubs = desk.result(desk.sampler([ghz(3), resetting()], {}, {}, seed=11))["pubs"]
    changed = desk.result(desk.sampler([ghz(3), resetting()], {"circuit": 1, "shots": 999}, {}, seed=11))["pubs"]
    assert changed[1] == pubs[1]
    assert pubs[0] != pubs[1]


def test_noise_of_an_estimate_repeats_and_differs_by_place(desk: Any) -> None:
    first, second = desk.evs(desk.estimator(ansatz(), NOISY, NOISY, seed=5))
    again, alone = desk.evs(desk.estimator(ansatz(), NOISY, seed=5)), desk.evs(desk.estimator(ansatz(), NOISY, seed=6))
    assert first.tolist() == again[0].tolist()
    assert first.tolist() != second.tolist()
    assert first.tolist() != alone[0].tolist()


def test_work_without_a_seed_says_which_it_used(desk: Any) -> None:
    circuit = ghz(3)
    first = desk.result(desk.sampler(circuit, seed=None))
    used = first["metadata"]["seed"]
    assert first == desk.result(desk.sampler(circuit, seed=used))
    assert desk.result(desk.sampler(circuit, seed=None))["metadata"]["seed"] != used


def test_metadata_of_the_document(desk: Any) -> None:
    metadata = desk.result(desk.sampler([ghz(3), ghz(20)], {}, {"circuit": 1}, seed=9))["metadata"]
    assert metadata == {
        "engine": "aer",
        "engine_version": backend(spec_of("aer")).version,
        "method": "statevector/stabilizer",
        "seed": 9,
    }
    assert desk.result(desk.sampler(ghz(20)), "aer-mps")["metadata"]["method"] == "matrix_product_state"


def test_metadata_of_pubs(desk: Any) -> None:
    """Experiments look for their own circuit metadata in the answer."""
    measured = ansatz()
    measured.measure_all()
    (pub,) = desk.result(desk.sampler(measured, {"parameter_values": [0.1, 0.2]}))["pubs"]
    assert pub["metadata"] == {"shots": 64, "circuit_metadata": {"name": "ansatz"}}
    (pub,) = desk.result(desk.estimator(ansatz(), NOISY))["pubs"]
    assert pub["metadata"] == {
        "target_precision": 0.1,
        "circuit_metadata": {"name": "ansatz"},
        "sampling": "exact value plus Gaussian noise of the target precision",
    }
    (pub,) = desk.result(desk.estimator(ansatz(), {**NOISY, "precision": 0.0}))["pubs"]
    assert pub["metadata"]["sampling"] == "exact value"
    (pub,) = desk.result(desk.estimator(resetting_without_end(), {"observables": "Z", "precision": 0.1}))["pubs"]
    assert (pub["metadata"]["sampling"], pub["metadata"]["trajectories"]) == ("trajectories", 100)


def resetting_without_end() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.reset(0)
    return circuit


def test_noise_has_the_precision_asked_for(desk: Any) -> None:
    pub = {"parameter_values": [0.3, 0.4], "observables": ["ZZ"] * 4000, "precision": 0.05}
    result = desk.result(desk.estimator(ansatz(), pub))["pubs"][0]
    evs, stds = desk.array(result["evs"]), desk.array(result["stds"])
    assert evs.mean() == pytest.approx(np.cos(0.3) * np.cos(0.4), abs=0.005)
    assert evs.std() == pytest.approx(0.05, rel=0.05)
    assert set(stds.tolist()) == {0.05}
    exact = desk.result(desk.estimator(ansatz(), {**pub, "precision": 0.0}))["pubs"][0]
    assert set(desk.array(exact["stds"]).tolist()) == {0.0}


def test_shots_are_those_spent(desk: Any) -> None:
    measured = ansatz()
    measured.measure_all()
    sampler = desk.sampler(
        measured, {"parameter_values": np.zeros((3, 4, 2)), "shots": 10}, {"parameter_values": [0, 0]}
    )
    assert desk.run(sampler).shots == 12 * 10 + 64
    assert desk.run(desk.estimator(ansatz(), NOISY)).shots == 0


def test_the_engines_time_is_in_microseconds_and_within_the_call(desk: Any) -> None:
    work = desk.sampler(ghz(16), {"shots": 1000})
    desk.run(work, "aer-statevector")
    began = time.perf_counter()
    execution = desk.run(work, "aer-statevector")
    wall_us = (time.perf_counter() - began) * 1e6
    assert 500 < execution.qpu_us <= wall_us + 1000


def test_no_pubs(desk: Any) -> None:
    execution = desk.run(orjson.dumps({"v": 1, "primitive": "sampler", "circuits": [], "pubs": [], "seed": 4}))
    document = orjson.loads(execution.result)
    assert (document["pubs"], document["metadata"]["method"], execution.shots) == ([], "automatic", 0)
    assert execution.qpu_us >= 1


def test_what_would_end_badly_is_refused_before_it_begins(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aer, "sample_pub", None)
    refusal = desk.refusal(desk.run, desk.sampler([ghz(2), QuantumCircuit(1, 1)], {}, {"circuit": 1}))
    assert refusal.code == "no_measurement"


def test_pub_seeds_come_from_the_works_seed(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    honest = aer.sample_pub
    monkeypatch.setattr(aer, "sample_pub", lambda *a: asked.append(a[3]) or honest(*a))
    desk.run(desk.sampler(ghz(2), {}, {}, seed=77))
    assert asked == [seeds.of_pub(77, 0), seeds.of_pub(77, 1)]
