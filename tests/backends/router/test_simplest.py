"""Measurements go to the end where that is expected to pay."""

from __future__ import annotations

import math

from backends.engines.port import Budget
from backends.engines.roster import installed
from backends.program import Clause, Op, Program, readout
from backends.reductions import reduce
from backends.router.simplest import expected_s, simplest

LATER = "measurements put off to the end"


def kitaev(digits: int) -> Program:
    """A phase of 0.3 turns read digit by digit from one qubit that is reset between."""
    gates: list[Op] = [Op("x", (1,))]
    for turn in range(digits):
        gates += [Op("reset", (0,)), Op("h", (0,)), Op("cp", (0, 1), (2 * math.pi * 0.3 * 2 ** (digits - 1 - turn),))]
        gates += [
            Op("p", (0,), (-math.pi / 2 ** (turn - earlier),), (), (Clause((earlier,), (1,)),))
            for earlier in range(turn)
        ]
        gates += [Op("h", (0,)), Op("measure", (0,), (), (turn,))]
    return Program(2, digits, tuple(gates))


def test_digits_of_a_phase_are_read_in_one_run() -> None:
    reduced = simplest(kitaev(10), 1024, installed(), Budget())
    assert reduced.steps[0] == LATER
    assert all(readout(part.program) is not None for part in reduced.parts)


def test_what_ends_with_its_measurements_has_one_form() -> None:
    bell = Program(2, 1, (Op("ry", (0,), (0.3,)), Op("cx", (0, 1)), Op("measure", (1,), (), (0,))))
    assert simplest(bell, 1024, installed(), Budget()) == reduce(bell)


def test_clifford_programs_stay_with_tableaus() -> None:
    looked = (Op("h", (0,)), Op("measure", (0,), (), (0,)), Op("h", (0,)), Op("measure", (0,), (), (1,)))
    assert LATER not in simplest(Program(1, 2, looked), 1024, installed(), Budget()).steps


def test_a_state_that_would_grow_too_wide_is_run_as_it_is_written() -> None:
    turns: list[Op] = []
    for _ in range(40):
        turns += [Op("ry", (qubit,), (0.3,)) for qubit in range(4)]
        turns += [Op("cx", (qubit, qubit + 1)) for qubit in range(3)]
        turns += [Op("measure", (3,), (), (0,)), Op("reset", (3,))]
    program = Program(4, 1, (*turns, Op("measure", (0,), (), (0,))))
    dense = {name: installed()[name] for name in ("aer.statevector",)}
    assert LATER not in simplest(program, 1024, dense, Budget()).steps


def test_what_fits_nowhere_takes_for_ever() -> None:
    turned = [Op("ry", (qubit,), (0.3,)) for qubit in range(40)]
    met = [Op("rxx", (qubit, (qubit + 7) % 40), (0.3,)) for qubit in range(40)]
    wide = Program(40, 40, (*turned, *met, *(Op("measure", (qubit,), (), (qubit,)) for qubit in range(40))))
    dense = {"aer.statevector": installed()["aer.statevector"]}
    assert expected_s(reduce(wide), 1024, dense, Budget()) == math.inf
