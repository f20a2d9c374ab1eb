"""What the operator decides, and what a hold covers by it."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.rules import DEFAULT_RATES, Rules
from ledger.rates import rates_in_force


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


@pytest.mark.parametrize(
    ("result_bytes", "hours", "mib_h"),
    [(0, 720, 0), (1, 720, 1), (1 << 20, 720, 720), ((1 << 20) + 1, 720, 721), (10**9, 1, 954), (10**9, 0, 0)],
)
def test_a_result_is_kept_for_started_mib_hours(result_bytes: int, hours: int, mib_h: int) -> None:
    assert Rules(result_hours=hours).storage_mib_h(result_bytes) == mib_h


def test_the_facilitys_clocks_show_its_own_day_and_year() -> None:
    """Half past midnight on New Year's Day in Beijing is still the old year in London."""
    new_year_us = 1_798_734_600_000_000
    beijing = Rules(zone=timezone(timedelta(hours=8))).local(new_year_us)
    assert (beijing.year, beijing.month, beijing.day, beijing.hour) == (2027, 1, 1, 0)
    assert (Rules().local(new_year_us).year, Rules().local(new_year_us).hour) == (2026, 16)


def test_the_built_in_rates_are_in_force_from_the_first_day() -> None:
    found = rates_in_force(DEFAULT_RATES, "aer", "simulator", 0, 0)
    assert [(line.resource, line.unit_price, line.quantum) for line in found] == [
        ("job", 1_000, 1),
        ("qpu_ms", 500, 1),
        ("shots", 1, 10),
    ]
    assert Rules().rates == DEFAULT_RATES
