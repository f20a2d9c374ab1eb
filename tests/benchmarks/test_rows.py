"""Rows outlive the process that measured them, and are found only by what they were measured with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from benchmarks.contest.rows import Row, Rows, cache_folder, digest_of

ROW = Row("ghz", "abc", "stim", "1.16", "ok", 2.0, 60.0, fidelity=1.0, method="frames")


def test_a_row_and_its_bits_are_found_again_by_another_process(tmp_path: Path) -> None:
    bits = np.random.default_rng(1).integers(0, 2, (100, 13)).astype(np.uint8)
    Rows(tmp_path).keep(ROW, bits)
    again = Rows(tmp_path)
    assert again.find(ROW.key, 60.0) == ROW
    assert (again.bits(ROW) == bits).all()


@pytest.mark.parametrize("other", [{"digest": "abd"}, {"contestant": "sparse"}, {"version": "1.17"}])
def test_another_circuit_engine_or_version_is_another_row(tmp_path: Path, other: dict[str, str]) -> None:
    rows = Rows(tmp_path)
    rows.keep(ROW, None)
    assert rows.find(replace(ROW, **other).key, 60.0) is None


def test_a_shorter_limit_is_answered_by_what_took_longer(tmp_path: Path) -> None:
    rows = Rows(tmp_path)
    rows.keep(ROW, None)
    found = rows.find(ROW.key, 1.0)
    assert found is not None
    assert (found.status, found.seconds) == ("timeout", 1.0)


def test_a_longer_limit_needs_a_new_measurement_of_what_ran_out_of_time(tmp_path: Path) -> None:
    rows = Rows(tmp_path)
    late = replace(ROW, status="timeout", seconds=10.0, limit_s=10.0)
    rows.keep(late, None)
    assert rows.find(ROW.key, 10.0) == late
    assert rows.find(ROW.key, 60.0) is None


def test_the_later_row_wins(tmp_path: Path) -> None:
    rows = Rows(tmp_path)
    rows.keep(ROW, None)
    rows.keep(replace(ROW, seconds=1.0), None)
    for each in (rows, Rows(tmp_path)):
        found = each.find(ROW.key, 60.0)
        assert found is not None
        assert found.seconds == 1.0


def test_circuits_are_told_apart_by_their_contents() -> None:
    first, same, other = QuantumCircuit(2, 2), QuantumCircuit(2, 2), QuantumCircuit(2, 2)
    for circuit, turn in ((first, 0.1), (same, 0.1), (other, 0.2)):
        circuit.rx(turn, 0)
        circuit.measure(0, 0)
    assert digest_of(first) == digest_of(same) != digest_of(other)


def test_the_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("QUBATOR_BENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "qubator-bench"
    monkeypatch.setenv("QUBATOR_BENCH_CACHE", str(tmp_path / "other"))
    assert cache_folder() == tmp_path / "other"
