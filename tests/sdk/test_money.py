"""Amounts are whole micro-units; text is exact."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ledger.model
from qubator.money import NATIVE, Money, decimal, instant, parse_amount


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "0.00"), (1, "0.000001"), (1_230_000, "1.23"), (-5, "-0.000005"), (1_234_567_890_000, "1,234,567.89")],
)
def test_amounts_read_as_exact_decimals(micro: int, text: str) -> None:
    assert decimal(micro) == text
    assert str(Money(micro)) == f"{text} CNY"


@given(st.integers(-(10**15), 10**15))
def test_text_and_amount_are_the_same_thing(micro: int) -> None:
    assert parse_amount(decimal(micro)) == micro


@pytest.mark.parametrize("text", ["", ".", "1.2345678", "abc", "1e3", "--1", "1.2.3"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_amount(text)


def test_the_wire_form_goes_both_ways() -> None:
    assert Money.from_json(Money(5, "shots").to_json()) == Money(5, "shots")


def test_native_assets_are_counted_one_by_one() -> None:
    assert str(Money(1_500, "qpu_ms")) == "1,500 qpu_ms"
    assert (Money(1_500, "shots").figure, Money(1_500).figure) == ("1,500", "0.0015")
    assert NATIVE == ledger.model.NATIVE


def test_an_instant_is_a_time_in_utc_or_beyond_the_calendar() -> None:
    assert instant(1_000_000) == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert instant(2**63 - 1) is None
