"""The distribution tests let the right through and catch engines that lie in each of the usual ways."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.circuit_suite.entry import Bits, Certain, Lawful
from benchmarks.circuit_suite.judging import Exact, by_affine_hull, by_law, by_peer, by_probabilities

SHOTS = 1024


def drawn(probabilities: np.ndarray, seed: int, shots: int = SHOTS) -> Bits:
    """Honest shots from a distribution."""
    width = int(np.log2(len(probabilities)))
    outcomes = np.random.default_rng(seed).choice(len(probabilities), shots, p=probabilities)
    return ((outcomes[:, None] >> np.arange(width)) & 1).astype(np.uint8)


def porter_thomas(width: int, seed: int) -> np.ndarray:
    """The distribution of a deep random circuit: no bit and no parity tells it from the uniform one."""
    weights = np.random.default_rng(seed).exponential(size=1 << width)
    return weights / weights.sum()


def peaked(width: int, seed: int) -> np.ndarray:
    weights = np.random.default_rng(seed).exponential(size=1 << width) ** 4
    return weights / weights.sum()


@pytest.mark.parametrize("make", [porter_thomas, peaked])
@pytest.mark.parametrize("width", [1, 4, 9, 16])
def test_honest_shots_pass_every_time(make: object, width: int) -> None:
    for seed in range(40):
        probabilities = make(width, seed)  # type: ignore[operator]
        exact = Exact(tuple(range(width)), probabilities)
        assert by_probabilities(drawn(probabilities, 1000 + seed), exact).passed


@pytest.mark.parametrize("width", [3, 8, 14, 18])
def test_uniform_shots_in_place_of_a_random_circuit_are_caught(width: int) -> None:
    probabilities = porter_thomas(width, 5)
    uniform = drawn(np.full(1 << width, 1 / (1 << width)), 6)
    assert not by_probabilities(uniform, Exact(tuple(range(width)), probabilities)).passed


def test_reversed_bits_are_caught() -> None:
    probabilities = porter_thomas(10, 7)
    bits = drawn(probabilities, 8)
    exact = Exact(tuple(range(10)), probabilities)
    assert by_probabilities(bits, exact).passed
    assert not by_probabilities(bits[:, ::-1], exact).passed


def test_one_impossible_shot_is_enough() -> None:
    probabilities = np.array([0.5, 0.0, 0.0, 0.5])
    bits = drawn(probabilities, 1)
    bits[17] = (1, 0)
    verdict = by_probabilities(bits, Exact((0, 1), probabilities))
    assert (verdict.passed, verdict.finding) == (False, "1 of 1024 shots are impossible")


def test_a_bit_outside_the_distribution_must_be_zero() -> None:
    bits = np.zeros((SHOTS, 2), dtype=np.uint8)
    exact = Exact((0,), np.array([1.0, 0.0]))
    assert by_probabilities(bits, exact).passed
    bits[:, 1] = 1
    assert not by_probabilities(bits, exact).passed


def test_laws_catch_what_they_forbid_and_what_is_not_uniform() -> None:
    ghz = Lawful(lambda bits: (bits == bits[:, :1]).all(axis=1), lambda bits: bits[:, :1])
    coin = np.random.default_rng(3).integers(0, 2, (SHOTS, 1)).astype(np.uint8)
    assert by_law(np.repeat(coin, 5, axis=1), ghz).passed
    assert not by_law(np.zeros((SHOTS, 5), dtype=np.uint8), ghz).passed
    broken = np.repeat(coin, 5, axis=1)
    broken[3, 2] ^= 1
    assert not by_law(broken, ghz).passed
    assert by_law(np.ones((9, 2), dtype=np.uint8), Certain((1, 1))).passed
    assert not by_law(np.ones((9, 2), dtype=np.uint8), Certain((1, 0))).passed


def affine(seed: int, shots: int, flip: int | None = None) -> Bits:
    """Uniform over an affine space of dimension 6 in 20 bits."""
    fixed = np.random.default_rng(99)
    basis, offset = fixed.integers(0, 2, (6, 20)), fixed.integers(0, 2, 20)
    free = np.random.default_rng(seed).integers(0, 2, (shots, 6))
    if flip is not None:
        free[:, flip] = 0
    return ((free @ basis + offset) % 2).astype(np.uint8)


def test_affine_spaces_are_told_apart() -> None:
    reference = affine(1, 4096)
    assert all(by_affine_hull(affine(seed, SHOTS), reference).passed for seed in range(2, 30))
    assert not by_affine_hull(affine(2, SHOTS, flip=3), reference).passed
    outside = affine(2, SHOTS)
    outside[5, 0] ^= 1
    assert not by_affine_hull(outside, reference).passed


def test_two_engines_that_agree_pass_and_one_that_is_off_is_caught() -> None:
    chances = np.random.default_rng(4).uniform(0.1, 0.9, 40)

    def shots(seed: int, moved: float = 0.0) -> Bits:
        chance = chances.copy()
        chance[7] += moved
        return (np.random.default_rng(seed).random((SHOTS, 40)) < chance).astype(np.uint8)

    assert all(by_peer(shots(seed), shots(100 + seed)).passed for seed in range(20))
    assert not by_peer(shots(1), shots(2, moved=-0.25 if chances[7] > 0.5 else 0.25)).passed


def test_peers_catch_lost_correlations() -> None:
    rng = np.random.default_rng(5)
    left = rng.integers(0, 2, (SHOTS, 30)).astype(np.uint8)
    linked = left.copy()
    linked[:, 1::2] = linked[:, ::2]
    assert by_peer(linked, linked[rng.permutation(SHOTS)]).passed
    assert not by_peer(linked, left).passed
