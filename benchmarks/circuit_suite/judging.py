"""Whether drawn outcomes follow the right distribution: tests whose false alarms are rarer than one in a million.

The level is split among all statistics of one verdict (Bonferroni), so that a suite of hundreds of circuits may be
judged again and again without one of them failing by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.circuit_suite.entry import Bits, Certain, Chained, Known, Lawful

FALSE_ALARM = 1e-6
_CELL_MIN = 5
_SUBSETS = 200
_IMPOSSIBLE = 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """The probability of every value of some columns (lowest first); all other columns are 0."""

    columns: tuple[int, ...]
    probabilities: NDArray[np.float32] | Floats


@dataclass(frozen=True, slots=True)
class Verdict:
    """`passed`, by which means, and what was worst."""

    passed: bool
    means: str
    finding: str = ""


def by_law(bits: Bits, known: Known) -> Verdict:
    """Against what is known beforehand."""
    match known:
        case Certain(expected):
            wrong = int((bits != np.array(expected, dtype=np.uint8)).any(axis=1).sum())
        case Lawful(holds):
            wrong = int((~holds(bits)).sum())
        case Chained(ones):
            return _chained(bits, ones(bits))
        case _:
            assert_never(known)
    if wrong:
        return Verdict(False, "known", f"{wrong} of {len(bits)} shots are impossible")
    return _uniform(known.free(bits), "known") if isinstance(known, Lawful) else Verdict(True, "known")


def by_probabilities(bits: Bits, exact: Exact) -> Verdict:
    """χ² over cells of at least five expected shots, the likelihood of the whole, and no impossible outcome."""
    others = np.setdiff1d(np.arange(bits.shape[1]), exact.columns)
    if bits[:, others].any():
        return Verdict(False, "exact", "a bit that nothing is measured into is 1")
    drawn = _numbers(bits[:, list(exact.columns)])
    likely = np.asarray(exact.probabilities[drawn], dtype=float)
    if (likely < _IMPOSSIBLE).any():
        return Verdict(False, "exact", f"{int((likely < _IMPOSSIBLE).sum())} of {len(bits)} shots are impossible")
    probabilities = np.asarray(exact.probabilities, dtype=float)
    probabilities = probabilities / probabilities.sum()
    worst = min(_chi2(drawn, probabilities, len(bits)), _likelihood(likely, probabilities))
    return _verdict(worst * 2, "exact")


def by_affine_hull(bits: Bits, reference: Bits) -> Verdict:
    """For Clifford circuits: outcomes are uniform over an affine space, which many shots of another engine span."""
    offset = reference[0]
    basis, pivots = _echelon(reference ^ offset)
    outside = bits ^ offset
    for row, pivot in zip(basis, pivots, strict=True):
        outside = outside ^ (outside[:, pivot : pivot + 1] & row)
    wrong = int(outside.any(axis=1).sum())
    if wrong:
        return Verdict(False, "affine", f"{wrong} of {len(bits)} shots are impossible")
    return _uniform((bits ^ offset)[:, pivots], "affine")


def by_peer(bits: Bits, reference: Bits) -> Verdict:
    """Two samples: outcomes that repeat, single bits, parities of neighbours and of random subsets, runs of three."""
    pairs = [_two_outcomes(bits, reference)]
    rng = np.random.default_rng(1)
    moving = np.flatnonzero(reference.any(axis=0) | bits.any(axis=0))
    if not len(moving):
        return Verdict(True, "peer")
    left, right = bits[:, moving], reference[:, moving]
    width = len(moving)
    subsets = [[place] for place in range(width)]
    subsets += [[place, place + step] for step in (1, 2, 3) for place in range(width - step)]
    subsets += [sorted(rng.permutation(width)[: int(rng.integers(2, 5))].tolist()) for _ in range(_SUBSETS)]
    subsets += [np.flatnonzero(rng.integers(0, 2, width)).tolist() for _ in range(_SUBSETS // 4)]
    pairs += [_two_shares(left[:, each].sum(axis=1) & 1, right[:, each].sum(axis=1) & 1) for each in subsets]
    windows = [(place, place + 1, place + 2) for place in range(width - 2)]
    pairs += [_two_outcomes(left[:, window], right[:, window]) for window in windows]
    return _verdict(min(pairs) * len(pairs), "peer")


def _chained(bits: Bits, ones: Floats) -> Verdict:
    """Whether each bit follows its chance given those before it.

    Less that chance, a bit has the mean 0 whatever came before it: so by itself, times the sign of each of the three
    bits before it, and times the logarithm of its odds.
    """
    taken = np.where(bits == 1, ones, 1 - ones)
    wrong = int((taken < _IMPOSSIBLE).any(axis=1).sum())
    if wrong:
        return Verdict(False, "known", f"{wrong} of {len(bits)} shots are impossible")
    rest, spread = bits - ones, ones * (1 - ones)
    signs = 1.0 - 2.0 * bits
    odds = np.log(np.clip(ones, _IMPOSSIBLE, 1) / np.clip(1 - ones, _IMPOSSIBLE, 1))
    sums = [rest.sum(axis=0), *((rest[:, step:] * signs[:, :-step]).sum(axis=0) for step in (1, 2, 3))]
    rooms = [spread.sum(axis=0), *(spread[:, step:].sum(axis=0) for step in (1, 2, 3))]
    total = np.concatenate((*sums, [(rest * odds).sum()]))
    room = np.concatenate((*rooms, [(spread * odds**2).sum()]))
    off = abs(total)[room >= _CELL_MIN] / np.sqrt(room[room >= _CELL_MIN])
    if not len(off):
        return Verdict(True, "known")
    # The normal law is trusted less far out, as in the likelihood below.
    return _verdict(float(2 * stats.norm.sf(off.max() * 0.9)) * len(off), "known")


def _uniform(free: Bits, means: str) -> Verdict:
    """Whether free bits are uniform: each, each pair's parity, and all together where there are few of them."""
    shots, width = free.shape
    if not width:
        return Verdict(True, means)
    levels = []
    for step in range(min(width, 4)):
        for place in range(width - step):
            ones = int((free[:, place] ^ free[:, place + step]).sum()) if step else int(free[:, place].sum())
            levels.append(float(stats.binomtest(ones, shots).pvalue))
    if width <= 7:
        counts = np.bincount(_numbers(free), minlength=1 << width)
        levels.append(float(stats.chisquare(counts).pvalue))
    return _verdict(min(levels) * len(levels), means)


def _verdict(level: float, means: str) -> Verdict:
    passed = level >= FALSE_ALARM
    return Verdict(passed, means, "" if passed else f"so far off by chance at a level of {level:.1e} only")


def _numbers(bits: Bits) -> NDArray[np.int64]:
    return bits.astype(np.int64) @ (1 << np.arange(bits.shape[1], dtype=np.int64))


def _chi2(drawn: NDArray[np.int64], probabilities: Floats, shots: int) -> float:
    large = probabilities * shots >= _CELL_MIN
    counts = np.bincount(drawn, minlength=len(probabilities))
    observed, expected = counts[large].astype(float), probabilities[large] * shots
    # Rare outcomes are gathered in cells by their rank, so that an engine that shuffles them is seen.
    rare = np.flatnonzero(~large)
    if len(rare):
        order = rare[np.argsort(-probabilities[rare], kind="stable")]
        mass = np.cumsum(probabilities[order]) * shots
        cell = np.minimum((mass / (2 * _CELL_MIN)).astype(int), max(0, int(mass[-1] / (2 * _CELL_MIN)) - 1))
        cell = cell - cell[0]
        more_observed = np.bincount(cell, weights=counts[order])
        more_expected = np.bincount(cell, weights=probabilities[order] * shots)
        observed, expected = np.append(observed, more_observed), np.append(expected, more_expected)
    kept = expected > 1e-9
    if kept.sum() < 2:
        return 1.0
    observed, expected = observed[kept], expected[kept]
    low = expected < 1
    if low.any() and not low.all():  # what is left over joins its larger neighbour
        observed = np.append(observed[~low], observed[low].sum())
        expected = np.append(expected[~low], expected[low].sum())
        if expected[-1] < 1:
            observed, expected = observed[:-1], expected[:-1]
            if len(observed) < 2:
                return 1.0
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return float(stats.chi2.sf(statistic, max(1, len(observed) - 1)))


def _likelihood(likely: Floats, probabilities: Floats) -> float:
    """How far the mean of log p is from what it is for outcomes drawn from p."""
    positive = probabilities[probabilities > _IMPOSSIBLE]
    logs = np.log(positive)
    mean = float(positive @ logs)
    variance = float(positive @ (logs - mean) ** 2)
    if variance < 1e-9:
        return 1.0
    off = (float(np.log(likely).mean()) - mean) / np.sqrt(variance / len(likely))
    # Logarithms have a long tail on one side: the normal law is trusted only where there are many shots.
    return float(2 * stats.norm.sf(abs(off) * 0.9))


def _two_shares(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    ones, others = int(left.sum()), int(right.sum())
    if (ones == 0 and others == 0) or (ones == len(left) and others == len(right)):
        return 1.0
    table = [[ones, len(left) - ones], [others, len(right) - others]]
    if min(np.min(table), 99) < 10:
        return float(stats.fisher_exact(table).pvalue)
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def _two_outcomes(left: Bits, right: Bits) -> float:
    """χ² of homogeneity over the outcomes that are often seen, the rest in one cell."""
    both = np.concatenate((left, right))
    _, names = np.unique(np.packbits(both, axis=1), axis=0, return_inverse=True)
    names = names.ravel()
    counts = np.stack((np.bincount(names[: len(left)], minlength=names.max() + 1),
                       np.bincount(names[len(left) :], minlength=names.max() + 1)))  # fmt: skip
    often = counts.sum(axis=0) >= 5 * len(both) / min(len(left), len(right))
    table = counts[:, often]
    if not often.all():
        table = np.column_stack((table, counts[:, ~often].sum(axis=1)))
    table = table[:, table.sum(axis=0) > 0]
    return float(stats.chi2_contingency(table, correction=False).pvalue) if table.shape[1] > 1 else 1.0


def _echelon(rows: Bits) -> tuple[list[Bits], list[int]]:
    """A reduced basis of the space that rows of bits span, and its pivots."""
    basis: list[Bits] = []
    pivots: list[int] = []
    left = np.unique(rows, axis=0)
    while True:
        left = left[left.any(axis=1)]
        if not len(left):
            return basis, pivots
        row = left[0].copy()
        pivot = int(np.flatnonzero(row)[0])
        left = left ^ (left[:, pivot : pivot + 1] & row)
        basis = [other ^ (other[pivot] & row) for other in basis]
        basis.append(row)
        pivots.append(pivot)
