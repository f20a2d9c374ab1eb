"""The backend that picks its engines: its answers are those of Aer, sooner or where Aer has none, and it says how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.library import QFTGate
from qiskit.circuit.random import random_circuit
from scipy.stats import chi2

from backends import ideal
from backends.engines.port import Budget
from backends.rejected import Rejected

SHOTS = 3_000
FALSE_ALARM = 1e-6


def told(desk: Any, work: bytes, backend: str = "ideal") -> list[dict[str, Any]]:
    pubs: list[dict[str, Any]] = desk.result(work, backend)["pubs"]
    return pubs


def about(desk: Any, work: bytes) -> dict[str, Any]:
    found: dict[str, Any] = told(desk, work)[0]["metadata"]
    return found


def homogeneous(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two samples may be of one distribution, by a χ² test that fails by chance once in 10⁶ times."""
    keys = [key for key in one.keys() | other.keys() if one.get(key, 0) + other.get(key, 0) >= 10]
    statistic = sum((one.get(key, 0) - other.get(key, 0)) ** 2 / (one.get(key, 0) + other.get(key, 0)) for key in keys)
    return statistic < float(chi2.isf(FALSE_ALARM, max(1, len(keys) - 1)))


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    circuit.measure_all()
    return circuit


def dynamic() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "m"), ClassicalRegister(1, "out"))
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.h(1)
    circuit.reset(0)
    circuit.rx(0.8, 0)
    circuit.measure([1, 0], [1, 2])
    return circuit


def looping() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.h(0)
        circuit.measure(0, 0)
    return circuit


CIRCUITS = {
    "random": measured(random_circuit(5, 8, seed=5)),
    "fourier": measured(QuantumCircuit(6).compose(QFTGate(6), range(6))),
    "dynamic": dynamic(),
    "loop": looping(),
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_it_samples_what_aer_samples(desk: Any, name: str) -> None:
    work = desk.sampler(CIRCUITS[name], {"shots": SHOTS}, seed=3)
    (mine,), (aers,) = desk.samples(work, "ideal"), desk.samples(work)
    assert mine.keys() == aers.keys()
    for register, bits in mine.items():
        assert homogeneous(bits.get_counts(), aers[register].get_counts())


def test_a_seed_repeats_every_byte(desk: Any) -> None:
    work = desk.sampler([CIRCUITS["random"], dynamic()], {}, {"circuit": 1}, seed=11)
    assert desk.run(work, "ideal").result == desk.run(work, "ideal").result
    other = desk.sampler([CIRCUITS["random"], dynamic()], {}, {"circuit": 1}, seed=12)
    assert told(desk, work) != told(desk, other)


def test_parameter_sets_that_are_alike_are_sampled_in_one_go_and_independently(desk: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.ry(angle, 0)
    circuit.measure_all()
    work = desk.sampler(circuit, {"parameter_values": [[1.5], [0.0], [1.5]], "shots": 400}, seed=4)
    first, zero, again = desk.samples(work, "ideal")[0]["meas"].array[..., 0].tolist()
    assert zero == [0] * 400
    assert 100 < sum(first) < 300
    assert first != again


def test_it_says_how_the_answer_came_about(desk: Any) -> None:
    wide = QuantumCircuit(60)
    wide.h(0)
    for qubit in range(59):
        wide.cx(qubit, qubit + 1)
    wide.t(59)
    found = about(desk, desk.sampler(measured(wide)))
    assert found["reductions"] == ["light cone"]
    assert found["error_bound"] == 0.0
    (engine,) = found["engines"]
    assert engine["fidelity_at_least"] == 1.0
    assert engine["engine"] not in ("mps", "aer.statevector"), "without the T gate two terms or a tableau tell all"
    assert desk.result(desk.sampler(wide), "ideal")["metadata"]["method"] == "routed"


def test_angles_that_are_snapped_are_told(desk: Any) -> None:
    circuit = QuantumCircuit(14)
    circuit.rx(1.5707963, 0)
    for qubit in range(13):
        circuit.cx(qubit, qubit + 1)
    found = about(desk, desk.sampler(measured(circuit)))
    assert "angles snapped to Clifford gates" in found["reductions"]
    assert 0 < found["error_bound"] < 1e-6


@pytest.mark.parametrize("qubits", [4, 30])
def test_expectation_values_are_exact(desk: Any, qubits: int) -> None:
    """An Ising chain; at thirty qubits by the light cones of its terms, which are those of a shorter chain."""
    circuit = QuantumCircuit(qubits)
    circuit.h(range(qubits))
    for _ in range(2):
        for qubit in range(qubits - 1):
            circuit.rzz(0.3, qubit, qubit + 1)
        circuit.rx(0.4, range(qubits))
    labels = ["I" * (qubits - 2) + "ZZ", "X" + "I" * (qubits - 1), "I" * qubits]
    pub = {"observables": [labels[0], {labels[1]: 2.0, labels[2]: 0.5}]}
    (found,) = desk.evs(desk.estimator(circuit, pub), "ideal")
    width = min(qubits, 10)
    short = QuantumCircuit(width)
    short.h(range(width))
    for _ in range(2):
        for qubit in range(width - 1):
            short.rzz(0.3, qubit, qubit + 1)
        short.rx(0.4, range(width))
    same = {"observables": ["I" * (width - 2) + "ZZ", {"X" + "I" * (width - 1): 2.0, "I" * width: 0.5}]}
    (wanted,) = desk.evs(desk.estimator(short, same), "aer-statevector")
    assert np.allclose(found, wanted, atol=1e-9)


@pytest.mark.parametrize("swept", [True, False])
def test_no_parameter_sets_are_no_shots(desk: Any, swept: bool) -> None:
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("a"), 0)
    if not swept:
        circuit.measure_all()
        circuit.reset(0)
    circuit.cx(0, 1)
    circuit.measure_all(add_bits=swept)
    (pub,) = told(desk, desk.sampler(circuit, {"parameter_values": np.zeros((0, 1))}))
    assert desk.array(pub["registers"]["meas"]["array"]).shape == (0, 64, 1)


def test_precision_adds_noise_and_circuits_with_random_events_go_to_aer(desk: Any) -> None:
    circuit = QuantumCircuit(1)
    circuit.ry(0.3, 0)
    noisy = about(desk, desk.estimator(circuit, {"observables": ["Z"], "precision": 0.05}))
    assert noisy["sampling"] == "exact value plus Gaussian noise of the target precision"
    random = QuantumCircuit(1, 1)
    random.h(0)
    random.measure(0, 0)
    random.h(0)
    result = desk.result(desk.estimator(random, {"observables": ["Z"], "precision": 0.1}), "ideal")
    assert result["metadata"]["engine"] == "aer"


def test_what_fits_nowhere_is_refused_with_its_reason(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ideal, "installed", lambda: {"aer.statevector": ideal_engine()})
    monkeypatch.setattr(ideal, "budget", lambda: Budget(1 << 20))
    with pytest.raises(Rejected, match="it needs more than the 1 MiB there are") as refused:
        desk.run(desk.sampler(measured(random_circuit(18, 20, seed=1))), "ideal")
    assert refused.value.code == "backend_infeasible"


def ideal_engine() -> Any:
    from backends.engines.roster import installed

    return installed()["aer.statevector"]
