"""Whatever is measured on the way, measured at the end it is the same."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from backends.program import Clause, Op, Program, readout
from backends.reductions.deferring import deferred

_SPEC = importlib.util.spec_from_file_location("reductions_reference", Path(__file__).with_name("reference.py"))
assert _SPEC is not None and _SPEC.loader is not None  # noqa: PT018 - both for the type checker
R: Any = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = R
_SPEC.loader.exec_module(R)

ONE = (Clause((0,), (1,)),)


@settings(deadline=None, max_examples=300)
@given(R.PROGRAMS)
def test_outcomes_keep_their_distribution(program: Program) -> None:
    later = deferred(program)
    if later is not None and later.qubits <= 10:
        assert readout(later) is not None
        assert R.alike(R.distribution(later), R.distribution(program))


def names(program: Program | None) -> list[str]:
    assert program is not None
    return [op.name for op in program.operations]


def test_a_correction_becomes_a_controlled_gate_and_costs_no_qubit() -> None:
    made = deferred(
        Program(2, 2, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("z", (1,), (), (), ONE), Op("h", (1,))))
    )
    assert names(made) == ["h", "cz", "h", "measure"]
    assert made is not None
    assert made.qubits == 2


def test_a_qubit_turned_back_by_its_own_outcome_is_a_fresh_one() -> None:
    turned = (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("x", (0,), (), (), ONE), Op("h", (0,)))
    made = deferred(Program(1, 2, (*turned, Op("measure", (0,), (), (1,)))))
    assert made == Program(
        2, 2, (Op("h", (0,)), Op("h", (1,)), Op("measure", (0,), (), (0,)), Op("measure", (1,), (), (1,)))
    )


def test_what_goes_on_after_its_measurement_leaves_a_copy() -> None:
    made = deferred(Program(1, 1, (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,)))))
    assert made == Program(2, 1, (Op("h", (0,)), Op("cx", (0, 1)), Op("h", (0,)), Op("measure", (1,), (), (0,))))


def test_an_outcome_that_is_overwritten_still_takes_phases_away() -> None:
    looked = (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,)), Op("measure", (0,), (), (0,)))
    made = deferred(Program(1, 1, looked))
    assert R.distribution(made) == pytest.approx({(0,): 0.5, (1,): 0.5})


def test_a_reset_takes_a_fresh_qubit_only_after_something_happened() -> None:
    made = deferred(Program(1, 1, (Op("reset", (0,)), Op("h", (0,)), Op("reset", (0,)), Op("measure", (0,), (), (0,)))))
    assert made == Program(2, 1, (Op("h", (0,)), Op("measure", (1,), (), (0,))))


def test_a_gate_without_a_controlled_form_becomes_a_unitary() -> None:
    made = deferred(Program(3, 1, (Op("measure", (0,), (), (0,)), Op("rxx", (1, 2), (0.3,), (), ONE))))
    assert names(made) == ["unitary", "measure"]


@pytest.mark.parametrize("wide", [201, 7])
def test_too_wide_or_too_many_conditions_stay_as_they_are(wide: int) -> None:
    if wide == 201:
        again = (Op("h", (0,)), Op("measure", (0,), (), (0,)))
        assert deferred(Program(1, 1, again * 150)) is not None
        assert deferred(Program(1, 1, again * wide)) is None
        return
    asked = tuple(Op("measure", (bit,), (), (bit,)) for bit in range(wide))
    all_ones = (Clause(tuple(range(wide)), ((1 << wide) - 1,)),)
    assert deferred(Program(wide + 1, wide, (*asked, Op("x", (wide,), (), (), all_ones)))) is None


def test_a_condition_that_never_holds_is_nothing() -> None:
    assert names(deferred(Program(2, 1, (Op("h", (1,), (), (), ONE), Op("measure", (1,), (), (0,)))))) == ["measure"]


@pytest.mark.parametrize(
    "last",
    [
        Op("measure", (0,), (), (0,), ONE),
        Op("measure", (0,), (), (1,), (Clause((0,), (0,)),)),
        Op("reset", (0,), (), (), ONE),
    ],
    ids=["measured again where it was 1", "told elsewhere where it was 0", "reset where it was 1"],
)
def test_a_qubit_that_its_own_outcome_decides_about(last: Op) -> None:
    """What decides is the very qubit that is looked at or reset."""
    program = Program(
        2, 3, (Op("ry", (0,), (0.8,)), Op("measure", (0,), (), (0,)), last, Op("measure", (0,), (), (2,)))
    )
    made = deferred(program)
    assert made is not None
    assert all(len(set(op.qubits)) == len(op.qubits) for op in made.operations)
    assert R.alike(R.distribution(made), R.distribution(program))
