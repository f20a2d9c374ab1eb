"""Months of the facility: read, counted on, and cut by its own clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.months import Month

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def test_a_month_is_read_as_it_is_written() -> None:
    assert Month.parse("2026-11") == Month(2026, 11)
    assert str(Month(1987, 3)) == "1987-03"


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "", "２０２６-11", "1970-01", "9999-01"]
)
def test_what_is_no_month_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


def test_a_month_begins_and_ends_by_the_clocks_of_the_facility() -> None:
    november = Month(2026, 11)
    assert november.from_us(SHANGHAI) == datetime(2026, 10, 31, 16, tzinfo=UTC).timestamp() * 1_000_000
    assert november.until_us(SHANGHAI) == datetime(2026, 11, 30, 16, tzinfo=UTC).timestamp() * 1_000_000


def test_a_month_with_a_change_of_the_clocks_is_an_hour_longer() -> None:
    october = Month(2026, 10)
    assert october.until_us(BERLIN) - october.from_us(BERLIN) == (31 * 24 + 1) * 3_600_000_000


def test_months_step_over_the_year() -> None:
    assert Month(2026, 12).step(1) == Month(2027, 1)
    assert Month(2026, 1).step(-1) == Month(2025, 12)
    assert Month(2026, 3).step(-15) == Month(2024, 12)


@given(at_us=st.integers(0, 4 * 10**15), zone=st.sampled_from([UTC, SHANGHAI, BERLIN]))
def test_an_instant_lies_in_its_month_and_in_no_other(at_us: int, zone: ZoneInfo) -> None:
    month = Month.of(at_us, zone)
    assert month.from_us(zone) <= at_us < month.until_us(zone)
    assert month.until_us(zone) == month.step(1).from_us(zone)
