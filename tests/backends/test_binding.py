"""Angles of all parameter sets at once are what binding one set after another gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from qiskit.circuit import Parameter

from backends.binding import plan
from backends.rejected import Rejected

A, B, C = Parameter("a"), Parameter("b"), Parameter("c")
EXPRESSIONS: list[Any] = [
    A,
    2 * A,
    -B + 1,
    A - B / 3 + 0.5,
    3 * (A + 2 * (B - C)),
    A * B,
    A.sin(),
    (A + B) ** 2,
    (2 * C).exp() / 10,
    A + B - A,
]
NUMBERS = st.floats(-3, 3).filter(lambda number: abs(number) > 1e-3)


@given(hnp.arrays(float, (4, 3), elements=NUMBERS), st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=8))
def test_every_expression_at_every_set(values: np.ndarray, expressions: list[Any]) -> None:
    found = plan([((10 + row, row), expression) for row, expression in enumerate(expressions)], [A, B, C])
    filled = found.fill(values)
    assert [place for place, _ in filled] == [(10 + row, row) for row in range(len(expressions))]
    for expression, (_, angles) in zip(expressions, filled, strict=True):
        for angle, numbers in zip(angles, values, strict=True):
            bound = expression.bind(
                {name: number for name, number in zip((A, B, C), numbers, strict=True) if name in expression.parameters}
            )
            assert angle == pytest.approx(float(bound), abs=1e-12)


def test_linear_angles_take_no_evaluation() -> None:
    assert plan([((0, 0), 2 * A + B - 1)], [A, B]).bent == ()
    assert len(plan([((0, 0), A * A)], [A, B]).bent) == 1


def test_no_places_and_no_sets() -> None:
    assert plan([], [A]).fill(np.zeros((3, 1))) == []
    assert plan([((0, 0), A)], [A]).fill(np.zeros((0, 1))) == [((0, 0), [])]


@pytest.mark.parametrize(
    ("expression", "number"), [(1 / A, 0.0), (A.log(), 0.0), (A**0.5, -1.0), (A.arcsin(), 2.0), ((1000 * A).exp(), 1.0)]
)
def test_angles_that_do_not_exist(expression: Any, number: float) -> None:
    with pytest.raises(Rejected) as caught:
        plan([((0, 0), expression)], [A]).fill(np.array([[number]]))
    assert caught.value.code == "parameters_not_finite"
