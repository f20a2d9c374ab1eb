"""The second opinion agrees with the scheduler's own scale, though it is written otherwise."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scheduler.usage import Scale
from simulation.fairness import Shares

START_US, HALF_LIFE_US = 1_700_000_000_000_000, 7_000_000


def test_who_has_used_less_for_its_weight_comes_first_and_equals_do_not() -> None:
    shares = Shares(START_US, HALF_LIFE_US)
    shares.add("a", shares.worth(1_000, START_US))
    shares.add("b", shares.worth(1_500, START_US))
    assert shares.has_used_less("a", "b", START_US)
    shares.set_weight("b", 200)
    assert shares.has_used_less("b", "a", START_US)
    shares.add("b", shares.worth(500, START_US))
    assert not shares.has_used_less("a", "b", START_US)
    assert not shares.has_used_less("b", "a", START_US)


def test_what_was_used_lately_counts_more() -> None:
    shares = Shares(START_US, HALF_LIFE_US)
    shares.add("early", shares.worth(1_000, START_US))
    shares.add("late", shares.worth(1_000, START_US + 2 * HALF_LIFE_US))
    assert shares.has_used_less("early", "late", START_US + 2 * HALF_LIFE_US)


def test_nobody_owes_less_than_nothing() -> None:
    shares = Shares(START_US, HALF_LIFE_US)
    shares.add("a", -5_000.0)
    assert not shares.has_used_less("a", "new", START_US)


@given(st.integers(1, 10**10), st.integers(START_US, START_US + 20 * HALF_LIFE_US))
def test_the_worth_is_the_score_of_the_scheduler(usage: int, at_us: int) -> None:
    scale = Scale.at(START_US, HALF_LIFE_US)
    ratio = scale.score(usage, at_us) / Shares(START_US, HALF_LIFE_US).worth(usage, at_us)
    assert abs(ratio / 2**20 - 1) < 1e-6
