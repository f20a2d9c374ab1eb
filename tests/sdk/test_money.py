"""Amounts are whole micro-units; text is exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qubator.money import Money, decimal, parse_amount


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
