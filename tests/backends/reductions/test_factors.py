"""A Pauli product's value is the product of its factors' values."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.program import Op, Program
from backends.reductions import factors

_SPEC = importlib.util.spec_from_file_location("factors_reference", Path(__file__).with_name("reference.py"))
assert _SPEC is not None and _SPEC.loader is not None  # noqa: PT018 - both for the type checker
R: Any = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = R
_SPEC.loader.exec_module(R)

PAULIS = st.text("IXYZ", min_size=R.QUBITS, max_size=R.QUBITS).map(
    lambda label: tuple((qubit, axis) for qubit, axis in enumerate(label) if axis != "I")
)


def value(program: Program, pauli: Any) -> float:
    """By the probabilities of its parity."""
    turned = list(program.operations)
    for bit, (qubit, axis) in enumerate(pauli):
        turned += [Op("sdg", (qubit,))] if axis == "Y" else []
        turned += [Op("h", (qubit,))] if axis != "Z" else []
        turned.append(Op("measure", (qubit,), (), (bit,)))
    found = R.distribution(Program(program.qubits, len(pauli), tuple(turned)))
    return float(sum(weight * (-1) ** sum(bits) for bits, weight in found.items()))


@settings(deadline=None, max_examples=200)
@given(R.UNITARY, PAULIS)
def test_the_product_is_the_value(program: Program, pauli: Any) -> None:
    sign, found = factors(program, pauli)
    product = math.prod(value(one.program, [(qubit, "Z") for qubit in one.support]) for one in found)
    assert sign * product == pytest.approx(value(program, pauli), abs=1e-9)


def test_only_what_a_term_sees_is_left() -> None:
    ising = [Op("h", (qubit,)) for qubit in range(40)]
    ising += [Op("rzz", (qubit, qubit + 1), (0.3,)) for qubit in range(39)]
    ising += [Op("rx", (qubit,), (0.2,)) for qubit in range(40)]
    sign, (factor,) = factors(Program(40, 0, tuple(ising)), ((20, "Z"), (21, "Z")))
    assert sign == 1
    assert factor.program.qubits == 4
    assert len(factor.support) == 2


def test_a_value_that_is_certain_has_no_factors() -> None:
    assert factors(Program(2, 0, (Op("x", (0,)),)), ((0, "Z"), (1, "Z"))) == (-1, ())
    assert factors(Program(1, 0, (Op("h", (0,)),)), ((0, "X"),)) == (1, ())
