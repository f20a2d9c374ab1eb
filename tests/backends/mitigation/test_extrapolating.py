"""Extrapolation: exact on curves of its own kind, honest about the error, and told where another curve is taken."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.mitigation.extrapolating import extrapolated
from backends.mitigation.options import Extrapolator

X = (1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("by", "curve"),
    [
        ("linear", lambda x: 0.8 - 0.1 * x),
        ("richardson", lambda x: 0.8 - 0.1 * x + 0.02 * x * x),
        ("exponential", lambda x: 0.8 * math.exp(-0.2 * x)),
        ("exponential", lambda x: -0.8 * math.exp(-0.2 * x)),
    ],
)
def test_each_curve_finds_itself(by: Extrapolator, curve: object) -> None:
    assert callable(curve)
    value, _, note = extrapolated(X, [curve(x) for x in X], [0.01] * 3, by)
    assert value == pytest.approx(curve(0))
    assert note == ""


@pytest.mark.parametrize("values", [(0.5, -0.1, 0.2), (0.4, 0.0, 0.1), (0.2, 0.3, 0.4)])
def test_what_does_not_decay_is_a_line_and_says_so(values: tuple[float, ...]) -> None:
    value, std, note = extrapolated(X, values, [0.01] * 3, "exponential")
    assert (value, std) == extrapolated(X, values, [0.01] * 3, "linear")[:2]
    assert note.startswith("linear:")


@pytest.mark.parametrize("by", ["linear", "richardson", "exponential"])
def test_the_standard_error_is_that_of_many_repetitions(by: Extrapolator) -> None:
    rng = np.random.default_rng(1)
    exact, stds = np.array([0.65, 0.53, 0.36]), np.array([0.004, 0.005, 0.006])
    found = [extrapolated(X, exact + rng.normal(0, stds), stds, by)[0] for _ in range(4000)]
    _, std, _ = extrapolated(X, exact, stds, by)
    assert np.std(found) == pytest.approx(std, rel=0.08)
