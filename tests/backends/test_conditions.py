"""Conditions as clauses: whatever an expression computes of a few bits, the clauses hold on the same numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types
from qiskit_aer import AerSimulator

from backends.conditions import TABLED_BITS, Computed, clauses_of, opposite, switch_of
from backends.program import Clause

SIMULATOR = AerSimulator(method="stabilizer")
REGISTER, OTHER = ClassicalRegister(3, "a"), ClassicalRegister(2, "b")
SLOTS = {bit: slot for slot, bit in enumerate((*REGISTER, *OTHER))}
NUMBERS = st.deferred(lambda: st.sampled_from([REGISTER, OTHER]).map(expr.lift) | st.integers(0, 7).map(_three))
TRUTHS = st.deferred(
    lambda: (
        st.sampled_from([*REGISTER, *OTHER]).map(expr.lift)
        | st.builds(
            lambda does, one, other: does(one, other),
            st.sampled_from([expr.logic_and, expr.logic_or, expr.bit_xor]),
            TRUTHS,
            TRUTHS,
        )
        | st.builds(
            lambda does, one, other: does(one, other),
            st.sampled_from([expr.less, expr.equal, expr.greater_equal]),
            NUMBERS,
            NUMBERS,
        )
        | st.builds(lambda does, one: does(one), st.sampled_from([expr.logic_not, expr.bit_not]), TRUTHS)
    )
)


def _three(value: int) -> expr.Expr:
    return expr.lift(value, types.Uint(3))


def holds(tests: Sequence[Clause], bits: Sequence[int]) -> bool:
    return all((sum(bits[bit] << at for at, bit in enumerate(one.bits)) in one.values) == one.inside for one in tests)


def truths(node: Any) -> set[tuple[int, ...]]:
    """The bits of both registers, and behind them what Aer takes the expression for, as often as they come."""
    circuit = QuantumCircuit(QuantumRegister(6), REGISTER, OTHER, ClassicalRegister(1, "out"))
    circuit.h(range(5))
    circuit.measure(range(5), range(5))
    with circuit.if_test(node):
        circuit.x(5)
    circuit.measure(5, 5)
    words = SIMULATOR.run(circuit, shots=100, seed_simulator=1).result().get_counts()
    return {tuple(int(bit) for bit in reversed(word.replace(" ", ""))) for word in words}


@given(TRUTHS)
@settings(max_examples=40)
def test_clauses_hold_where_the_expression_does(node: expr.Expr) -> None:
    tests = clauses_of(node, SLOTS)
    for *bits, wanted in truths(node):
        assert holds(tests, bits) == bool(wanted)
        assert holds(opposite(tests), bits) != bool(wanted)


def test_a_parity_is_a_table_and_the_shorter_side_is_written() -> None:
    a, b = expr.lift(REGISTER[0]), expr.lift(OTHER[1])
    assert clauses_of(expr.bit_xor(a, b), SLOTS) == (Clause((0, 4), (1, 2)),)
    assert clauses_of(expr.not_equal(REGISTER, 5), SLOTS) == (Clause((0, 1, 2), (5,), False),)
    assert clauses_of(expr.logic_or(a, expr.logic_not(a)), SLOTS) == ()
    assert clauses_of((REGISTER, 3), SLOTS) == (Clause((0, 1, 2), (3,)),)


def test_a_narrowing_cast_forgets_the_high_bits() -> None:
    node = expr.equal(expr.cast(REGISTER, types.Uint(1)), expr.lift(1, types.Uint(1)))
    for bits in itertools.product((0, 1), repeat=3):
        assert holds(clauses_of(node, SLOTS), (*bits, 0, 0)) == bool(bits[0])


def test_a_switch_on_something_computed() -> None:
    bits, leading = switch_of(expr.bit_and(expr.lift(REGISTER), _three(3)), SLOTS)
    assert bits == (0, 1, 2)
    assert leading == {0: (0, 4), 1: (1, 5), 2: (2, 6), 3: (3, 7)}
    assert switch_of(OTHER, SLOTS) == ((3, 4), None)


def test_of_many_bits_only_plain_comparisons_are_taken() -> None:
    wide = ClassicalRegister(TABLED_BITS + 1, "w")
    slots = {bit: slot for slot, bit in enumerate(wide)}
    everything = tuple(range(len(wide)))
    assert clauses_of(expr.equal(wide, 700), slots) == (Clause(everything, (700,)),)
    both = expr.logic_and(expr.not_equal(wide, 3), expr.logic_not(expr.equal(wide, 4)))
    assert clauses_of(both, slots) == (Clause(everything, (3,), False), Clause(everything, (4,), False))
    for node in (expr.less(wide, 3), expr.logic_not(both)):
        with pytest.raises(Computed, match="more than 10 bits"):
            clauses_of(node, slots)
