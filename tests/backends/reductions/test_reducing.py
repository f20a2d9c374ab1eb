"""Whatever the program, what is left of it has the same outcomes."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings

from backends.program import Op, Program
from backends.reductions import reduce

_SPEC = importlib.util.spec_from_file_location("reductions_reference", Path(__file__).with_name("reference.py"))
assert _SPEC is not None and _SPEC.loader is not None  # noqa: PT018 - both for the type checker
R: Any = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = R
_SPEC.loader.exec_module(R)


@settings(deadline=None, max_examples=300)
@given(R.PROGRAMS)
def test_no_reduction_changes_what_is_measured(program: Program) -> None:
    assert R.alike(R.of_parts(reduce(program)), R.distribution(program))


def bits(count: int) -> tuple[Op, ...]:
    return tuple(Op("measure", (bit,), (), (bit,)) for bit in range(count))


def test_a_fourier_transform_of_nothing_falls_into_single_qubits() -> None:
    turns = [
        op
        for high in reversed(range(5))
        for op in (Op("h", (high,)), *(Op("cp", (high, low), (math.pi / 2 ** (high - low),)) for low in range(high)))
    ]
    reduced = reduce(Program(5, 5, (*turns, *bits(5))))
    assert [part.program.qubits for part in reduced.parts] == [1] * 5
    assert "known states" in reduced.steps
    assert "independent parts" in reduced.steps


def test_an_adder_of_numbers_is_a_constant() -> None:
    prepared = (Op("x", (0,)), Op("x", (1,)))
    adder = (Op("ccx", (0, 1, 2)), Op("cx", (0, 1)))
    reduced = reduce(Program(3, 3, (*prepared, *adder, *bits(3))))
    assert reduced.parts == ()
    assert reduced.constants == {0: 1, 1: 0, 2: 1}


def test_a_circuit_and_its_inverse_are_nothing() -> None:
    there = [Op("h", (0,)), Op("cx", (0, 1)), Op("rz", (1,), (0.3,)), Op("u", (0,), (0.1, 0.2, 0.3)), Op("t", (1,))]
    back = [
        Op("tdg", (1,)),
        Op("u", (0,), (-0.1, -0.3, -0.2)),
        Op("rz", (1,), (-0.3,)),
        Op("cx", (0, 1)),
        Op("h", (0,)),
    ]
    reduced = reduce(Program(2, 2, (*there, *back, *bits(2))))
    assert (reduced.parts, reduced.constants) == ((), {0: 0, 1: 0})


def test_what_is_not_measured_is_not_simulated() -> None:
    chain = [Op("ry", (qubit,), (0.4,)) for qubit in range(9)]
    chain += [Op("cx", (qubit, qubit + 1)) for qubit in range(8)]
    reduced = reduce(Program(9, 1, (*chain, Op("measure", (1,), (), (0,)))))
    (part,) = reduced.parts
    assert part.program.qubits == 2


def test_a_program_that_cannot_be_reduced_stays_as_it_is() -> None:
    program = Program(2, 2, (Op("h", (0,)), Op("cx", (0, 1)), *bits(2)))
    reduced = reduce(program)
    assert (reduced.parts[0].program, reduced.steps, reduced.error) == (program, (), 0.0)
