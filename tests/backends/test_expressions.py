"""Conditions that the engines evaluate pass; the others are refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types

from backends.expressions import check_conditions, check_variables
from backends.rejected import Rejected


def circuit() -> QuantumCircuit:
    return QuantumCircuit(QuantumRegister(1), ClassicalRegister(3, "c"))


def conditioned(make: Any, statement: str = "if") -> Any:
    built = circuit()
    condition = make(built.cregs[0])
    if statement == "if":
        with built.if_test(condition):
            built.x(0)
    elif statement == "while":
        with built.while_loop(condition):
            built.x(0)
    else:
        with built.switch(condition) as case, case(1):
            built.x(0)
    return built.data[0].operation


@pytest.mark.parametrize("statement", ["if", "while"])
@pytest.mark.parametrize(
    "make",
    [
        lambda bits: (bits, 3),
        lambda bits: (bits[0], True),
        lambda bits: expr.equal(bits, 3),
        lambda bits: expr.not_equal(bits, 3),
        lambda bits: expr.less(bits, 5),
        lambda bits: expr.greater_equal(bits, 5),
        lambda bits: expr.logic_and(bits[0], expr.logic_not(bits[1])),
        lambda bits: expr.logic_or(bits[0], bits[2]),
        lambda bits: expr.equal(expr.bit_xor(bits, 7), expr.bit_not(bits)),
        lambda bits: expr.cast(bits, types.Bool()),
    ],
)
def test_what_engines_evaluate(make: Any, statement: str) -> None:
    check_conditions(conditioned(make, statement))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda bits: expr.equal(expr.add(bits, 1), 2), "add"),
        (lambda bits: expr.equal(expr.shift_left(bits, 1), 2), "shift left"),
        (lambda bits: expr.index(bits, 0), "index"),
        (lambda bits: expr.logic_not(expr.index(bits, 0)), "index"),
        (lambda bits: expr.logic_and(bits[0], expr.equal(expr.mul(bits, 2), 2)), "mul"),
    ],
)
def test_what_they_do_not(make: Any, word: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_conditions(conditioned(make))
    assert (caught.value.code, caught.value.fields) == ("payload_unsupported", {"expression": word})


def test_switches_and_stores_are_looked_into() -> None:
    check_conditions(conditioned(lambda bits: bits, "switch"))
    with pytest.raises(Rejected):
        check_conditions(conditioned(lambda bits: expr.add(bits, 1), "switch"))
    built = circuit()
    built.store(built.clbits[0], expr.logic_not(built.clbits[1]))
    built.store(built.clbits[0], expr.index(built.cregs[0], 1))
    check_conditions(built.data[0].operation)
    with pytest.raises(Rejected):
        check_conditions(built.data[1].operation)


def test_gates_have_no_conditions() -> None:
    built = circuit()
    built.x(0)
    check_conditions(built.data[0].operation)


def test_variables_are_refused() -> None:
    built = circuit()
    check_variables(built)
    built.add_var("flag", expr.lift(False))
    with pytest.raises(Rejected, match="registers"):
        check_variables(built)
