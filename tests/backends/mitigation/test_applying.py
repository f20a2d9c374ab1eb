"""Mitigation from end to end: nearer to the truth where it helps, and left out where it would harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector

from backends.compiling.calibrated import Calibrated
from backends.compiling.choosing import Compiled, compile_circuit
from backends.compiling.isa import check_isa
from backends.compiling.options import CompileOptions
from backends.mitigation.applying import estimate, sampling
from backends.mitigation.measuring import terms_of
from backends.mitigation.options import MitigationOptions, Zne
from backends.mitigation.trying import Runner
from backends.rejected import Rejected

LABELS = ["ZIIII", "IZIII", "ZZIII", "IXXII", "IIIYZ", "IIIIZ", "IIIII"]
NOISY: dict[str, Any] = {"depolarising": 0.02, "readout": (0.03, 0.06)}


def off_by(
    given: QuantumCircuit, made: Compiled, calibrated: Calibrated, options: MitigationOptions, run: Runner
) -> tuple[float, Any]:
    found = estimate(made.circuit, terms_of(LABELS, made.final_layout), calibrated, options, run, 4000, 7)
    exact = np.array([Statevector(given).expectation_value(Pauli(label)).real for label in LABELS])
    assert found.values[-1] == 1, "the identity"
    return float(np.sqrt(np.mean((found.values - exact) ** 2))), found


def test_readout_and_zne_bring_values_nearer(
    given: QuantumCircuit, compiled: Compiled, calibrated: Calibrated, device: Callable[..., Runner]
) -> None:
    run = device(**NOISY)
    raw, plain = off_by(given, compiled, calibrated, MitigationOptions(), run)
    corrected, _ = off_by(given, compiled, calibrated, MitigationOptions(readout=True), run)
    both, found = off_by(given, compiled, calibrated, MitigationOptions(readout=True, zne=Zne()), run)
    assert raw > 0.05
    assert corrected < 0.7 * raw
    assert both < 0.35 * raw
    assert dict(plain.report) == {}
    assert found.report["ran"] == {"circuits": found.cost.circuits, "shots": found.cost.shots}
    assert np.all(found.stds[:-1] > plain.stds[:-1]), "what is gained in truth is paid in scatter"


def test_twirling_helps_against_errors_that_add_up(calibrated: Calibrated, device: Callable[..., Runner]) -> None:
    """Six CZ that each turn a little too far: amplitudes add up, probabilities would not."""
    given = QuantumCircuit(5)
    given.rx(0.4, [0, 1])
    for turn in range(6):
        given.cz(0, 1)
        given.rx(0.8 if turn % 2 else 0.3, 0)
    made = compile_circuit(given, calibrated, CompileOptions(level=1, layout=(0, 1, 2, 3, 4)))
    run = device(coherent=0.12)
    terms = terms_of(["IIIIZ", "IIIZI", "IIIZZ"], made.final_layout)
    found = estimate(made.circuit, terms, calibrated, MitigationOptions(twirls=32), run, 6400, 7)
    exact = [Statevector(given).expectation_value(Pauli(label)).real for label in ("IIIIZ", "IIIZI", "IIIZZ")]
    raw = estimate(made.circuit, terms, calibrated, MitigationOptions(), run, 6400, 7)
    (row,) = found.report["methods"]
    assert row["applied"]
    assert np.linalg.norm(found.values - exact) < 0.3 * np.linalg.norm(raw.values - exact)


def test_what_makes_it_worse_is_not_applied(
    given: QuantumCircuit, compiled: Compiled, calibrated: Calibrated, device: Callable[..., Runner]
) -> None:
    """Waiting does no harm on this device, and pulses do."""
    run = device(pulse=0.05)
    error, found = off_by(given, compiled, calibrated, MitigationOptions(decoupling="XX"), run)
    (row,) = found.report["methods"]
    assert not row["applied"]
    assert row["twin_error_after"] > 2 * row["twin_error_before"]
    assert row["why"] == "it made the twin worse, not applied"
    raw, _ = off_by(given, compiled, calibrated, MitigationOptions(), run)
    assert error == raw, "the result is that without mitigation"


def test_without_a_twin_nothing_is_applied_and_the_reason_is_told(
    calibrated: Calibrated, device: Callable[..., Runner]
) -> None:
    circuit = QuantumCircuit(5, 1)
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    circuit.measure(0, 0)
    found = sampling(circuit, calibrated, MitigationOptions("XX", 4, True), device(**NOISY), 100, 1)
    assert [row["method"] for row in found.report["methods"]] == [
        "dynamical_decoupling",
        "twirling",
        "measure_mitigation",
    ]
    assert all(not row["applied"] and "what cannot be tried" in row["why"] for row in found.report["methods"])
    assert found.circuits == (circuit,)
    assert found.cost.shots == 0
    assert found.quasi_distribution({"0": 3}) is None


def test_samples_are_corrected_as_a_distribution(calibrated: Calibrated, device: Callable[..., Runner]) -> None:
    given = QuantumCircuit(4)
    given.x([0, 2])
    given.cx(0, 1)
    given.measure_all()
    made = compile_circuit(given, calibrated, CompileOptions())
    run = device(readout=(0.03, 0.1))
    found = sampling(made.circuit, calibrated, MitigationOptions(twirls=4, readout=True), run, 4000, 3)
    for circuit in found.circuits:
        check_isa(circuit, calibrated.target)
    (counts,) = run([made.circuit], 20_000)
    corrected = found.quasi_distribution(counts)
    assert corrected is not None
    assert counts["0111"] / 20_000 < 0.8
    assert corrected["0111"] == pytest.approx(1, abs=0.02)
    assert "M3" in found.report["readout"]


def test_samples_cannot_be_extrapolated(
    compiled: Compiled, calibrated: Calibrated, device: Callable[..., Runner]
) -> None:
    with pytest.raises(Rejected, match="ask the estimator") as refused:
        sampling(compiled.circuit, calibrated, MitigationOptions(zne=Zne()), device(), 10, 1)
    assert refused.value.fields["option"] == "resilience.zne_mitigation"


def test_equal_inputs_give_equal_values(
    given: QuantumCircuit, compiled: Compiled, calibrated: Calibrated, device: Callable[..., Runner]
) -> None:
    options = MitigationOptions("XX", 3, True, Zne((1.0, 2.0), "linear"))
    first, second = (off_by(given, compiled, calibrated, options, device(**NOISY))[1] for _ in range(2))
    assert first.values.tolist() == second.values.tolist()
    assert first.report == second.report


def test_terms_of_nothing_need_no_device(compiled: Compiled, calibrated: Calibrated) -> None:
    def run(*_: object) -> Any:
        raise AssertionError("nothing is to be run")

    found = estimate(compiled.circuit, [()], calibrated, MitigationOptions(readout=True), run, 10, 1)
    assert found.values.tolist() == [1.0]
    assert not found.report["methods"][0]["applied"]


def test_a_known_recipe_needs_no_twin(
    given: QuantumCircuit, compiled: Compiled, calibrated: Calibrated, device: Callable[..., Runner]
) -> None:
    options = MitigationOptions(readout=True, zne=Zne())
    terms = terms_of(LABELS, compiled.final_layout)
    run = device(**NOISY)
    first = estimate(compiled.circuit, terms, calibrated, options, run, 500, 7)
    again = estimate(compiled.circuit, terms, calibrated, options, run, 500, 7, first.recipe)
    assert again.values.tolist() == first.values.tolist()
    assert 0 < again.cost.shots < first.cost.shots
    assert dict(again.report) == {}
