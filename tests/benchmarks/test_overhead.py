"""What is timed is what it says: real documents through the real call, decoded programs that mean what was written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from backends import run
from backends.limits import Limits
from benchmarks import overhead
from benchmarks.circuit_suite.suite import suite


def test_every_figure_comes_out_positive() -> None:
    assert overhead.decision_ms(5) > 0
    pub_s, jobs_s, bound_s = overhead.bindings_s(10)
    assert min(pub_s, jobs_s, bound_s) > 0
    first, again = overhead.qasm3_ms(5)
    assert first > again > 0


def test_one_work_has_all_bindings() -> None:
    circuit = overhead.ansatz()
    values = np.zeros((3, circuit.num_parameters))
    result = json.loads(run.execute(overhead.work_of(circuit, values), "ideal", Limits()).result)
    assert result["pubs"][0]["registers"]["meas"]["shape"] == [3]


def test_the_long_circuits_exist() -> None:
    assert set(overhead.LONG) <= {entry.name for entry in suite()}


def test_shares_are_told_for_what_takes_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overhead, "LONG", ("tfim_14", "mqt_ghz_5"))
    monkeypatch.setattr(overhead, "LONG_S", 1e-9)
    assert set(overhead.shares()) == {"tfim_14", "mqt_ghz_5"}
    monkeypatch.setattr(overhead, "LONG_S", 1e9)
    assert overhead.shares() == {}
