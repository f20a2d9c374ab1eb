"""From values at amplified noise to the value at none, with the error that shots leave in it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backends.mitigation.options import Extrapolator

_LEAST = 1e-12


def extrapolated(
    factors: Sequence[float], values: Sequence[float], stds: Sequence[float], by: Extrapolator
) -> tuple[float, float, str]:
    """The value at factor 0, its standard error, and a note where another curve had to be taken.

    `linear`: the best straight line; `richardson`: the polynomial through all points; `exponential`: the best decay
    towards 0, in whose place the line is taken when values differ in sign, vanish, or grow with the noise.
    """
    x, y, errors = (np.asarray(each, dtype=float) for each in (factors, values, stds))
    if by == "exponential":
        decayed = _decay(x, y, errors)
        if decayed is not None:
            return *decayed, ""
        note = "linear: the values do not decay towards 0"
        return *_weighted(_line(x), y, errors), note
    return *_weighted(_line(x) if by == "linear" else _polynomial(x), y, errors), ""


def _line(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the values in the intercept of the best line."""
    design = np.stack([np.ones_like(x), x], axis=1)
    weights: NDArray[np.float64] = np.linalg.pinv(design)[0]
    return weights


def _polynomial(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the values in the polynomial through all of them, at 0."""
    return np.array([math.prod(other / (other - one) for other in np.delete(x, place)) for place, one in enumerate(x)])


def _weighted(weights: NDArray[np.float64], y: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float]:
    return float(weights @ y), float(np.linalg.norm(weights * errors))


def _decay(x: NDArray[np.float64], y: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float] | None:
    """The best a·exp(-b·x) in the logarithms of the values; None where they have none or it grows."""
    if np.any(np.abs(y) < _LEAST) or len(set(np.sign(y))) > 1:
        return None
    logs = np.log(np.abs(y))
    if logs[-1] > logs[0]:
        return None
    weights = _line(x)
    value = float(np.sign(y[0]) * np.exp(weights @ logs))
    # The derivative of the value by each logarithm is value × weight, of the logarithm by the value 1 / value.
    return value, float(abs(value) * np.linalg.norm(weights * errors / np.abs(y)))
