"""How unlikely it is that two samples, or two lists of values, are of one program: bounds that hold at any size.

The answer is an upper bound of the chance of a false alarm, never an approximation: at 10⁻⁹ the tails that textbooks
give are off by orders of magnitude where outcomes are rare.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backends.registers import Bits

_POOLED_BELOW = 20
"""Outcomes that both samples together have seen less often are counted as one."""
_PARITIES = 64
_EXPONENT_MAX = 690.0
"""Beyond it nothing is left of a chance."""
_ROUNDING = 1e-6


def sample_alarm(one: Bits, other: Bits, slack: float = 0.0) -> float:
    """The chance, at most, that two samples (shots, bits) differ so much although their distributions are equal.

    With `slack` the distributions may be so far apart in total variation. Of the longer sample the rest is left out.

    Compared are the frequencies of outcomes by χ², and those of many events one by one: each bit, whether two bits are
    equal, the parities of random sets of bits (the same at every call), and each frequent outcome. An event's chance is
    bounded by Hoeffding's inequality, all of them together by their sum.
    """
    shots = min(len(one), len(other))
    if not shots or not one.shape[1]:
        return 1.0
    one, other = one[:shots], other[:shots]
    frequent = _frequent(one, other)
    seen = np.concatenate([np.stack([_ones(one), _ones(other)]), frequent], axis=1)
    alarms = [_events_alarm(seen, shots, slack)]
    if not slack and frequent.shape[1] > 1:
        alarms.append(_chi_square_alarm(frequent))
    return min(1.0, len(alarms) * min(alarms))


def values_alarm(one: Sequence[float], other: Sequence[float], apart: float) -> float:
    """1 if no pair of values is further apart than `apart` and rounding, else 0: values are no matter of chance."""
    worst = max((abs(a - b) for a, b in zip(one, other, strict=True)), default=0.0)
    return 1.0 if worst <= apart + _ROUNDING else 0.0


def _frequent(one: Bits, other: Bits) -> NDArray[np.float64]:
    """How often each frequent outcome was seen in both, shape (2, outcomes); the last column is all the others."""
    # Rows as single numbers: different rows have the same one with a chance of 2^-64.
    multipliers = np.random.default_rng(one.shape[1]).integers(-(2**63), 2**63 - 1, one.shape[1], dtype=np.int64)
    rows = np.concatenate([one, other]).astype(np.int64) @ multipliers
    _, which = np.unique(rows, return_inverse=True)
    counts = np.stack([np.bincount(part, minlength=which.max() + 1) for part in np.split(which, 2)]).astype(float)
    often = counts.sum(axis=0) >= _POOLED_BELOW
    rest = counts[:, ~often].sum(axis=1, keepdims=True)
    return np.concatenate([counts[:, often], rest], axis=1) if rest.any() else counts[:, often]


def _ones(bits: Bits) -> NDArray[np.float64]:
    """How many shots have a 1 in each bit, different values in each pair of bits, an odd number of ones in each random
    set of bits.
    """
    width = bits.shape[1]
    # Counts of ones up to the number of shots are exact in this type, and matrix products of it are quick.
    numbers = bits.astype(np.float32)
    both = (numbers.T @ numbers).astype(float)
    each = np.diag(both)
    differ = (each[:, None] + each - 2 * both)[np.triu_indices(width, 1)]
    chosen = np.random.default_rng(width).integers(0, 2, (width, _PARITIES)).astype(np.float32)
    return np.concatenate([each, differ, ((numbers @ chosen) % 2).sum(axis=0, dtype=float)])


def _events_alarm(seen: NDArray[np.float64], shots: int, slack: float) -> float:
    """`seen` has a row for each sample and a column for each event.

    Without slack, given how often both together have seen an event, the first sample is a draw without replacement, so
    that both Hoeffding's bound and that of as many fair coins hold, and the better of them is known beforehand.
    """
    apart = np.maximum(0.0, np.abs(seen[0] - seen[1]) - slack * shots)
    both = seen.sum(axis=0)
    coins = np.minimum(both, 2 * shots - both)
    scale = np.full_like(both, shots) if slack else np.clip(np.minimum(2 * coins, shots), 1, None)
    return float(min(1.0, 2 * seen.shape[1] * _chance(float((apart**2 / scale).max()))))


def _chi_square_alarm(counts: NDArray[np.float64]) -> float:
    """By Chernoff's bound on the tail of χ². A fair coin's moments are below those of the normal distribution, so it
    also holds for small counts.
    """
    both = counts.sum(axis=0)
    statistic = float(((counts[0] - counts[1]) ** 2 / both).sum())
    freedom = counts.shape[1]
    if statistic <= freedom:
        return 1.0
    exponent = (statistic - freedom) / 2 - freedom / 2 * math.log(statistic / freedom)
    return _chance(exponent)


def _chance(exponent: float) -> float:
    return math.exp(-min(exponent, _EXPONENT_MAX))
