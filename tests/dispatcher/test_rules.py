"""What the operator decides, and what a hold covers by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules import DEFAULT_RATE, Rules
from ledger.price import Rate


@pytest.mark.parametrize(
    ("estimate_us", "time_limit_us", "ceiling_ms"),
    [
        (1, 60_000_000, 250),  # at least a quarter of a second
        (24_000, 60_000_000, 250),
        (25_001, 60_000_000, 260),  # ten times the estimate, in started milliseconds
        (3_000_000, 60_000_000, 30_000),
        (7_000_000, 60_000_000, 60_000),  # never more than the time limit
        (1, 100_000, 100),
        (1, 1, 1),
    ],
)
def test_a_hold_covers_ten_times_the_estimate_within_limits(
    estimate_us: int, time_limit_us: int, ceiling_ms: int
) -> None:
    assert Rules().ceiling_ms(estimate_us, time_limit_us) == ceiling_ms


@pytest.mark.parametrize(
    ("asked_us", "estimate_us", "limit_us"),
    [
        (5_000_000, 9_000_000, 5_000_000),  # as asked, whatever the estimate
        (None, 1, 60_000_000),
        (None, 15_000_000, 60_000_000),
        (None, 15_000_001, 60_000_004),  # four times the estimate
        (None, 3_000_000_000, 3_600_000_000),  # never longer than the longest
    ],
)
def test_the_time_limit_in_force(asked_us: int | None, estimate_us: int, limit_us: int) -> None:
    assert Rules().time_limit_of(asked_us, estimate_us) == limit_us


@given(st.integers(1, 10**10), st.integers(1, 10**10))
def test_a_ceiling_is_at_least_a_millisecond_and_at_most_the_time_limit(estimate_us: int, time_limit_us: int) -> None:
    ceiling_ms = Rules().ceiling_ms(estimate_us, time_limit_us)
    assert 1 <= ceiling_ms <= -(-time_limit_us // 1000)
    assert Rules().ceiling_ms(estimate_us + 1, time_limit_us) >= ceiling_ms


def test_a_backend_may_have_its_own_rate() -> None:
    special = Rate("aer-mps", 1, 2, 3, "special")
    rules = Rules(rates={"aer-mps": special})
    assert (rules.rate("aer-mps"), rules.rate("aer")) == (special, DEFAULT_RATE)
