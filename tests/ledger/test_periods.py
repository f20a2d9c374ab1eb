"""A closed month stays as it is: what counts in which month, what may be closed, what its totals say."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.model import Refusal
from ledger.months import Month
from ledger.periods import AsOf, Close, as_of, may_close, months_of, next_to_close, totals_text

OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)


@pytest.fixture(scope="module")
def zone(bookstory: Any) -> Any:
    return bookstory.ZONE


def closed(month: Month, last_seq: int, zone: Any) -> Close:
    return Close(month, month.until_us(zone), last_seq, 0, "op", "{}", "")


def test_an_open_month_counts_by_the_clock_a_closed_one_by_its_last_entry_too(zone: Any) -> None:
    until = OCTOBER.until_us(zone)
    assert as_of(OCTOBER, [], zone) == AsOf(until)
    found = as_of(OCTOBER, [closed(OCTOBER, 7, zone)], zone)
    assert found == AsOf(until, 7)
    assert found.covers(7, until - 1)
    assert not found.covers(8, until - 1), "posted after the close"
    assert not found.covers(7, until), "of the next month"


def test_what_is_posted_late_belongs_to_the_first_month_that_was_open(zone: Any) -> None:
    early = OCTOBER.from_us(zone)
    closes = [closed(OCTOBER, 7, zone), closed(NOVEMBER, 9, zone)]
    assert months_of([(7, early), (8, early), (10, early), (10, DECEMBER.until_us(zone))], closes, zone) == [
        OCTOBER,
        NOVEMBER,
        DECEMBER,
        Month(2027, 1),
    ]


@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 89)), max_size=30),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_states_of_the_books_tell_the_same_month_as_the_rule(
    posted: list[tuple[int, int]], first: int, more: int
) -> None:
    from datetime import UTC

    day_us = 86_400_000_000
    start = OCTOBER.from_us(UTC)
    entries = [(seq, start + day * day_us) for seq, day in posted]
    closes = [closed(OCTOBER, first, UTC), closed(NOVEMBER, first + more, UTC)]
    for month in (OCTOBER, NOVEMBER, DECEMBER, Month(2027, 1)):
        before, until = as_of(month.step(-1), closes, UTC), as_of(month, closes, UTC)
        inside = [(seq, at) for seq, at in entries if until.covers(seq, at) and not before.covers(seq, at)]
        named = [entry for entry, found in zip(entries, months_of(entries, closes, UTC), strict=True) if found == month]
        assert inside == named


def code(answer: Refusal | None) -> str | None:
    return None if answer is None else answer.code


def test_months_are_closed_once_when_they_are_over_one_after_the_other(zone: Any) -> None:
    first_us, now = OCTOBER.from_us(zone) + 5, NOVEMBER.until_us(zone)
    assert code(may_close(OCTOBER, [], first_us, now, zone)) is None
    assert code(may_close(NOVEMBER, [], first_us, now, zone)) == "month_out_of_order"
    assert code(may_close(NOVEMBER, [closed(OCTOBER, 1, zone)], first_us, now, zone)) is None
    assert code(may_close(NOVEMBER, [closed(OCTOBER, 1, zone)], first_us, now - 1, zone)) == "month_not_over"
    assert code(may_close(OCTOBER, [closed(OCTOBER, 1, zone)], first_us, now, zone)) == "month_closed"
    assert code(may_close(Month(2026, 9), [closed(OCTOBER, 1, zone)], first_us, now, zone)) == "month_out_of_order"


def test_the_refusal_names_the_month_that_is_next(zone: Any) -> None:
    refused = may_close(NOVEMBER, [], OCTOBER.from_us(zone), NOVEMBER.until_us(zone), zone)
    assert refused is not None
    assert dict(refused.fields) == {"month": "2026-11", "next": "2026-10"}
    assert "2026-10" in refused.detail


def test_books_without_entries_have_nothing_to_close(zone: Any) -> None:
    assert next_to_close([], None, zone) is None
    refused = may_close(OCTOBER, [], None, DECEMBER.until_us(zone), zone)
    assert refused is not None
    assert refused.code == "month_out_of_order"
    assert "nothing has been posted" in refused.detail


def test_totals_are_canonical_and_hashed() -> None:
    balances = {
        ("grant/b/held", "CNY"): 5,
        ("grant/a/held", "CNY"): 7,
        ("wallet/p/available", "CNY"): 1,
        ("payer/p", "CNY"): -1,
        ("funder/f", "CNY"): -12,
        ("facility/earned/funder/f", "CNY"): 2,
    }
    text, digest = totals_text(OCTOBER, AsOf(99, 3), b"\x01\xff", {"hold": 2}, balances)
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    found = json.loads(text)
    assert text == json.dumps(found, sort_keys=True, separators=(",", ":"))
    assert found["balances"] == [
        ["facility/earned/funder/f", "CNY", 2],
        ["funder/f", "CNY", -12],
        ["grant/held", "CNY", 12],
        ["payer", "CNY", -1],
        ["wallet/available", "CNY", 1],
    ]
    assert (found["month"], found["until_us"], found["last_seq"], found["accounts"]) == ("2026-10", 99, 3, 6)
    assert found["last_hash"] == "01ff"
    swapped = {**balances, ("grant/b/held", "CNY"): 7, ("grant/a/held", "CNY"): 5}
    other, _ = totals_text(OCTOBER, AsOf(99, 3), b"\x01\xff", {"hold": 2}, swapped)
    assert json.loads(other)["balances"] == found["balances"]
    assert json.loads(other)["accounts_sha256"] != found["accounts_sha256"], "every account counts by itself"
