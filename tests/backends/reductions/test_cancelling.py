"""Neighbours that undo each other go; what stands between them keeps them."""

from __future__ import annotations

import math

import pytest

from backends.program import Clause, Op, Program
from backends.reductions.cancelling import cancelled

CX, H = Op("cx", (0, 1)), Op("h", (0,))


def left(*operations: Op) -> tuple[Op, ...]:
    return cancelled(Program(3, 1, operations)).operations


@pytest.mark.parametrize(
    "pair",
    [
        (H, H),
        (CX, CX),
        (Op("s", (0,)), Op("sdg", (0,))),
        (Op("cz", (0, 1)), Op("cz", (1, 0))),
        (Op("rx", (0,), (0.3,)), Op("rx", (0,), (-0.3,))),
        (Op("rz", (0,), (math.pi,)), Op("rz", (0,), (math.pi,))),
        (Op("crz", (0, 1), (2 * math.pi,)), Op("crz", (0, 1), (2 * math.pi,))),
        (Op("u", (0,), (0.1, 0.2, 0.3)), Op("u", (0,), (-0.1, -0.3, -0.2))),
        (Op("ccx", (0, 1, 2)), Op("ccx", (0, 1, 2))),
    ],
)
def test_what_undoes_itself(pair: tuple[Op, Op]) -> None:
    assert left(*pair) == ()
    assert left(H, *pair, Op("x", (2,))) == (H, Op("x", (2,))) if pair[0] != H else True


@pytest.mark.parametrize(
    "pair",
    [
        (CX, Op("cx", (1, 0))),
        (Op("crz", (0, 1), (math.pi,)), Op("crz", (1, 0), (-math.pi,))),
        (H, Op("h", (0,), condition=(Clause((0,), (1,)),))),
        (Op("measure", (0,), (), (0,)), Op("measure", (0,), (), (0,))),
        (Op("sx", (0,)), Op("sx", (0,))),
        (Op("u", (0,), (0.1, 0.2, 0.3)), Op("u", (0,), (-0.1, -0.2, -0.3))),
    ],
)
def test_what_does_not(pair: tuple[Op, Op]) -> None:
    assert left(*pair) == pair


def test_turns_about_one_axis_add_up() -> None:
    assert left(Op("rz", (0,), (0.25,)), Op("rz", (0,), (0.5,))) == (Op("rz", (0,), (0.75,)),)
    assert left(Op("rzz", (0, 1), (0.25,)), Op("rzz", (1, 0), (0.5,))) == (Op("rzz", (1, 0), (0.75,)),)


def test_what_stands_between_keeps_them_apart() -> None:
    apart = (CX, H, CX)
    assert left(*apart) == apart
    assert left(CX, Op("x", (2,)), CX) == (Op("x", (2,)),)


def test_a_circuit_falls_together_from_its_middle() -> None:
    there = (H, CX, Op("t", (1,)), Op("cx", (1, 2)))
    back = (Op("cx", (1, 2)), Op("tdg", (1,)), CX, H)
    assert left(*there, *back) == ()
