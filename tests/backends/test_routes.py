"""Where the router would run each PUB, told without running any."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends import routes as routes_module
from backends.engines.port import Budget
from backends.findings import Findings
from backends.measure import measure
from backends.router.simplest import forms
from backends.routes import PubRoute, routed, routes_of
from backends.work import decode

BUDGET = Budget(4 << 30, 60.0)


def ghz(width: int) -> QuantumCircuit:
    circuit = QuantumCircuit(width)
    circuit.h(0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    return circuit


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    circuit.measure_all()
    return circuit


def brickwork(width: int, layers: int) -> QuantumCircuit:
    rng = np.random.default_rng(3)
    circuit = QuantumCircuit(width)
    for layer in range(layers):
        for qubit in range(width):
            circuit.u(*rng.uniform(0, 2 * math.pi, 3), qubit)
        for qubit in range(layer % 2, width - 1, 2):
            circuit.cx(qubit, qubit + 1)
    return circuit


@pytest.fixture
def told(desk: Any) -> Any:
    """The routes of a work document, and its findings with them."""

    def tell(document: bytes) -> tuple[tuple[PubRoute, ...], Findings]:
        work = decode(document, desk.limits)
        found = routes_of(work, desk.limits, BUDGET)
        assert found is not None
        return found, routed(measure(work, desk.limits), found)

    return tell


def test_a_clifford_circuit_goes_to_a_tableau(desk: Any, told: Any) -> None:
    (route,), findings = told(desk.sampler(measured(ghz(60))))
    assert (route.by, route.sets, route.sure) == ("router", 1, True)
    (part,) = route.parts
    assert part.foretold.candidates[0].engine.name in ("stim", "prismq.clifford")
    (circuit,) = findings.circuits
    assert 0 < circuit.routed_us < 1_000_000
    assert circuit.routed_mib <= 64
    assert not circuit.unsure


def test_independent_parts_that_are_equal_run_as_one(desk: Any, told: Any) -> None:
    circuit = QuantumCircuit(16)
    for start in range(0, 16, 8):
        circuit.h(start)
        for qubit in range(start, start + 7):
            circuit.rx(0.3, qubit + 1)
            circuit.cx(qubit, qubit + 1)
        circuit.ry(0.4, start)
    (route,), _ = told(desk.sampler(measured(circuit)))
    assert [part.times for part in route.parts] == [2]
    assert "independent parts" in route.reductions


def test_nothing_is_left_of_what_is_certain(desk: Any, told: Any) -> None:
    circuit = QuantumCircuit(14)
    circuit.x(range(14))
    (route,), findings = told(desk.sampler(measured(circuit)))
    assert (route.parts, route.seconds, route.sure) == ((), 0.0, True)
    assert findings.circuits[0].routed_us == 1


def test_of_small_circuits_nothing_is_asked_but_a_dense_state(desk: Any, told: Any) -> None:
    """Reducing and routing would take longer than running them."""
    circuit = QuantumCircuit(13)
    circuit.x(range(13))
    (route,), findings = told(desk.sampler(measured(circuit)))
    assert route.reductions == ()
    (part,) = route.parts
    assert part.foretold.tries[0].engine.name == "prismq.statevector"
    assert findings.circuits[0].routed_us < 2_000


def test_time_grows_with_the_parameter_sets_unless_they_run_as_one_array(desk: Any, told: Any) -> None:
    angle = Parameter("a")
    circuit = ghz(14)
    circuit.rx(angle, range(14))
    circuit = measured(circuit)
    (one,), _ = told(desk.sampler(circuit, {"parameter_values": [[0.1]]}))
    (four,), _ = told(desk.sampler(circuit, {"parameter_values": [[0.1], [0.2], [0.3], [0.4]]}))
    assert four.sets == 4
    assert four.seconds == pytest.approx(4 * one.seconds)
    small = QuantumCircuit(2)
    small.rx(angle, 0)
    small.cx(0, 1)
    (swept,), findings = told(desk.sampler(measured(small), {"parameter_values": [[0.1 * n] for n in range(20)]}))
    assert (swept.by, swept.sets) == ("sweep", 20)
    assert findings.circuits[0].routed_us == 0, "its formula is that of small states"


def test_loops_of_unknown_length_go_to_aer_and_say_why(desk: Any, told: Any) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.h(0)
        circuit.measure(0, 0)
    (route,), findings = told(desk.sampler(circuit))
    assert route.by == "aer"
    assert "while_loop" in route.why
    assert findings.circuits[0].routed_us == 0


def test_random_states_under_an_estimator_go_to_aer(desk: Any, told: Any) -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.h(0)
    (route,), _ = told(desk.estimator(circuit, {"observables": ["ZZ"], "precision": 0.1}))
    assert (route.by, route.why) == ("aer", "its state is random: values are averaged over runs")


def test_terms_with_small_light_cones_are_told_by_these(desk: Any, told: Any) -> None:
    terms = [("ZZ", [q, q + 1], 1.0) for q in range(49)]
    observable = SparsePauliOp.from_sparse_list(terms, 50)
    labels = dict.fromkeys(observable.paulis.to_labels(), 1.0)
    (route,), findings = told(desk.estimator(brickwork(50, 2), {"observables": labels}))
    assert route.reductions == ("light cone of each term",)
    assert max(part.foretold.features.traits.busy for part in route.parts) <= 8
    assert route.sure
    assert findings.circuits[0].routed_us < 5_000_000
    (whole,), _ = told(desk.estimator(brickwork(10, 2), {"observables": ["Z" * 10]}))
    assert [part.foretold.features.traits.busy for part in whole.parts] == [10]


def test_what_fits_nowhere_is_told_with_what_it_would_need(desk: Any, told: Any) -> None:
    (route,), findings = told(desk.sampler(measured(brickwork(60, 60))))
    assert (route.sure, route.seconds) == (False, math.inf)
    (circuit,) = findings.circuits
    assert circuit.routed_us == 10**15
    assert circuit.routed_mib > 1 << 25
    assert circuit.unsure


def test_equal_pubs_are_looked_at_once(desk: Any, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(routes_module, "forms", lambda *given: looked.append(1) or forms(*given))
    found, findings = told(desk.sampler(measured(ghz(5)), *({"shots": 10} for _ in range(30))))
    assert (len(found), len(looked)) == (30, 1)
    assert findings.circuits[0].routed_us >= 30


def test_long_work_is_not_looked_at(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_module, "LOOKED_AT", 20)
    work = decode(desk.sampler(measured(ghz(20))), desk.limits)
    assert routes_of(work, desk.limits, BUDGET) is None
    findings = measure(work, desk.limits)
    assert routed(findings, None) is findings
