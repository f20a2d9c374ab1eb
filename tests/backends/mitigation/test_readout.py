"""Readout errors measured and undone: weights of values, and the M3 way for distributions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from backends.mitigation import readout
from backends.mitigation.decoupling import Unfit
from backends.mitigation.readout import ReadoutError, calibration_circuits, errors_of, quasi_distribution
from backends.mitigation.trying import Runner

ERRORS = [ReadoutError(0.02, 0.08), ReadoutError(0.0, 0.1), ReadoutError(0.05, 0.03)]


def read(distribution: dict[str, float], errors: list[ReadoutError]) -> dict[str, int]:
    """The counts of 10⁹ shots, as exact as that."""
    found: dict[str, float] = {}
    for there, share in distribution.items():
        for bits in product("01", repeat=len(there)):
            chance = share
            for error, true, seen in zip(errors, reversed(there), reversed(bits), strict=True):
                wrong = error.one_for_zero if true == "0" else error.zero_for_one
                chance *= wrong if true != seen else 1 - wrong
            found["".join(bits)] = found.get("".join(bits), 0.0) + chance
    return {bits: round(chance * 10**9) for bits, chance in found.items() if round(chance * 10**9)}


def test_weights_undo_the_error_of_z() -> None:
    error = ReadoutError(0.02, 0.08)
    zero, one = error.weights
    assert 0.98 * zero + 0.02 * one == pytest.approx(1)
    assert 0.08 * zero + 0.92 * one == pytest.approx(-1)
    assert ReadoutError(0, 0).weights == (1, -1)


def test_calibration_finds_the_errors_of_a_device(device: Callable[..., Runner]) -> None:
    circuits = calibration_circuits(5, [4, 1])
    zeros, ones = device(readout=(0.03, 0.1))(circuits, 20_000)
    found = errors_of(zeros, ones, [4, 1])
    assert set(found) == {4, 1}
    for error in found.values():
        assert error.one_for_zero == pytest.approx(0.03, abs=0.008)
        assert error.zero_for_one == pytest.approx(0.1, abs=0.015)


def test_bits_belong_to_their_qubits() -> None:
    found = errors_of({"00": 700, "01": 300}, {"11": 900, "01": 100}, [7, 3])
    assert found[7].one_for_zero == pytest.approx(0.3, abs=1e-3)
    assert found[7].zero_for_one == pytest.approx(0.0, abs=1e-3)
    assert found[3].one_for_zero == pytest.approx(0.0, abs=1e-3)
    assert found[3].zero_for_one == pytest.approx(0.1, abs=1e-3)


def test_a_qubit_that_reads_alike_cannot_be_undone() -> None:
    with pytest.raises(Unfit, match="qubit 2"):
        errors_of({"0": 50, "1": 50}, {"0": 52, "1": 48}, [2])


@pytest.mark.parametrize("dense", [True, False])
def test_a_whole_distribution_is_found_again(dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not dense:
        monkeypatch.setattr(readout, "_DENSE_STRINGS", 1)
    exact = {"000": 0.5, "011": 0.2, "111": 0.3}
    found = quasi_distribution(read(exact, ERRORS), ERRORS)
    assert len(found) == 8, "all strings were seen, so nothing is cut off"
    assert sum(found.values()) == pytest.approx(1)
    for bits, share in found.items():
        assert share == pytest.approx(exact.get(bits, 0), abs=1e-5)


def test_strings_that_were_not_seen_are_left_out() -> None:
    errors = [ReadoutError(0.05, 0.05)] * 10
    counts = {"0" * 10: 450, "1" * 10: 440, "0" * 9 + "1": 24, "1" * 9 + "0": 26}
    found = quasi_distribution(counts, errors)
    assert set(found) == set(counts)
    assert found["0" * 10] + found["1" * 10] > 0.99 > (450 + 440) / 940


def test_nothing_seen_is_nothing() -> None:
    assert quasi_distribution({}, ERRORS) == {}


def test_calibration_circuits_prepare_and_measure() -> None:
    zero, one = calibration_circuits(3, [2, 0])
    assert isinstance(zero, QuantumCircuit)
    assert zero.count_ops() == {"measure": 2}
    assert one.count_ops()["x"] == 2
    assert np.all([circuit.num_qubits == 3 for circuit in (zero, one)])
