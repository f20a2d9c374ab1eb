"""Every closed month is worked out again from the entries, all in one pass, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from dispatcher.closed_months import changed_closes


@pytest.fixture
def autumn(database: Any, bookstory: Any, tmp_path: Path) -> Any:
    """Books with October and November closed; an entry of October came after its close."""
    books = bookstory.Books(bookstory.Story(database), tmp_path).live_through_autumn()
    books.close("2026-11")
    return books


def changed(books: Any) -> list[str]:
    with books.database.read() as conn:
        return changed_closes(conn)


def tampered(books: Any, *statements: str) -> list[str]:
    """What is found after somebody who owns the database has done this to it."""

    def unit(conn: Any) -> None:
        tables = ("entries", "postings", "closes")
        if conn.dialect.name == "sqlite":
            names = conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all()
            for (name,) in names:
                conn.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in tables:
                conn.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            assert conn.exec_driver_sql(statement).rowcount == 1

    books.database.writer.run(unit)
    return changed(books)


def test_whole_books_follow(autumn: Any) -> None:
    assert changed(autumn) == []


def test_without_a_closed_month_there_is_nothing_to_find(database: Any) -> None:
    with database.read() as conn:
        assert changed_closes(conn) == []


@pytest.mark.parametrize(
    ("entry", "months"),
    [("settle/a", ["2026-10", "2026-11"]), ("settle/b", ["2026-11"]), ("settle/c", ["2026-11"]), ("expire/g-acme", [])],
)
def test_a_changed_amount_shows_in_the_first_month_that_covers_it_and_in_all_later(
    autumn: Any, entry: str, months: list[str]
) -> None:
    """`settle/c` is of October and was posted after its close; the expiry is of the month that is open."""
    wanted = f"SELECT seq FROM entries WHERE id = '{entry}'"
    assert (
        tampered(autumn, f"UPDATE postings SET amount = amount + 1 WHERE position = 0 AND seq = ({wanted})") == months
    )


@pytest.mark.parametrize(
    ("statement", "months"),
    [
        ("UPDATE closes SET last_seq = last_seq - 1 WHERE month = '2026-10'", ["2026-10", "2026-11"]),
        ("UPDATE closes SET until_us = until_us + 1 WHERE month = '2026-11'", ["2026-11"]),
        ("UPDATE closes SET hash = 'x' WHERE month = '2026-11'", ["2026-11"]),
        ("UPDATE entries SET kind = 'void' WHERE id = 'settle/a'", ["2026-10"]),
        ("UPDATE entries SET at_us = at_us + 3000000000000 WHERE id = 'settle/a'", ["2026-10"]),
    ],
)
def test_other_changes_show_too(autumn: Any, statement: str, months: list[str]) -> None:
    found = tampered(autumn, statement)
    assert set(months) <= set(found), found


def test_the_entries_are_read_once_however_many_months_there_are(autumn: Any) -> None:
    asked: list[str] = []
    engine = autumn.database._reading
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert changed(autumn) == []
    assert len([text for text in asked if "JOIN entries" in text]) == 1
