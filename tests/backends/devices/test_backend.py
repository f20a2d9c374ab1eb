"""Whole works on devices: what comes back, what it says of itself and bills, and that the noise is the stated one."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import orjson
import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister

from backends.catalogue import spec_of
from backends.devices import frames, trajectories
from backends.devices.backend import backend
from backends.devices.billing import job_us
from backends.devices.reading import fleet

SHOTS = 4_000


def asking(work: bytes, **options: Any) -> bytes:
    return orjson.dumps({**orjson.loads(work), **options})


def about(desk: Any, work: bytes, name: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.result(work, name)["pubs"][0]["metadata"]
    return found


@pytest.mark.parametrize("name", fleet())
@pytest.mark.parametrize("kind", ["ghz", "mirror"])
def test_fidelity_is_what_the_noise_model_predicts(bench: Any, name: str, kind: str) -> None:
    """GHZ states and mirror circuits as wide as 24 qubits on every device of the fleet.

    No error at all is the least that a success may come of; the other bound is a second simulator of the same noise.
    Each comparison is at five standard deviations: a false alarm once in 85,000 runs of these twenty.
    """
    device = bench.device(name)
    width = min(24, len(device.live))
    noisy = bench.noisy(bench.ghz(width) if kind == "ghz" else bench.mirror(width, 3), device)
    untouched = 1.0
    for op in noisy.schedule.operations:
        for _, channel in noisy.noise.of(op):
            untouched *= channel.paulis[0]
    reads = [noisy.noise.flips(qubit) for qubit in noisy.heard.values()]
    all_zeros = np.prod([1 - up for up, _ in reads])
    all_ones = np.prod([1 - down for _, down in reads])
    least = untouched * ((all_zeros + all_ones) / 2 if kind == "ghz" else all_zeros)
    wanted = (0, 2**width - 1) if kind == "ghz" else (0,)
    first = bench.share(frames.sample(noisy, SHOTS, 1).bits, wanted)
    assert first >= SHOTS * least - 5 * np.sqrt(SHOTS * least * (1 - least)) - 0.5
    shots = 400
    second = bench.share(trajectories.sample(noisy, shots, 2, "stabilizer").bits, wanted)
    both = (first + second) / (SHOTS + shots)
    spread = np.sqrt(both * (1 - both) * (1 / SHOTS + 1 / shots))
    assert abs(first / SHOTS - second / shots) <= 5 * spread + 1 / shots


@pytest.mark.parametrize(("gate", "error"), [("x", 0.01), ("cz", 0.02)])
def test_the_error_of_a_gate_is_recovered_from_its_repetitions(bench: Any, gate: str, error: float) -> None:
    """Depolarising leaves λ = 1 - d e/(d - 1) of the signal; after 20 gates survival is 1/d + (1 - 1/d) λ²⁰."""
    width = 1 if gate == "x" else 2
    device = bench.line(width, error_1q=error, error_2q=error, t1_ns=1e12, t2_ns=1e12)
    circuit = QuantumCircuit(width)
    for _ in range(20):
        getattr(circuit, gate)(*range(width))
        circuit.barrier()
    circuit.measure_all()
    size = 1 << width
    left = (1 - size * error / (size - 1)) ** 20
    bits = frames.sample(bench.noisy(circuit, device), 20_000, 4).bits
    assert bench.near(bench.share(bits, [0]), 20_000, 1 / size + (1 - 1 / size) * left)


def test_a_sampled_work_tells_how_it_came_about_and_what_it_bills(desk: Any, bench: Any) -> None:
    work = asking(desk.sampler(bench.ghz(3), {"shots": 500}), calibration="stated")
    execution = desk.run(work, "nairobi-snapshot")
    told = orjson.loads(execution.result)
    device = bench.device("nairobi-snapshot")
    length_ns = bench.noisy(bench.ghz(3), device).schedule.length_ns
    assert execution.shots == 500
    assert execution.qpu_us == job_us(device, [(length_ns, 500)]) == told["metadata"]["qpu"]["billed_us"]
    assert told["metadata"]["device"] == {
        "name": "nairobi-snapshot",
        "kind": "superconducting",
        "calibrated": "2024-05-27",
    }
    metadata = told["pubs"][0]["metadata"]
    assert metadata["simulation"][0]["method"] == "density matrix"
    assert metadata["simulation"][0]["bias"] == "none but rounding"
    assert metadata["compiled"]["two_qubit_gates"] == 2
    assert metadata["schedule_ns"] == {"shortest": round(length_ns, 2), "longest": round(length_ns, 2)}


def test_a_seed_and_a_day_repeat_every_byte(desk: Any, bench: Any) -> None:
    work = asking(desk.sampler(bench.ghz(5), {"shots": 200}, seed=11), calibration="2026-11-20")
    assert desk.run(work, "guadalupe-snapshot").result == desk.run(work, "guadalupe-snapshot").result
    for change in ({"seed": 12}, {"calibration": "2026-11-21"}):
        other = asking(work, **change)
        assert desk.run(other, "guadalupe-snapshot").result != desk.run(work, "guadalupe-snapshot").result
    told = desk.result(asking(work, calibration="2026-11-21"), "guadalupe-snapshot")
    assert told["metadata"]["device"]["calibrated"] == "2026-11-21"


def test_without_a_day_it_is_today(desk: Any, bench: Any) -> None:
    spec = spec_of("generic")
    assert spec is not None
    found = backend(spec).device(desk.decode(desk.sampler(bench.ghz(2))))
    assert abs((date.fromisoformat(found.calibrated) - date.today()).days) <= 1  # noqa: DTZ011 - near enough at midnight
    assert backend(spec).version == "1"


def test_the_ideal_twin_is_the_same_circuit_without_noise(desk: Any, bench: Any) -> None:
    work = asking(desk.sampler(bench.ghz(20), {"shots": 300}), calibration="stated")
    noisy, twin = desk.run(work, "wukong-like"), desk.run(asking(work, noise=False), "wukong-like")
    assert noisy.qpu_us == twin.qpu_us
    told = orjson.loads(twin.result)
    assert told["metadata"]["method"] == "ideal twin"
    assert told["pubs"][0]["metadata"]["compiled"] == orjson.loads(noisy.result)["pubs"][0]["metadata"]["compiled"]
    counts = [desk.samples(one, "wukong-like")[0]["meas"].get_counts() for one in (asking(work, noise=False), work)]
    assert set(counts[0]) == {"0" * 20, "1" * 20}
    assert len(counts[1]) > 50
    estimate = desk.estimator(QuantumCircuit(2), {"observables": ["ZI", {"IZ": 2.0}]})
    (values,) = desk.evs(asking(estimate, noise=False), "nairobi-snapshot")
    assert values.tolist() == [1.0, 2.0]


def test_registers_parameters_and_unmeasured_bits(desk: Any) -> None:
    angle = Parameter("angle")
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "a"), ClassicalRegister(3, "b"))
    circuit.rx(angle, 0)
    circuit.measure(0, circuit.clbits[2])
    circuit.measure(1, 0)
    work = desk.sampler(circuit, {"parameter_values": [[0.0], [np.pi]], "shots": 200})
    (found,) = desk.samples(work, "generic")
    assert {name: bits.shape for name, bits in found.items()} == {"a": (2,), "b": (2,)}
    assert found["b"][0].get_counts()["000"] > 150
    assert found["b"][1].get_counts()["010"] > 150


def test_parameters_that_cancel_leave_the_others_their_values(desk: Any) -> None:
    first, second = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rz(first, 0)
    circuit.rz(-first, 0)
    circuit.ry(second, 0)
    circuit.measure_all()
    work = desk.sampler(circuit, {"parameter_values": [[1.0, np.pi], [2.0, 0.0]], "shots": 100})
    for one in (work, asking(work, noise=False)):
        (bits,) = desk.samples(one, "generic")
        ones = bits["meas"].bitcount().sum(axis=-1).tolist()
        assert ones[0] > 90
        assert ones[1] < 10


def test_dynamic_circuits_run_where_the_device_can_and_are_refused_where_not(desk: Any) -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    (bits,) = desk.samples(desk.sampler(circuit, {"shots": 2_000}), "generic")
    counts = bits["c"].get_counts()
    assert counts["000"] + counts["011"] > 1_850
    assert 800 < counts["011"] < 1_200
    refusal = desk.refusal(desk.run, desk.sampler(circuit), "wukong-like")
    assert refusal.code == "backend_infeasible"


def test_a_hundred_noisy_qubits(desk: Any, bench: Any) -> None:
    found = about(desk, desk.sampler(bench.ghz(100), {"shots": 1_024}), "fez-snapshot")
    assert found["simulation"][0]["method"] == "Pauli frames"
    assert found["compiled"]["two_qubit_gates"] >= 99


def test_options_that_mean_nothing_are_refused(desk: Any, bench: Any) -> None:
    work = desk.sampler(bench.ghz(2))
    for change, words in (
        ({"noise": 1}, "noise is true or false"),
        ({"calibration": "yesterday"}, "a day such as 2026-11-20"),
        ({"calibration": 5}, "a day such as 2026-11-20"),
    ):
        refusal = desk.refusal(desk.run, asking(work, **change), "generic")
        assert refusal.code == "circuit_invalid"
        assert words in refusal.detail
