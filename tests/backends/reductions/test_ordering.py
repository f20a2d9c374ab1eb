"""Qubits that interact come to stand side by side."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backends.program import Op, Program
from backends.reductions.ordering import line_order, load, reordered


def test_a_line_in_disorder_is_found() -> None:
    line = (3, 0, 5, 1, 4, 2)
    program = Program(6, 0, tuple(Op("cx", pair) for pair in pairwise(line)))
    order = line_order(program)
    assert order in (line, line[::-1])
    assert all(abs(op.qubits[0] - op.qubits[1]) == 1 for op in reordered(program, order).operations)


def test_a_line_in_order_stays() -> None:
    program = Program(4, 0, (Op("cx", (0, 1)), Op("cx", (2, 1)), Op("h", (3,))))
    assert line_order(program) == (0, 1, 2, 3)
    assert reordered(program, (0, 1, 2, 3)) is program


def test_bits_are_not_moved() -> None:
    program = Program(2, 2, (Op("h", (0,)), Op("measure", (0,), (), (1,))))
    assert reordered(program, (1, 0)).operations == (Op("h", (1,)), Op("measure", (1,), (), (1,)))


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] != pair[1]), max_size=20))
def test_an_order_is_never_worse_than_the_given_one(gates: list[tuple[int, int]]) -> None:
    order = line_order(Program(8, 0, tuple(Op("cz", pair) for pair in gates)))
    pairs = Counter((min(pair), max(pair)) for pair in gates)
    assert sorted(order) == list(range(8))
    assert load(pairs, order) <= load(pairs, range(8))
