"""Usage × rate, in whole micro-yuan, rounded up once per line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.price import (
    Charge,
    Line,
    Quote,
    Rate,
    Usage,
    charge,
    charge_from_json,
    charge_to_json,
    quote,
    quote_from_json,
)

RATE = Rate("aer", per_job=1_000, per_qpu_ms=200, per_kshot=1_500, version="2026-01")
prices = st.integers(0, 10**9)
amounts = st.integers(0, 10**9)
rates = st.builds(Rate, st.just("aer"), prices, prices, prices, st.just("v"))
usages = st.builds(Usage, amounts, amounts, amounts)


def test_a_charge_in_figures() -> None:
    assert charge(RATE, Usage(qpu_ms=12, shots=1024, cpu_ms=40)) == Charge(
        lines=(
            Line("job", 1, "job", 1_000, 1_000),
            Line("QPU time", 12, "ms", 200, 2_400),
            Line("shots", 1024, "shot", 1_500, 1_536, per=1_000),
        ),
        amount=4_936,
    )


@pytest.mark.parametrize(("shots", "amount"), [(0, 0), (1, 2), (2, 3), (999, 1_499), (1000, 1_500), (1001, 1_502)])
def test_shots_are_rounded_up_to_a_whole_micro_yuan(shots: int, amount: int) -> None:
    assert charge(Rate("aer", 0, 0, 1_500, "v"), Usage(0, shots)).amount == amount


def test_a_price_of_nothing_makes_no_line() -> None:
    assert charge(Rate("aer", 0, 0, 0, "v"), Usage(12, 1024)) == Charge((), 0)


@given(rates, usages)
def test_every_line_can_be_checked_by_hand(rate: Rate, usage: Usage) -> None:
    priced = charge(rate, usage)
    for line in priced.lines:
        assert 0 <= line.amount * line.per - line.quantity * line.unit_price < line.per
    assert priced.amount == sum(line.amount for line in priced.lines)


@given(rates, usages, usages)
def test_more_usage_never_costs_less(rate: Rate, usage: Usage, more: Usage) -> None:
    sum_of_both = Usage(usage.qpu_ms + more.qpu_ms, usage.shots + more.shots)
    assert charge(rate, usage).amount <= charge(rate, sum_of_both).amount


@given(rates, amounts, amounts, amounts)
def test_a_quote_expects_no_more_than_its_ceiling(rate: Rate, estimate_ms: int, more_ms: int, shots: int) -> None:
    quoted = quote(rate, estimate_ms, estimate_ms + more_ms, shots)
    assert quoted.expected == charge(rate, Usage(estimate_ms, shots))
    assert quoted.ceiling == charge(rate, Usage(estimate_ms + more_ms, shots))
    assert quoted.expected.amount <= quoted.ceiling.amount
    assert quoted.asset == "CNY"
    assert quoted.hold_amount == max(1, quoted.ceiling.amount)
    assert quote_from_json(json.loads(json.dumps(quoted.to_json()))) == quoted


def test_a_free_job_still_holds_one_unit() -> None:
    assert quote(Rate("aer", 0, 0, 0, "v"), 1, 2, 3).hold_amount == 1


def test_a_ceiling_below_the_estimate_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="the ceiling of 4 ms lies below the estimate of 5 ms"):
        quote(RATE, 5, 4, 0)


@given(rates, usages)
def test_a_charge_survives_json(rate: Rate, usage: Usage) -> None:
    priced = charge(rate, usage)
    assert charge_from_json(json.loads(json.dumps(charge_to_json(priced)))) == priced


def test_a_quote_as_json_in_full() -> None:
    line = {"what": "job", "quantity": 1, "unit": "job", "unit_price": 7, "per": 1, "amount": 7}
    one = {"lines": [line], "amount": 7}
    quoted: Quote = quote(Rate("aer", 7, 0, 0, "v"), 1, 2, 3)
    assert quoted.to_json() == {
        "asset": "CNY",
        "rate": {"backend": "aer", "per_job": 7, "per_qpu_ms": 0, "per_kshot": 0, "version": "v"},
        "expected": one,
        "ceiling": one,
    }


def test_nothing_is_negative() -> None:
    with pytest.raises(ValueError, match="a price is at least 0"):
        Rate("aer", 0, -1, 0, "v")
    with pytest.raises(ValueError, match="usage is never negative"):
        Usage(0, 0, -1)
