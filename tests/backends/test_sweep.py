"""Many parameter sets together: the values and distributions of the sets one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Parameter, ParameterVector, QuantumCircuit, QuantumRegister
from qiskit.quantum_info import Statevector
from scipy.stats import chi2

from backends import sweep
from backends.program import Unflat
from backends.programming import Template, template_of

SHOTS = 2_000
FALSE_ALARM = 1e-6


def ansatz() -> QuantumCircuit:
    """Two registers, an idle qubit between, angles that are shared, scaled and bent."""
    angles = ParameterVector("a", 4)
    circuit = QuantumCircuit(QuantumRegister(5), ClassicalRegister(2, "low"), ClassicalRegister(9, "wide"))
    circuit.h(0)
    circuit.ry(angles[0], 1)
    circuit.cx(0, 1)
    circuit.crx(2 * angles[1] - 0.2, 1, 3)
    circuit.rzz(angles[2], 0, 3)
    circuit.rx(angles[0] * angles[3], 4)
    circuit.u(angles[1], 0.3, angles[2], 0)
    circuit.cp(angles[3], 4, 3)
    circuit.ry(0.4, 4)
    return circuit


def measured() -> QuantumCircuit:
    circuit = ansatz()
    circuit.measure([0, 1, 3, 4, 2], [1, 0, 10, 2, 5])
    return circuit


def sets(count: int, seed: int = 2) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(seed).uniform(-3, 3, (count, 4)).tolist()
    return found


def engines(desk: Any, work: bytes) -> list[str]:
    return [one["engine"] for one in desk.result(work, "ideal")["pubs"][0]["metadata"]["engines"]]


def test_each_set_has_its_own_exact_distribution(desk: Any) -> None:
    values = sets(12)
    work = desk.sampler(measured(), {"parameter_values": [values[:6], values[6:]], "shots": SHOTS}, seed=5)
    assert engines(desk, work) == ["sweep"]
    low, wide = desk.samples(work, "ideal")[0].values()
    assert low.array.shape == (2, 6, SHOTS, 1)
    assert wide.array.shape == (2, 6, SHOTS, 2)
    for index, numbers in enumerate(values):
        state = Statevector(ansatz().assign_parameters(numbers))
        place = divmod(index, 6)
        # Of `wide` the bits 0, 3 and 8 hear of the qubits 4, 2 and 3.
        found = low.array[place][:, 0].astype(int) | (wide.array[place][:, 1].astype(int) << 2)
        found |= wide.array[place][:, 0].astype(int) << 10
        exact = {
            (int(k[-2]) | int(k[-1]) << 1) | int(k[-5]) << 2 | int(k[-3]) << 5 | int(k[-4]) << 10: p
            for k, p in state.probabilities_dict().items()
        }
        seen = dict(zip(*np.unique(found, return_counts=True), strict=True))
        likely = {key: p for key, p in exact.items() if p * SHOTS >= 5}
        assert all(exact.get(int(key), 0) > 1e-9 for key in seen)
        statistic = sum((seen.get(key, 0) - p * SHOTS) ** 2 / (p * SHOTS) for key, p in likely.items())
        assert statistic < chi2.isf(FALSE_ALARM, max(1, len(likely) - 1))


def test_values_are_exact_however_observables_and_sets_broadcast(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    values = sets(9)
    observables = [["ZIIZI"], [{"XIXXY": 0.5, "IIIII": 2.0}], ["IIZII"], ["YIIII"]]
    work = desk.estimator(ansatz(), {"parameter_values": values, "observables": observables})
    assert engines(desk, work) == ["sweep"]
    (found,) = desk.evs(work, "ideal")
    (wanted,) = desk.evs(work, "aer-statevector")
    assert found.shape == wanted.shape == (4, 9)
    assert np.allclose(found, wanted, atol=1e-9)
    monkeypatch.setattr(sweep, "_AMPLITUDES_AT_ONCE", 3 << 4)
    assert np.allclose(desk.evs(work, "ideal")[0], wanted, atol=1e-9), "three sets at a time"
    paired = desk.estimator(ansatz(), {"parameter_values": sets(8), "observables": ["ZIIZI", "XIIXI"] * 4})
    assert np.allclose(desk.evs(paired, "ideal")[0], desk.evs(paired, "aer-statevector")[0], atol=1e-9)


def test_it_says_how_far_values_may_be_off(desk: Any) -> None:
    pub = {"parameter_values": sets(8), "observables": [{"ZIIII": -3.0, "IZIII": 1.0}]}
    found = desk.result(desk.estimator(ansatz(), pub), "ideal")["pubs"][0]["metadata"]
    assert found["error_bound"] == pytest.approx(4e-9)


def test_a_seed_repeats_every_byte_and_chunks_do_not_matter(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    work = desk.sampler(measured(), {"parameter_values": sets(20)}, seed=9)
    whole = desk.run(work, "ideal").result
    assert desk.run(work, "ideal").result == whole
    monkeypatch.setattr(sweep, "_SHOTS_AT_ONCE", 200)
    assert desk.run(work, "ideal").result == whole
    other = desk.sampler(measured(), {"parameter_values": sets(20)}, seed=10)
    assert desk.samples(other, "ideal")[0]["low"] != desk.samples(work, "ideal")[0]["low"]


def takes(circuit: QuantumCircuit, count: int) -> bool:
    template = template_of(circuit)
    assert isinstance(template, Template), not isinstance(template, Unflat)
    return sweep.takes(template, count)


def test_what_it_leaves_to_the_router() -> None:
    angle = Parameter("a")
    assert takes(measured(), 8)
    assert not takes(measured(), 7), "few sets"
    assert not takes(QuantumCircuit(1, 1), 100), "no open angle: one run tells all"
    early = QuantumCircuit(1, 2)
    early.rx(angle, 0)
    early.measure(0, 0)
    early.h(0)
    early.measure(0, 1)
    assert not takes(early, 8), "random before the end"
    wide = QuantumCircuit(11)
    wide.rx(angle, range(11))
    assert not takes(wide, 8), "too wide"
    assert takes(wide.copy_empty_like().compose(rotated(10, angle), range(10)), 8), "idle qubits do not count"
    prepared = QuantumCircuit(1)
    prepared.initialize([0.6, 0.8], 0)
    prepared.rx(angle, 0)
    assert not takes(prepared, 8), "a state from amplitudes"


def rotated(width: int, angle: Parameter) -> QuantumCircuit:
    circuit = QuantumCircuit(width)
    circuit.rx(angle, range(width))
    return circuit
