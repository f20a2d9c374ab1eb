"""Quotes as the job row carries them, and the rate that is pinned by them."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.pricing import money, pinned_quote, quote_of
from dispatcher.rules import Rules
from ledger.price import Rate, Usage, charge


def test_a_quote_in_figures() -> None:
    quoted = quote_of(Rules(), "aer", 2_500, 60_000_000, 1_500)
    assert quoted["expected"] == {"micro": 1_000 + 3 * 500 + 150, "asset": "CNY"}
    assert quoted["ceiling"] == {"micro": 1_000 + 250 * 500 + 150, "asset": "CNY"}
    assert (quoted["estimate_ms"], quoted["ceiling_ms"], quoted["shots"]) == (3, 250, 1_500)
    assert quoted["time_limit_ms"] == 60_000
    assert [(line["what"], line["amount"]) for line in quoted["lines"]] == [
        ("job", 1_000),
        ("QPU time", 1_500),
        ("shots", 150),
    ]
    assert quoted["rate"]["version"] == "2026-1"
    assert sum(line["amount"] for line in quoted["lines"]) == quoted["expected"]["micro"]


def test_a_job_longer_than_its_time_limit_is_expected_to_run_into_it() -> None:
    quoted = quote_of(Rules(), "aer", 5_000_000, 1_000_000, 0)
    assert (quoted["estimate_ms"], quoted["ceiling_ms"]) == (1_000, 1_000)


def test_a_free_backend_still_has_a_hold_of_one() -> None:
    rules = Rules(rates={"aer": Rate("aer", 0, 0, 0, "free")})
    quoted = quote_of(rules, "aer", 1, 1_000_000, 10)
    assert (quoted["expected"]["micro"], quoted["ceiling"]["micro"], quoted["lines"]) == (0, 1, [])


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(0, 10**6))
def test_the_pinned_quote_is_the_one_that_was_given(estimate_us: int, time_limit_us: int, shots: int) -> None:
    quoted = quote_of(Rules(), "aer", estimate_us, time_limit_us, shots)
    pinned = pinned_quote(orjson.loads(orjson.dumps(quoted)))
    assert (pinned.expected.amount, pinned.hold_amount) == (quoted["expected"]["micro"], quoted["ceiling"]["micro"])
    assert quoted["expected"]["micro"] <= quoted["ceiling"]["micro"]
    assert charge(pinned.rate, Usage(quoted["ceiling_ms"], shots)).amount == pinned.ceiling.amount


def test_the_pinned_rate_does_not_follow_the_price_list() -> None:
    quoted = quote_of(Rules(), "aer", 1_000, 1_000_000, 0)
    quoted["rate"]["per_job"] = 7
    assert charge(pinned_quote(quoted).rate, Usage(0, 0)).amount == 7


@pytest.mark.parametrize("amount", [0, 10**15])
def test_money(amount: int) -> None:
    assert money(amount, "CNY") == {"micro": amount, "asset": "CNY"}
