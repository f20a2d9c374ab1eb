"""Closed months are written once."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.months import Month
from ledger.periods import AsOf, Close
from store import closes
from store.database import Database
from store.errors import Duplicate

CLOSE = Close(Month(2026, 10), 1_000, 7, 2_000, "op", '{"v":1}', "ab")


def test_a_close_comes_back_as_it_was_written_in_order(database: Database) -> None:
    later = Close(Month(2026, 11), 3_000, 9, 4_000, "op", "{}", "cd")
    for close in (later, CLOSE):
        database.writer.run(lambda conn, close=close: closes.insert_close(conn, close))
    with database.read() as conn:
        assert closes.list_closes(conn) == [CLOSE, later]
    assert CLOSE.as_of == AsOf(1_000, 7)


def test_a_month_is_closed_once(database: Database) -> None:
    database.writer.run(lambda conn: closes.insert_close(conn, CLOSE))
    with pytest.raises(Duplicate):
        database.writer.run(lambda conn: closes.insert_close(conn, CLOSE))


@pytest.mark.parametrize("statement", ["UPDATE closes SET last_seq = 8", "DELETE FROM closes"])
def test_the_database_refuses_to_change_a_close(database: Database, statement: str) -> None:
    database.writer.run(lambda conn: closes.insert_close(conn, CLOSE))
    with pytest.raises(Exception, match="closes are written once"):
        database.writer.run(lambda conn: conn.exec_driver_sql(statement))
    with database.read() as conn:
        assert closes.list_closes(conn) == [CLOSE]


def test_books_tell_their_first_instant_and_what_a_month_has(bookstory: Any, database: Database) -> None:
    with database.read() as conn:
        assert closes.first_us(conn) is None
    bookstory.Story.autumn(database)
    with database.read() as conn:
        assert closes.first_us(conn) == bookstory.at("10-01 08:00")
        after = AsOf(bookstory.OCTOBER.until_us(bookstory.ZONE))
        found = closes.kinds_within(conn, after, AsOf(bookstory.NOVEMBER.until_us(bookstory.ZONE)))
    # c was settled as of October.
    assert found == {
        "claw_back": 1, "correct": 2, "hold": 2, "issue": 2, "settle": 3, "top_up": 1, "transfer": 1,
    }  # fmt: skip
