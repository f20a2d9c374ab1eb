"""A verdict never rests on what shares a mistake with the one who is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit

from benchmarks.circuit_suite.entry import Bits, Entry
from benchmarks.contest.rows import Row, Rows
from benchmarks.contest.verdicts import NOBODY, Judge, libraries

WIDTH = 30  # more than a dense state is judged by


def wide() -> QuantumCircuit:
    """Every qubit on its own, none of them Clifford."""
    circuit = QuantumCircuit(WIDTH)
    for qubit in range(WIDTH):
        circuit.ry(0.3 + 0.05 * qubit, qubit)
    circuit.measure_all()
    return circuit


def narrow() -> QuantumCircuit:
    """Two qubits that agree."""
    circuit = QuantumCircuit(2)
    circuit.ry(1.0, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


WIDE = Entry("wide", "wide", wide)


def drawn(seed: int, *, honest: bool = True) -> Bits:
    """Outcomes of the wide circuit, or of one that turns the other way round."""
    chances = np.sin((0.3 + 0.05 * np.arange(WIDTH)) / 2) ** 2
    return (np.random.default_rng(seed).random((1024, WIDTH)) < (chances if honest else 1 - chances)).astype(np.uint8)


def row(contestant: str, method: str, version: str = "1") -> Row:
    return Row("wide", "d", contestant, version, "ok", 1.0, 60.0, fidelity=1.0, method=method)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path)


def kept(rows: Rows, *pairs: tuple[Row, Bits]) -> list[Row]:
    for one, bits in pairs:
        rows.keep(one, bits)
    return [one for one, _ in pairs]


def test_libraries_are_independent_by_name_and_aers_methods_by_method() -> None:
    assert libraries(row("router", "stim/aer.statevector")) == {"stim", "aer.statevector"}
    assert libraries(row("aer-mps", "matrix_product_state")) == {"aer.matrix_product_state"}
    assert libraries(row("plain prismq.mps", "Mps")) == libraries(row("prismq.clifford", "x")) == {"prismq"}


def test_without_a_peer_nothing_passes(rows: Rows) -> None:
    mine = row("router", "prismq.mps")
    all_rows = kept(rows, (mine, drawn(1)), (row("prismq.sparse", "Sparse"), drawn(2)))
    verdict = Judge(rows).verdict(WIDE, mine, all_rows)
    assert (verdict.passed, verdict.finding) == (False, NOBODY)


def test_an_independent_engine_lets_the_right_pass_and_stops_the_wrong(rows: Rows) -> None:
    right, wrong = row("router", "prismq.mps"), row("router", "prismq.mps", "2")
    peer = row("aer-mps", "matrix_product_state")
    kept(rows, (right, drawn(1)), (wrong, drawn(2, honest=False)), (peer, drawn(3)))
    judge = Judge(rows)
    assert judge.verdict(WIDE, right, [right, peer]).passed
    refused = judge.verdict(WIDE, wrong, [wrong, peer])
    assert (refused.passed, refused.means) == (False, "peer")


def test_who_shares_the_reductions_is_not_believed_against_who_does_not(rows: Rows) -> None:
    mine, alike, plain = row("router", "prismq.mps"), row("ddsim", "x"), row("plain ddsim", "x")
    kept(rows, (mine, drawn(1, honest=False)), (alike, drawn(2, honest=False)), (plain, drawn(3)))
    judge = Judge(rows)
    assert judge.verdict(WIDE, mine, [mine, alike]).means == "peer, reduced alike"
    assert not judge.verdict(WIDE, mine, [mine, alike, plain]).passed


def test_who_reduces_nothing_may_be_judged_by_those_who_do(rows: Rows) -> None:
    plain, reducing = row("aer-automatic", "stabilizer"), row("stim", "frames")
    kept(rows, (plain, drawn(1)), (reducing, drawn(2)))
    verdict = Judge(rows).verdict(WIDE, plain, [plain, reducing])
    assert (verdict.passed, verdict.means) == (True, "peer")


def test_small_circuits_are_judged_by_exact_probabilities(rows: Rows) -> None:
    ones = np.random.default_rng(5).random((1024, 1)) < np.sin(0.5) ** 2
    right = replace(row("router", "sparse"), circuit="narrow")
    wrong = replace(right, version="2")
    kept(
        rows,
        (right, np.repeat(ones, 2, axis=1).astype(np.uint8)),
        (wrong, np.repeat(~ones, 2, axis=1).astype(np.uint8)),
    )
    judge = Judge(rows)
    entry = Entry("narrow", "narrow", narrow)
    assert (judge.verdict(entry, right, []).passed, judge.verdict(entry, right, []).means) == (True, "exact")
    assert not judge.verdict(entry, wrong, []).passed
    assert Judge(Rows(rows.folder)).verdict(entry, right, []).passed
