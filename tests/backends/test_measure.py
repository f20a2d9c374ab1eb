"""What the inspector tells the service about work: the circuits, the runs, the size of the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.circuit.classical import expr

from backends.devices.admission import run_us
from backends.limits import Limits
from backends.measure import measure, trajectories
from backends.rejected import Rejected


def ansatz(qubits: int) -> QuantumCircuit:
    angles = ParameterVector("angle", qubits)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(angles[qubit], qubit)
    return circuit


def resetting() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.reset(0)
    return circuit


def test_a_bell_pair(desk: Any) -> None:
    found = desk.measure(desk.sampler(desk.bell(), {"shots": 1024}))
    (circuit,) = found.circuits
    assert (circuit.qubits, circuit.active, circuit.clbits, circuit.depth) == (2, 2, 2, 3)
    assert (circuit.gates_1q, circuit.gates_2q, circuit.operations) == (1, 1, 4)
    assert (circuit.clifford, circuit.measured, circuit.mid_circuit, circuit.control_flow) == (True, True, False, False)
    assert (circuit.executions, circuit.shots, circuit.terms) == (1, 1024, 0)
    assert (found.pubs, found.parameter_sets, found.executions, found.shots, found.qubits_max) == (1, 1, 1, 1024, 2)


def test_sets_and_shots_multiply_and_pubs_add_up(desk: Any) -> None:
    circuit = ansatz(3)
    circuit.measure_all()
    sets = np.zeros((4, 5, 3))
    found = desk.measure(
        desk.sampler(
            [circuit, desk.bell()],
            {"parameter_values": sets, "shots": 10},
            {"circuit": 1, "shots": 7},
            {"circuit": 1, "shots": 9},
        )
    )
    assert [(one.executions, one.shots, one.parameters) for one in found.circuits] == [(20, 200, 3), (2, 16, 0)]
    assert (found.pubs, found.parameter_sets, found.executions, found.shots) == (3, 22, 22, 216)


def test_terms_are_counted_for_every_set(desk: Any) -> None:
    pub = {"parameter_values": np.zeros((5, 3)), "observables": [[{"ZZZ": 1.0, "XXX": 1.0}], ["IIZ"]]}
    (circuit,) = desk.measure(desk.estimator(ansatz(3), pub)).circuits
    assert (circuit.executions, circuit.terms, circuit.shots, circuit.measured) == (5, 15, 0, False)


@pytest.mark.parametrize("bits", [1, 8, 9, 200])
def test_the_result_is_about_as_long_as_promised(desk: Any, bits: int) -> None:
    circuit = QuantumCircuit(1, bits)
    circuit.h(0)
    circuit.measure(0, 0)
    work = desk.sampler(circuit, *[{"shots": 5000}] * 3)
    promised = desk.measure(work).result_bytes
    written = len(desk.run(work).result)
    assert written <= promised + 400 < 1.2 * written + 1600


def test_estimates_are_about_as_long_as_promised(desk: Any) -> None:
    work = desk.estimator(ansatz(2), {"parameter_values": np.zeros((50, 1, 2)), "observables": ["ZZ"] * 40})
    promised = desk.measure(work).result_bytes
    written = len(desk.run(work).result)
    assert written <= promised + 400 < 1.2 * written + 1600


def test_a_result_that_is_too_large(desk: Any) -> None:
    work = desk.sampler(desk.bell(), {"shots": 3000}, {"shots": 3000})
    desk.measure(work, result_bytes=8800)
    refusal = desk.refusal(desk.measure, work, result_bytes=8799)
    assert (refusal.code, refusal.fields) == ("result_too_large", {"result_bytes_max": 8799})


def test_a_sampler_has_to_measure(desk: Any) -> None:
    refusal = desk.refusal(desk.measure, desk.sampler([desk.bell(), QuantumCircuit(1, 1)], {}, {"circuit": 1}))
    assert (refusal.code, refusal.fields) == ("no_measurement", {"pub": 1, "circuit": 1})
    assert "measure_all" in refusal.detail


def test_a_circuit_nobody_samples_need_not_measure(desk: Any) -> None:
    assert desk.measure(desk.sampler([desk.bell(), QuantumCircuit(1, 1)])).circuits[1].executions == 0


def test_an_estimator_must_not_measure_at_the_end(desk: Any) -> None:
    refusal = desk.refusal(desk.measure, desk.estimator(desk.bell(), {"observables": "ZZ", "precision": 0.1}))
    assert refusal.code == "circuit_invalid"
    assert "remove_final_measurements" in refusal.detail


def test_a_random_state_has_no_exact_value(desk: Any) -> None:
    refusal = desk.refusal(desk.measure, desk.estimator(resetting(), {"observables": "Z"}))
    assert refusal.code == "precision_out_of_range"
    found = desk.measure(desk.estimator(resetting(), {"observables": "Z", "precision": 0.1}))
    assert found.shots == found.circuits[0].shots == trajectories(0.1) == 100


def test_what_the_engines_cannot_evaluate(desk: Any) -> None:
    circuit = QuantumCircuit(1, 2)
    with circuit.if_test(expr.index(expr.lift(circuit.cregs[0]), 0)):
        circuit.x(0)
    circuit.measure(0, 0)
    refusal = desk.refusal(desk.measure, desk.sampler(circuit))
    assert refusal.code == "payload_unsupported"
    assert refusal.detail.startswith("circuit 0")


def test_findings_are_remembered_with_the_circuit(desk: Any) -> None:
    work = desk.sampler(desk.bell())
    first = desk.measure(work).circuits[0]
    assert desk.decode(work).circuits[0].notes["findings"].operations == first.operations


def test_operations_add_up_over_the_work(desk: Any) -> None:
    work = desk.sampler([desk.bell(), desk.bell(), desk.bell()])
    desk.measure(work, operations_total=12)
    refusal = desk.refusal(desk.measure, work, operations_total=11)
    assert (refusal.code, refusal.fields) == ("circuit_too_large", {"operations": 12, "operations_max": 11})


def test_no_pubs_and_no_circuits(desk: Any) -> None:
    found = desk.measure(orjson.dumps({"v": 1, "primitive": "estimator", "circuits": [], "pubs": []}))
    assert (found.pubs, found.circuits, found.qubits_max, found.result_bytes) == (0, (), 0, 0)


def test_widths_are_checked_whatever_decoded_them(desk: Any) -> None:
    for tight in (Limits(qubits=1), Limits(clbits=1)):
        with pytest.raises(Rejected, match="2 qubits and 2 classical bits"):
            measure(desk.decode(desk.sampler(desk.bell())), tight)


def test_widths_are_checked_whatever_the_format(desk: Any) -> None:
    assert desk.refusal(desk.measure, desk.sampler(desk.bell()), qubits=1).code == "circuit_too_large"
    text = desk.text(
        "openqasm3", 'OPENQASM 3.0; include "stdgates.inc"; qubit[3] q; bit[2] c; h $2; c[0] = measure q[0];'
    )
    assert desk.refusal(desk.measure, desk.sampler(text)).code == "circuit_invalid"


def test_what_mitigation_runs_is_counted_for_the_quote(desk: Any) -> None:
    """400 shots a term; factors 1 and 3 for the result, and the twin, which first runs as it is."""
    work = orjson.loads(desk.estimator(ansatz(2), {"parameter_values": [0.1, 0.2], "observables": ["ZZ", "XX"]}))
    work["pubs"][0]["precision"] = 0.05
    zne = {"zne_mitigation": True, "zne": {"noise_factors": [1, 3]}}
    (plain,) = desk.measure(orjson.dumps(work)).circuits
    (longer,) = desk.measure(orjson.dumps({**work, "resilience": zne})).circuits
    assert (plain.sampled, plain.folded) == (800, 0)
    assert (longer.sampled, longer.folded) == (2 * 800 + 2 * 800, 2 * 2 * 800)


def test_the_time_of_a_portfolio_is_part_of_what_a_device_is_expected_to_take(desk: Any) -> None:
    work = orjson.loads(desk.sampler(desk.bell()))
    plain = desk.measure(orjson.dumps(work))
    tried = desk.measure(orjson.dumps(work | {"compilation": {"mode": "portfolio", "budget_ms": 1_000}}))
    single = desk.measure(orjson.dumps(work | {"compilation": {"mode": "single"}}))
    assert plain.circuits[0].compiling_us == single.circuits[0].compiling_us == 0
    assert 100_000 < tried.circuits[0].compiling_us <= 1_000_000
    assert run_us(tried) == run_us(plain) + tried.circuits[0].compiling_us
