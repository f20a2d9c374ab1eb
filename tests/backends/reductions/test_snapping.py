"""Angles beside a Clifford gate are taken for it, and how far they were off is told."""

from __future__ import annotations

import math

import pytest

from backends.program import Op, Program
from backends.reductions.snapping import DISTANCE_MAX, snapped

SEVEN_DIGITS = 1.5707963


def test_angles_of_seven_digits_become_clifford() -> None:
    program = Program(
        2, 0, (Op("rz", (0,), (SEVEN_DIGITS,)), Op("cx", (0, 1)), Op("u", (1,), (SEVEN_DIGITS, 0.0, math.pi)))
    )
    after, error = snapped(program)
    assert [op.params for op in after.operations] == [(math.pi / 2,), (), (math.pi / 2, 0.0, math.pi)]
    assert error == pytest.approx(2 * (math.pi / 2 - SEVEN_DIGITS))


@pytest.mark.parametrize("other", [Op("t", (0,)), Op("rz", (0,), (0.3,)), Op("ccx", (0, 1, 2))])
def test_one_gate_that_is_no_clifford_gate_leaves_all_as_it_is(other: Op) -> None:
    program = Program(3, 0, (Op("rz", (0,), (SEVEN_DIGITS,)), other))
    assert snapped(program) == (program, 0.0)


def test_together_they_may_be_too_far_off() -> None:
    one = Op("rx", (0,), (math.pi + DISTANCE_MAX / 3,))
    assert snapped(Program(1, 0, (one,) * 2))[1] == pytest.approx(2 * DISTANCE_MAX / 3)
    assert snapped(Program(1, 0, (one,) * 4))[1] == 0.0


def test_exact_angles_are_left_alone() -> None:
    program = Program(1, 0, (Op("rx", (0,), (math.pi / 2,)),))
    after, error = snapped(program)
    assert after is program
    assert error == 0.0
