"""Right engines are never accused, and wrong ones are found: by simulation, with fixed seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from backends.registers import Bits
from backends.trust.comparing import sample_alarm, values_alarm


def drawn(weights: NDArray[np.float64], bits: int, shots: int, rng: np.random.Generator) -> Bits:
    indices = rng.choice(len(weights), size=shots, p=weights / weights.sum())
    return ((indices[:, None] >> np.arange(bits)) & 1).astype(np.uint8)


def weights(kind: str, bits: int, rng: np.random.Generator) -> NDArray[np.float64]:
    size = 1 << bits
    match kind:
        case "flat":
            return np.ones(size)
        case "ghz":
            found = np.zeros(size)
            found[[0, -1]] = 1
            return found
        case "porter-thomas":
            return rng.exponential(size=size)
        case _:
            return 0.5 ** np.arange(size)  # "steep": rare outcomes of every rarity


@pytest.mark.parametrize("kind", ["flat", "ghz", "porter-thomas", "steep"])
@pytest.mark.parametrize(("bits", "shots"), [(1, 50), (3, 100), (6, 1000), (12, 1000)])
def test_alarms_are_no_likelier_than_they_say(kind: str, bits: int, shots: int) -> None:
    """Of 100 pairs of equal distributions at most a share of p may have an alarm below p; here for p = 0.05, 0.01."""
    rng = np.random.default_rng([bits, shots, len(kind)])
    chances = weights(kind, bits, rng)
    alarms = np.array(
        [sample_alarm(drawn(chances, bits, shots, rng), drawn(chances, bits, shots, rng)) for _ in range(100)]
    )
    assert (alarms < 0.05).sum() <= 5
    assert (alarms < 0.01).sum() <= 1


@pytest.mark.parametrize(("bits", "shots"), [(2, 200), (5, 1000), (12, 4000), (40, 4000)])
def test_other_distributions_are_found(bits: int, shots: int) -> None:
    """A bit that is turned over, two bits that are exchanged, a phase that is lost: as engines go wrong."""
    rng = np.random.default_rng(bits)
    right = rng.integers(0, 2, (2 * shots, bits), dtype=np.uint8)
    right[:, 1] = right[:, 0]  # two bits that agree
    right[:, 0] |= rng.random(2 * shots) < 0.3
    first, second = np.split(right, 2)
    assert sample_alarm(first, second) > 1e-3
    turned = second.copy()
    turned[:, 1] ^= 1
    exchanged = second[:, [1, 0, *range(2, bits)]]
    independent = second.copy()
    independent[:, 1] = rng.permutation(second[:, 1])
    for wrong in (turned, exchanged, independent):
        assert sample_alarm(first, wrong) < (1e-6 if shots == 200 else 1e-9)


def test_a_small_difference_is_seen_by_many_shots_only() -> None:
    rng = np.random.default_rng(5)
    right, wrong = np.array([0.25, 0.25, 0.25, 0.25]), np.array([0.30, 0.20, 0.25, 0.25])
    assert sample_alarm(drawn(right, 2, 500, rng), drawn(wrong, 2, 500, rng)) > 1e-6
    assert sample_alarm(drawn(right, 2, 8192, rng), drawn(wrong, 2, 8192, rng)) < 1e-9


def test_slack_is_given_to_engines_that_say_so() -> None:
    rng = np.random.default_rng(6)
    right, near, far = np.array([0.5, 0.5]), np.array([0.55, 0.45]), np.array([0.8, 0.2])
    one, other = drawn(right, 1, 8192, rng), drawn(near, 1, 8192, rng)
    assert sample_alarm(one, other) < 1e-9
    assert sample_alarm(one, other, slack=0.1) == 1.0
    assert sample_alarm(one, drawn(far, 1, 8192, rng), slack=0.1) < 1e-9


def test_nothing_to_compare_raises_no_alarm() -> None:
    assert sample_alarm(np.zeros((0, 3), np.uint8), np.ones((5, 3), np.uint8)) == 1.0
    assert sample_alarm(np.zeros((5, 0), np.uint8), np.zeros((5, 0), np.uint8)) == 1.0
    assert sample_alarm(np.zeros((900, 1), np.uint8), np.zeros((900, 1), np.uint8)) == 1.0


def test_the_longer_sample_is_cut() -> None:
    zeros, ones = np.zeros((10, 1), np.uint8), np.ones((5000, 1), np.uint8)
    few = sample_alarm(zeros, ones)
    assert few > 1e-4, "ten shots tell little"
    assert few == sample_alarm(zeros, ones[:10])


def test_values_either_agree_or_do_not() -> None:
    assert values_alarm([0.5, -1.0], [0.5 + 2e-6, -1.0], 2e-6) == 1.0
    assert values_alarm([0.5, -1.0], [0.5, 1.0], 1e-9) == 0.0
    assert values_alarm([0.5], [0.5 + 1e-4], 1e-9) == 0.0
    assert values_alarm([], [], 0.0) == 1.0
    assert values_alarm([math.pi], [math.pi], 0.0) == 1.0
