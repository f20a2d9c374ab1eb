"""A quote as the service answers it."""

from __future__ import annotations

from typing import Any

import pytest

from qubator.money import Money
from qubator.quotes import Quote, share_in_words


def test_what_nobody_pays_is_told_in_money(told: Any) -> None:
    found = Quote.from_json(told.quoted(missing=4, payers=[]))
    assert (found.missing, found.payers) == (Money(4), ())


def test_a_promise_beyond_the_calendar_has_no_date(told: Any) -> None:
    assert Quote.from_json(told.quoted(expires_us=2**63 - 1)).expires is None


@pytest.mark.parametrize(
    ("payer", "ppm", "words"),
    [("grt_1", 300_000, "30 %"), ("grt_1", 333_333, "33.3333 %"), ("grt_1", 10**6, "100 %"), ("wallet", 10**6, "rest")],
)
def test_shares_in_words(payer: str, ppm: int, words: str) -> None:
    assert share_in_words(payer, ppm) == words
