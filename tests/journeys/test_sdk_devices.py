"""Devices through the service: any Qiskit program compiles for them and runs on them, and pays what they would bill."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager

from qubator import EstimatorV2, Refused, SamplerV2

DAY = "2026-11-20"


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


def test_a_program_compiles_for_a_device_and_runs_on_it_as_compiled(startup: Any) -> None:
    backend = startup.client.backend("guadalupe-snapshot")
    assert backend.num_qubits == 16
    assert backend.target["cx"][(0, 1)].error > 0
    isa = generate_preset_pass_manager(optimization_level=2, backend=backend, seed_transpiler=4).run(ghz(5))
    job = SamplerV2(backend, seed=5).run([isa], shots=400)
    counts = job.result()[0].data.meas.get_counts()
    assert 250 < counts["00000"] + counts["11111"] < 400
    (told,) = job.metadata["pubs"]
    assert told["compiled"]["compiler"] == "as is"
    assert told["simulation"][0]["method"] == "density matrix"
    assert job.metadata["device"]["name"] == "guadalupe-snapshot"


def test_what_is_charged_is_the_bill_of_the_device_and_within_the_quote(startup: Any) -> None:
    terms = {"shots": 1_000, "seed": 5, "backend": "nairobi-snapshot", "calibration": DAY}
    quote = startup.client.quote(ghz(3), **terms)
    job = startup.client.submit(ghz(3), **terms).wait(timeout=60)
    assert job.state == "succeeded"
    document = job.document()
    billed_us = document["metadata"]["qpu"]["billed_us"]
    length_ns = document["pubs"][0]["metadata"]["schedule_ns"]["longest"]
    # 100 ms for the job; for each of 1,000 shots 250 µs between shots, 5.596 µs of reset, and the schedule.
    assert billed_us == pytest.approx(100_000 + 250_000 + 5_596 + length_ns, abs=2)
    used = job.receipt()["usage"]
    assert used["qpu_ms"] == -(-billed_us // 1_000)
    assert used["shots"] == 1_000
    expected_ms, most_ms = quote.record["quote"]["qpu_ms"]
    assert used["qpu_ms"] <= most_ms
    assert abs(expected_ms - used["qpu_ms"]) < used["qpu_ms"] / 10


def test_an_estimator_on_a_device_samples_and_the_ideal_twin_does_not_err(startup: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.ry(angle, 0)
    circuit.cx(0, 1)
    pub = (circuit, SparsePauliOp(["ZZ", "XX"]), [[0.0], [1.5707963267948966]])
    noisy = EstimatorV2(startup.client, backend="nairobi-snapshot", seed=3)
    values = noisy.run([pub], precision=0.02).result()[0].data
    assert values.evs.shape == (2,)
    assert 0.6 < values.evs[0] < 1.0
    assert 1.3 < values.evs[1] < 2.0
    assert (values.stds > 0).all()
    twin = EstimatorV2(startup.client, backend="nairobi-snapshot", seed=3)
    twin.options.noise = False
    assert twin.run([pub]).result()[0].data.evs == pytest.approx([1.0, 2.0], abs=1e-6)


def test_a_seed_and_a_day_give_the_same_again(startup: Any) -> None:
    terms = {"shots": 300, "seed": 8, "backend": "zuchongzhi-3-like", "calibration": DAY}
    first, again = (startup.client.submit(ghz(30), **terms).wait(timeout=60) for _ in range(2))
    counts = [job.result()[0].data.meas.get_counts() for job in (first, again)]
    assert counts[0] == counts[1]


def test_what_does_not_fit_is_refused_at_submission_with_its_reason(startup: Any) -> None:
    with pytest.raises(Refused, match="nairobi-snapshot has 7 that work"):
        startup.client.submit(ghz(8), backend="nairobi-snapshot")
    wide = ghz(12).remove_final_measurements(inplace=False)
    with pytest.raises(Refused, match=r"give a precision such as 0\.02"):
        EstimatorV2(startup.client, backend="guadalupe-snapshot").run([(wide, "Z" * 12)])
    steering = QuantumCircuit(2, 2)
    steering.h(0)
    steering.measure(0, 0)
    with steering.if_test((steering.clbits[0], 1)):
        steering.x(1)
    steering.measure(1, 1)
    with pytest.raises(Refused, match="only measures at the end"):
        startup.client.submit(steering, backend="wukong-like")
    assert startup.client.submit(steering, backend="generic").wait(timeout=60).state == "succeeded"
