"""Marks are crossed upwards only, each once per rise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import accounts
from ledger.book import Book
from ledger.model import Grant
from ledger.quota import MARKS, Drawn, crossed, drawn

GRANT = Grant("a", "p", (("city", 1),), "acme", "CNY", 100, 10, 20, 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "marks"),
    [
        (Drawn(100, 79), Drawn(100, 80), (80,)),
        (Drawn(100, 80), Drawn(100, 94), ()),
        (Drawn(100, 94), Drawn(100, 95), (95,)),
        (Drawn(100, 0), Drawn(100, 100), (80, 95)),
        (Drawn(100, 95), Drawn(100, 10), ()),
        (Drawn(200, 85), Drawn(100, 85), (80,)),
        (Drawn(0, 0), Drawn(100, 100), (80, 95)),
        (Drawn(100, 50), Drawn(0, 0), ()),
    ],
)
def test_the_marks_between_two_states(before: Drawn, after: Drawn, marks: tuple[int, ...]) -> None:
    assert crossed(before, after) == marks


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30))
def test_between_two_tellings_of_a_mark_the_use_was_below_it(states: list[tuple[int, int]]) -> None:
    above = dict.fromkeys(MARKS, False)
    before = Drawn(0, 0)
    for granted, used in states:
        after = Drawn(granted, used)
        told = crossed(before, after)
        for percent in MARKS:
            assert (percent in told) == (after.reached(percent) and not above[percent])
            above[percent] = after.reached(percent)
        before = after


def test_what_counts_are_valid_grants_each_asset_alone() -> None:
    grants = [
        GRANT,
        replace(GRANT, id="over", valid_until_us=15),
        replace(GRANT, id="later", valid_from_us=20, valid_until_us=30),
        replace(GRANT, id="expired", expired=True),
        replace(GRANT, id="shots", asset="shots"),
        replace(GRANT, id="zeta", project_id="zeta"),
    ]
    book = Book(
        {one.id: one for one in grants},
        {(accounts.available("a"), "CNY"): 30, (accounts.available("shots"), "shots"): 99},
        {},
    )
    assert drawn(book, "acme", 15) == {"CNY": Drawn(100, 70), "shots": Drawn(100, 1)}
    assert drawn(book, "acme", 20) == {"CNY": Drawn(100, 100)}, "of the later one nothing is available"
    assert drawn(book, "nobody", 15) == {}
