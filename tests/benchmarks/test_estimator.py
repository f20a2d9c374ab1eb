"""Exact values are compared with a truth that neither side made, and a wrong value counts as unsolved."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from benchmarks import estimator
from benchmarks.contest.estimates import AER, IDEAL, contestant, entries_of, small, truth
from benchmarks.estimator import Told


def test_the_truth_is_that_of_the_whole_state() -> None:
    rng = np.random.default_rng(3)
    circuit = QuantumCircuit(6)
    for layer in range(3):
        for qubit in range(6):
            circuit.u(*rng.uniform(-3, 3, 3).tolist(), qubit)
        for qubit in range(layer % 2, 5, 2):
            circuit.cx(qubit, qubit + 1)
    observable = SparsePauliOp(["XIIIIY", "IZZIII", "IIIIII", "YXZZXY"], [0.5, -1.5, 0.25, 2.0])
    assert truth((circuit, observable)) == pytest.approx(
        float(Statevector(circuit).expectation_value(observable).real), abs=1e-12
    )


@pytest.mark.parametrize("name", [AER, IDEAL])
def test_both_give_the_true_value(name: str) -> None:
    for question in small():
        (value,) = contestant(name)(question, 0, 1).bits()
        assert float(value) == pytest.approx(truth(question), abs=1e-9)


def test_the_widths_are_those_asked_for() -> None:
    widths = {entry.make()[0].num_qubits for entry in entries_of("")}  # type: ignore[index]
    assert (min(widths), max(widths)) == (16, 80)
    assert len({entry.name for entry in entries_of("")}) == len(entries_of(""))


def test_a_wrong_value_is_no_value() -> None:
    right, wrong, late = Told(1.0, "ok", 1e-9, 1e-6), Told(1.0, "ok", 1e-3, 1e-6), Told(60.0, "timeout")
    quick = Told(0.01, "ok", 0.0, 1e-6)
    line = estimator.figures([(right, quick), (late, quick), (right, wrong)])
    assert line.startswith("figures: circuits=3 solved=2 aer_solved=2 geomean=100.0 par2=")
    assert "wrong=1" in line
    assert math.isclose(float(line.split("par2=")[1].split()[0]), (100 * 12_000 / 120) ** (1 / 3), rel_tol=0.01)


def test_a_run_tells_its_figures(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["estimator", "--only", "pauli_16"])
    estimator.main()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("figures: circuits=3 solved=3 aer_solved=3 ")
    assert last.endswith("wrong=0 limit_s=60")
