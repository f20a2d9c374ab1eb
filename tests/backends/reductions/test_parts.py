"""Parts that never meet are sampled apart and put together again."""

from __future__ import annotations

import numpy as np

from backends.program import Clause, Op, Program
from backends.reductions.parts import Part, Reduced, join, split


def test_two_pairs_are_two_parts() -> None:
    pairs = (Op("cx", (0, 3)), Op("cx", (1, 2)), Op("measure", (3,), (), (0,)), Op("measure", (2,), (), (1,)))
    first, second = split(Program(5, 3, pairs), {2: 0})
    assert first == Part(Program(2, 1, (Op("cx", (0, 1)), Op("measure", (1,), (), (0,)))), (0,))
    assert second == Part(Program(2, 1, (Op("cx", (0, 1)), Op("measure", (1,), (), (0,)))), (1,))


def test_a_condition_ties_parts_together() -> None:
    told = (
        Op("measure", (0,), (), (0,)),
        Op("x", (1,), condition=(Clause((0,), (1,)),)),
        Op("measure", (1,), (), (1,)),
    )
    (part,) = split(Program(4, 2, told), {})
    assert part == Part(Program(2, 2, told), (0, 1))


def test_one_part_that_is_all_is_the_program_itself() -> None:
    program = Program(2, 1, (Op("cx", (0, 1)), Op("measure", (1,), (), (0,))))
    assert split(program, {})[0].program is program


def test_a_part_of_which_nothing_is_open_is_left_out() -> None:
    assert split(Program(1, 1, (Op("measure", (0,), (), (0,)),)), {0: 1}) == ()


def test_outcomes_stand_where_they_belong() -> None:
    program = Program(1, 1, ())
    reduced = Reduced(4, (Part(program, (2,)), Part(Program(1, 2, ()), (3, 0))), {1: 1})
    first, second = np.array([[1], [0]], dtype=np.uint8), np.array([[1, 0], [0, 1]], dtype=np.uint8)
    assert join(reduced, (first, second), 2).tolist() == [[0, 1, 1, 1], [1, 1, 0, 0]]
