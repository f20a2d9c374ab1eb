"""What terms and budgets are told about a job, by the facility's own calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.claims import claimant_of, rates_for
from dispatcher.rules import Rules
from ledger.rates import RateLine
from ledger.terms import Claimant
from store.rows import ProjectRow

BEIJING = timezone(timedelta(hours=8))


def us(text: str, zone: tzinfo = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000


def told(at_us: int, rules: Rules | None = None, **project: object) -> Claimant:
    row = ProjectRow("acme", "Acme", 100, 0, **project)  # type: ignore[arg-type]
    return claimant_of(row, "mem-ann", "thesis", ["a", "b"], "aer", rules or Rules(), at_us)


def test_everything_that_terms_may_ask() -> None:
    assert told(us("2026-06-01"), stage="seed", traits=("spin-off",), related=("aer",)) == Claimant(
        member_id="mem-ann",
        category="thesis",
        tags=("a", "b"),
        backend="aer",
        provider="aer",
        stage="seed",
        age_months=None,
        traits=("spin-off",),
        related=("aer",),
        year=2026,
    )


@pytest.mark.parametrize(
    ("founded", "now", "months"),
    [
        ("2026-03-15", "2026-03-15", 0),
        ("2026-03-15", "2026-04-14T23:59:59", 0),
        ("2026-03-15", "2026-04-15", 1),
        ("2025-12-31", "2026-01-30", 0),
        ("2025-12-31", "2026-01-31", 1),
        ("2021-06-01", "2026-05-31", 59),
        ("2021-06-01", "2026-06-01", 60),
        ("2024-02-29", "2025-02-28", 11),
        ("2024-02-29", "2025-03-01", 12),
    ],
)
def test_a_startup_is_as_old_as_the_months_it_has_completed(founded: str, now: str, months: int) -> None:
    assert told(us(now), founded_us=us(founded)).age_months == months


@given(st.integers(0, 10**15), st.integers(0, 10**14))
def test_nobody_grows_younger(founded_us: int, later_us: int) -> None:
    first, then = (told(founded_us + passed, founded_us=founded_us).age_months for passed in (0, later_us))
    assert first == 0
    assert then is not None
    assert then >= 0
    assert abs(then - later_us / (365.2425 / 12 * 86_400 * 10**6)) < 2


def test_year_and_birthday_are_those_of_the_facilitys_zone() -> None:
    """Half past midnight of New Year's Day in Beijing, where the startup has just become a month old."""
    at_us, founded_us = us("2027-01-01T00:30", BEIJING), us("2026-12-01", BEIJING)
    there = told(at_us, Rules(zone=BEIJING), founded_us=founded_us)
    assert (there.year, there.age_months) == (2027, 1)
    assert told(at_us, Rules(), founded_us=founded_us).year == 2026


def test_the_card_wins_over_the_built_in_rates_and_night_begins_by_the_facilitys_clock() -> None:
    card = [RateLine("night", "qpu_ms", 100, 1, "simulator", (22, 6)), RateLine("gpu", "gpu_ms", 7, 1, "aer-mps")]

    def price(at_us: int, rules: Rules, backend: str = "aer") -> dict[str, int]:
        return {line.resource: line.unit_price for line in rates_for(rules, card, backend, at_us)}

    at_us = us("2026-06-01T15:00")
    assert price(at_us, Rules()) == {"job": 1_000, "qpu_ms": 500, "shots": 1}
    assert price(at_us, Rules(zone=BEIJING)) == {"job": 1_000, "qpu_ms": 100, "shots": 1}
    assert price(at_us, Rules(), "aer-mps") == {"job": 1_000, "qpu_ms": 500, "gpu_ms": 7, "shots": 1}
