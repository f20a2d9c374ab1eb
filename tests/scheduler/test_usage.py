"""Usage fades by half, in straight lines, and never changes who has used less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scheduler.usage import SPAN, Scale

HOUR_US = 3_600_000_000
moments = st.integers(1_700_000_000_000_000, 1_700_000_000_000_000 + SPAN * HOUR_US)
usages = st.integers(0, 10**15)


def test_usage_halves_with_each_half_life_and_in_straight_lines_between() -> None:
    scale = Scale.at(0, 100)
    score = scale.score(1_000, 0)
    assert [scale.usage(score, at_us) for at_us in (0, 50, 100, 150, 200, 300)] == [1_000, 750, 500, 375, 250, 125]


def test_the_same_usage_counts_double_one_half_life_later() -> None:
    scale = Scale.at(0, 100)
    assert scale.score(1_000, 100) == 2 * scale.score(1_000, 0)


def test_usage_of_long_before_the_base_has_faded() -> None:
    scale = Scale.at(1_000, 100)
    assert scale.usage(scale.score(1_000, 0), 1_000) == 1
    assert scale.score(1_000, -100_000) == 0


@given(usages, moments)
def test_a_score_is_worth_what_was_put_in(usage: int, at_us: int) -> None:
    scale = Scale.at(1_700_000_000_000_000, HOUR_US)
    assert scale.usage(scale.score(usage, at_us), at_us) == usage


@given(usages, usages, moments, moments)
def test_time_does_not_change_who_has_used_less(one: int, other: int, at_us: int, later_us: int) -> None:
    at_us, later_us = sorted((at_us, later_us))
    scale = Scale.at(1_700_000_000_000_000, HOUR_US)
    a, b = scale.score(one, at_us), scale.score(other, at_us)
    if a <= b:
        assert scale.usage(a, later_us) <= scale.usage(b, later_us)


@given(usages, moments)
def test_moving_the_base_keeps_the_worth(usage: int, at_us: int) -> None:
    old = Scale.at(1_700_000_000_000_000, HOUR_US)
    now_us = old.until_us()
    new = Scale.at(now_us, HOUR_US)
    score = old.score(usage, at_us)
    assert abs(new.usage(old.moved(score, new, now_us), now_us) - old.usage(score, now_us)) <= 1


@given(usages, moments)
def test_another_half_life_keeps_the_worth_at_the_moment_of_the_change(usage: int, now_us: int) -> None:
    old, new = Scale.at(1_700_000_000_000_000, HOUR_US), Scale.at(now_us, HOUR_US // 7)
    score = old.score(usage, now_us)
    assert new.usage(old.moved(score, new, now_us), now_us) == usage
