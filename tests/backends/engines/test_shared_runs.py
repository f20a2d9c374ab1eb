"""Shots that see the same are run together, and come out as if each had been run alone."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from backends.engines import shared_runs
from backends.engines.port import Budget, GaveUp
from backends.program import Clause, Op, Program

_PLACE = Path(__file__).resolve().parents[1] / "reductions" / "reference.py"
_SPEC = importlib.util.spec_from_file_location("reductions_reference", _PLACE)
assert _SPEC is not None and _SPEC.loader is not None  # noqa: PT018 - both for the type checker
R: Any = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = R
_SPEC.loader.exec_module(R)

SHOTS = 4000
ONE = (Clause((0,), (1,)),)


@settings(deadline=None, max_examples=100)
@given(R.PROGRAMS)
def test_outcomes_come_as_often_as_they_should(program: Program) -> None:
    """Six standard deviations: some 10⁻⁶ of false alarms over all outcomes of all examples."""
    bits, _ = shared_runs.run(program, SHOTS, 7, Budget())
    seen = Counter(map(tuple, bits.tolist()))
    expected = R.distribution(program)
    for outcome in seen.keys() | expected.keys():
        chance = min(expected.get(outcome, 0.0), 1.0)
        # What hardly ever happens is no normal distribution; seven of it would be as rare.
        allowed = 6 * math.sqrt(SHOTS * chance * (1 - chance)) + (7 if 0 < chance < 0.01 else 1e-3)
        assert abs(seen[outcome] - SHOTS * chance) <= allowed


def test_a_thousand_shots_through_forty_coins_stay_small() -> None:
    """Each look leaves one term a branch, and there are never more branches than shots."""
    toss = (Op("h", (0,)), Op("measure", (0,), (), (0,)))
    bits, peak = shared_runs.run(Program(1, 1, toss * 40), 1000, 1, Budget())
    assert bits.shape == (1000, 1)
    assert 400 < bits.sum() < 600
    assert peak <= 2000


def test_a_condition_asks_each_shot_for_itself() -> None:
    told = (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("x", (1,), (), (), ONE), Op("measure", (1,), (), (1,)))
    bits, _ = shared_runs.run(Program(2, 2, told), 500, 3, Budget())
    assert np.array_equal(bits[:, 0], bits[:, 1])
    assert 0 < bits[:, 0].sum() < 500


def test_shots_come_in_no_order() -> None:
    bits, _ = shared_runs.run(Program(1, 1, (Op("h", (0,)), Op("measure", (0,), (), (0,)))), 400, 5, Budget())
    assert 0 < bits[:200].sum() < bits.sum()
    assert np.abs(np.diff(bits[:, 0].astype(int))).sum() > 100


def test_equal_seeds_give_equal_bits() -> None:
    program = Program(
        1, 2, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,)), Op("measure", (0,), (), (1,)))
    )
    first, second, other = (shared_runs.run(program, 100, seed, Budget())[0] for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_work_is_counted() -> None:
    toss = (Op("h", (0,)), Op("measure", (0,), (), (0,)))
    with pytest.raises(GaveUp, match=r"its work exceeds 0\.001 s"):
        shared_runs.run(Program(1, 1, toss * 40), 1000, 1, Budget(seconds=1e-3))


def test_qubits_and_shots_share_one_index() -> None:
    wide = Program(60, 1, tuple(Op("h", (qubit,)) for qubit in range(60)))
    with pytest.raises(GaveUp, match="60 qubits and 1000 shots exceed an index of 62 bits"):
        shared_runs.run(wide, 1000, 1, Budget())
