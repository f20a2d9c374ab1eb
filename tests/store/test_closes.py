"""Closed months are written once, and nobody posts while the last entry is looked up."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from ledger.months import Month
from ledger.periods import AsOf, Close
from store import closes
from store.database import Connection, Database, open_database
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


def test_books_tell_their_last_entry_and_their_first_instant(bookstory: Any, database: Database) -> None:
    with database.read() as conn:
        assert (closes.last_seq(conn), closes.first_us(conn)) == (0, None)
    story = bookstory.Story.autumn(database)
    with database.read() as conn:
        assert closes.last_seq(conn) == len(story.entries)
        assert closes.first_us(conn) == bookstory.at("10-01 08:00")
        after = AsOf(bookstory.OCTOBER.until_us(bookstory.ZONE))
        found = closes.kinds_within(conn, after, AsOf(bookstory.NOVEMBER.until_us(bookstory.ZONE)))
    # c was settled as of October.
    assert found == {
        "claw_back": 1, "correct": 2, "hold": 2, "issue": 2, "settle": 3, "top_up": 1, "transfer": 1,
    }  # fmt: skip


def test_an_entry_under_way_is_waited_for(postgres_url: str) -> None:
    """A transaction that has its number but has not committed: the last entry is looked up after it."""
    posted = "INSERT INTO entries (id, kind, at_us, claims, body) VALUES ('e', 'fund', 1, '', '')"
    begun = threading.Event()
    seen: list[int] = []
    database = open_database(postgres_url)

    def unit(conn: Connection) -> int:
        begun.set()
        closes.stop_posting(conn)
        return closes.last_seq(conn)

    closing = threading.Thread(target=lambda: seen.append(database.writer.run(unit)))
    with psycopg.connect(postgres_url) as other:
        other.execute(posted)
        closing.start()
        assert begun.wait(10)
        closing.join(0.3)
        assert closing.is_alive(), "it waits for the entry"
    closing.join(10)
    database.close()
    assert seen == [1]
