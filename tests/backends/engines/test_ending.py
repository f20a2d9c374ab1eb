"""Outcomes of busy qubits are put where the program wants them."""

from __future__ import annotations

import numpy as np

from backends.engines.ending import ending_of
from backends.program import Op, Program

PROGRAM = Program(6, 4, (Op("h", (2,)), Op("cx", (2, 5)), Op("measure", (5,), (), (3,)), Op("measure", (0,), (), (1,))))


def test_busy_qubits_are_counted_from_nothing() -> None:
    ending = ending_of(PROGRAM)
    assert ending is not None
    assert ending.lines == {2: 0, 5: 1}
    assert ending.asked == (1,)
    assert ending.local() == (Op("h", (0,)), Op("cx", (0, 1)))


def test_outcomes_are_placed() -> None:
    ending = ending_of(PROGRAM)
    assert ending is not None
    assert ending.place(np.array([[1], [0]], dtype=np.uint8)).tolist() == [[0, 0, 0, 1], [0, 0, 0, 0]]
    assert ending.place_indices(np.array([2, 1])).tolist() == [[0, 0, 0, 1], [0, 0, 0, 0]]


def test_random_events_have_no_ending() -> None:
    again = (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,)))
    assert ending_of(Program(1, 1, again)) is None
