"""One seed for the work makes one for every PUB: the same every time, different for every place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends import seeds

SEEDS = st.integers(0, 2**63 - 1)


@given(SEEDS, st.integers(0, 999))
def test_a_pub_seed_fits_engines_and_json(seed: int, position: int) -> None:
    assert 0 <= seeds.of_pub(seed, position) < 2**52
    assert seeds.of_pub(seed, position) == seeds.of_pub(seed, position)


@given(SEEDS)
def test_places_and_neighbouring_seeds_draw_apart(seed: int) -> None:
    assert len({seeds.of_pub(seed, position) for position in range(1000)}) == 1000
    assert len({seeds.of_pub(seed + step, 0) for step in range(100)}) == 100


def test_known_values_never_change() -> None:
    """A result of last year can be had again only if these stay as they are."""
    assert [seeds.of_pub(1, position) for position in range(3)] == KNOWN
    assert seeds.of_pub(0, 0) == 3_978_078_226_723_292


def test_chosen_seeds_are_fresh() -> None:
    chosen = {seeds.choose() for _ in range(100)}
    assert len(chosen) == 100
    assert all(0 <= seed < 2**52 for seed in chosen)


KNOWN = [2_551_566_498_828_325, 3_358_702_444_108_014, 4_373_007_639_229_221]
