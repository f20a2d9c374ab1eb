"""The rate card on both databases: lines are added, never changed, and come back as they were written."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from ledger.rates import RateLine, rates_in_force
from store import rate_lines
from store.errors import AppendOnly, Duplicate

LINES = [
    RateLine("b", "qpu_ms", 700, 1, "aer", (22, 6), 10, 2**60, 5),
    RateLine("a", "qpu_ms", 2**53, created_us=5),
    RateLine("c", "shots", 0, 1_000, "simulator", created_us=4),
]


def card(database):
    with database.read() as connection:
        return rate_lines.all_lines(connection)


def test_the_whole_card_oldest_first(database):
    assert card(database) == []
    database.writer.run(lambda c: rate_lines.insert_lines(c, LINES))
    assert card(database) == [LINES[2], LINES[1], LINES[0]]
    night = rates_in_force(card(database), "aer", "simulator", 11, 23)
    assert [line.id for line in night] == ["b", "c"]


def test_a_line_is_written_once_and_a_bad_card_not_at_all(database):
    database.writer.run(lambda c: rate_lines.insert_lines(c, LINES))
    cheaper = RateLine("a", "qpu_ms", 1)
    with pytest.raises(Duplicate):
        database.writer.run(lambda c: rate_lines.insert_lines(c, [RateLine("d", "job", 9), cheaper]))
    for statement in ("UPDATE rate_lines SET unit_price = 1", "DELETE FROM rate_lines WHERE id = 'a'"):
        with pytest.raises(AppendOnly, match="rate_lines are written once"):
            database.writer.run(lambda c, statement=statement: c.execute(text(statement)))
    assert sorted(line.id for line in card(database)) == ["a", "b", "c"]
