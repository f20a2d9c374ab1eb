"""Expectation values with noise: grouped, exact where asked and possible, sampled with honest standard errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector

from backends.devices.estimating import groups_of

DEVICE = "nairobi-snapshot"


def entangled() -> QuantumCircuit:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(0.7, 2)
    circuit.cx(1, 2)
    return circuit


def stated(desk: Any, work: bytes) -> bytes:
    import orjson

    return orjson.dumps({**orjson.loads(work), "calibration": "stated"})


def test_terms_that_agree_are_measured_together() -> None:
    groups = groups_of(["ZZ", "ZI", "XX", "II", "IX", "YZ"], range(6))
    assert [group.labels for group in groups] == [(0, 1), (2, 4), (5,)]
    assert groups[1].basis == ((0, "X"), (1, "X"))
    assert groups[2].basis == ((0, "Z"), (1, "Y"))


def test_exact_values_are_what_many_shots_come_to(desk: Any) -> None:
    """Seven values of 40,000 shots each, within five of their own standard errors: a false alarm once in 250,000."""
    labels = ["ZZI", "XXX", "IXX", "IZZ", "YXY", "ZII", {"XXX": 0.5, "III": 2.0, "ZZI": -1.0}]
    pubs = ({"observables": labels}, {"observables": labels, "precision": 0.005})
    work = stated(desk, desk.estimator(entangled(), *pubs, seed=4))
    exact, sampled = desk.evs(work, DEVICE)
    stds = [desk.array(pub["stds"]) for pub in desk.result(work, DEVICE)["pubs"]]
    assert (stds[0] == 0).all()
    assert (np.abs(exact - sampled) < 5 * stds[1]).all()
    # A single term of value v has the variance 1 - v² a shot.
    assert stds[1][:6] == pytest.approx(np.sqrt((1 - sampled[:6] ** 2) / 40_000), rel=1e-3)
    # Without noise: what Qiskit's own state tells, of which three misread qubits leave at least two thirds here.
    state = Statevector(entangled())
    ideal = np.array([state.expectation_value(Pauli(label)).real for label in labels[:6]])
    assert (np.abs(exact[:6]) <= np.abs(ideal) + 0.06).all()
    assert (np.sign(ideal) * exact[:6] >= 0.66 * np.abs(ideal)).all()


def test_noise_shrinks_and_misreading_is_in_it(desk: Any) -> None:
    circuit = QuantumCircuit(1)
    circuit.x(0)
    work = stated(desk, desk.estimator(circuit, {"observables": ["Z", "I"]}))
    (found,) = desk.evs(work, DEVICE)
    about = desk.result(work, DEVICE)["pubs"][0]["metadata"]
    place = about["compiled"]["qubits"][0]
    from backends.devices.reading import device_of

    qubit = device_of(DEVICE).qubits[place]  # type: ignore[union-attr]
    assert found[0] == pytest.approx(-(1 - 2 * qubit.reads_0_of_1), abs=0.002), "but for the gate's own error"
    assert found[0] > -(1 - 2 * qubit.reads_0_of_1)
    assert found[1] == 1
    assert about["sampling"].startswith("exact value of the noisy circuit")


def test_observables_follow_the_qubits_through_layout_and_routing(desk: Any) -> None:
    """Signs tell which qubit is meant: a basis state on a device with little noise left."""
    circuit = QuantumCircuit(4)
    circuit.x([1, 3])
    circuit.cx(0, 2)
    circuit.cx(3, 0)
    circuit.cx(2, 3)
    wanted = [Pauli("IIIZ"), Pauli("IIZI"), Pauli("IZII"), Pauli("ZIII")]
    ideal = [Statevector(circuit).expectation_value(pauli).real for pauli in wanted]
    work = desk.estimator(circuit, {"observables": [pauli.to_label() for pauli in wanted]})
    (found,) = desk.evs(work, "generic")
    assert np.sign(found).tolist() == np.sign(ideal).tolist()
    assert (np.abs(found) > 0.8).all()


def test_parameter_sets_and_observables_broadcast(desk: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.ry(angle, 0)
    circuit.cx(0, 1)
    pub = {"parameter_values": [[0.0], [np.pi]], "observables": [["ZI"], ["IZ"], ["ZZ"]]}
    (found,) = desk.evs(desk.estimator(circuit, pub), "generic")
    assert found.shape == (3, 2)
    assert (found[:2, 0] > 0.9).all()
    assert (found[:2, 1] < -0.9).all()
    assert (found[2] > 0.9).all()


def test_exact_values_of_many_qubits_are_refused_and_sampled_ones_are_not(desk: Any) -> None:
    circuit = QuantumCircuit(12)
    circuit.h(0)
    for qubit in range(11):
        circuit.cx(qubit, qubit + 1)
    label = "Z" * 12
    refusal = desk.refusal(desk.run, desk.estimator(circuit, {"observables": [label]}), "guadalupe-snapshot")
    assert refusal.code == "precision_out_of_range"
    assert "12 busy qubits" in refusal.detail
    (found,) = desk.evs(desk.estimator(circuit, {"observables": [label], "precision": 0.05}), "guadalupe-snapshot")
    assert 0.2 < found[0] < 1
