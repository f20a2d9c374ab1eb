"""What is known without simulation, gate by gate."""

from __future__ import annotations

import math

import pytest

from backends.program import Clause, Op, Program
from backends.reductions.known import follow

H = Op("h", (0,))


def left(*operations: Op, qubits: int = 3, clbits: int = 2) -> tuple[Op, ...]:
    return follow(Program(qubits, clbits, operations)).program.operations


@pytest.mark.parametrize(
    ("gate", "simpler"),
    [
        (Op("cx", (1, 0)), ()),
        (Op("cz", (0, 1)), ()),
        (Op("rzz", (0, 1), (0.5,)), (Op("rz", (0,), (0.5,)),)),
        (Op("crz", (0, 1), (0.5,)), (Op("p", (0,), (-0.25,)),)),
        (Op("ccx", (0, 1, 2)), ()),
        (Op("swap", (0, 1)), ()),
        (Op("cx", (0, 1)), (Op("cx", (0, 1)),)),
        (Op("rxx", (0, 1), (0.5,)), (Op("rxx", (0, 1), (0.5,)),)),
    ],
)
def test_beside_a_qubit_in_0(gate: Op, simpler: tuple[Op, ...]) -> None:
    assert left(H, gate) == (H, *simpler)


@pytest.mark.parametrize(
    ("gate", "simpler"),
    [
        (Op("cx", (1, 0)), Op("x", (0,))),
        (Op("cp", (0, 1), (0.5,)), Op("p", (0,), (0.5,))),
        (Op("rzz", (0, 1), (0.5,)), Op("rz", (0,), (-0.5,))),
        (Op("crz", (0, 1), (0.5,)), Op("p", (0,), (0.25,))),
        (Op("cu", (1, 0), (0.1, 0.2, 0.3, 0.4)), Op("u", (0,), (0.1, 0.2, 0.3))),
        (Op("mcx", (1, 0, 2)), Op("cx", (0, 2))),
        (Op("mcp", (1, 0), (0.5,)), Op("p", (0,), (0.5,))),
    ],
)
def test_beside_a_qubit_in_1(gate: Op, simpler: Op) -> None:
    assert left(H, Op("x", (1,)), gate) == (H, simpler)


def test_a_qubit_in_1_is_made_when_it_is_needed() -> None:
    assert left(Op("x", (1,)), Op("rxx", (0, 1), (0.5,))) == (Op("x", (1,)), Op("rxx", (0, 1), (0.5,)))


def test_a_measured_constant_decides_conditions() -> None:
    told = (Op("x", (0,)), Op("measure", (0,), (), (1,)))
    yes, no = (Clause((1,), (1,)),), (Clause((1,), (0,)),)
    assert left(*told, Op("h", (1,), condition=yes), Op("h", (2,), condition=no)) == (Op("h", (1,)),)


def test_a_condition_keeps_the_bits_that_are_open() -> None:
    told = (H, Op("measure", (0,), (), (0,)), Op("x", (1,)), Op("measure", (1,), (), (1,)))
    asked = Op("h", (2,), condition=(Clause((0, 1), (2, 3)),))
    assert left(*told, asked)[-1] == Op("h", (2,)), "whatever bit 0 is, bit 1 is 1"
    asked = Op("h", (2,), condition=(Clause((0, 1), (3,)),))
    assert left(*told, asked)[-1] == Op("h", (2,), condition=(Clause((0,), (1,)),))


def test_constants_are_told() -> None:
    followed = follow(
        Program(2, 3, (Op("x", (0,)), Op("measure", (0,), (), (2,)), Op("h", (1,)), Op("measure", (1,), (), (0,))))
    )
    assert followed.constants == {1: 0, 2: 1}


def test_a_reset_makes_known_again() -> None:
    assert left(H, Op("reset", (0,)), Op("x", (0,)), Op("cx", (0, 1)), Op("cp", (1, 0), (math.pi,))) == (
        H,
        Op("reset", (0,)),
    )
