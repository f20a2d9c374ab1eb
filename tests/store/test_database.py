"""Opening, closing, and what a database says of itself."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from store import inbox
from store.database import Connection, open_database
from store.errors import StoreUnavailable
from store.rows import Message


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("sqlite:///qubator.sqlite", "sqlite"),
        ("sqlite+pysqlite:///qubator.sqlite", "sqlite"),
        ("postgresql://user:pass@host/qubator", "postgresql"),
        ("postgresql+psycopg://host/qubator", "postgresql"),
    ],
)
def test_urls(url, dialect):
    database = open_database(url)
    assert database.dialect == dialect
    database.close()


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "nonsense", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"]
)
def test_urls_that_are_refused(url):
    with pytest.raises(ValueError, match="sqlite:///"):
        open_database(url)


def test_opening_alone_touches_nothing(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    assert list(tmp_path.iterdir()) == []
    database.close()


def test_a_relative_path_is_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    database = open_database("sqlite:///a.sqlite")
    database.migrate()
    database.close()
    assert (tmp_path / "a.sqlite").exists()


def test_everything_is_there_when_it_is_opened_again(database, database_url):
    database.writer.run(lambda c: inbox.append(c, [Message(1, "x", {})]))
    database.close()
    database.close()
    again = open_database(database_url)
    with again.read() as connection:
        assert isinstance(connection, Connection)
        assert [row.kind for row in inbox.read(connection, 9)] == ["x"]
    again.close()


def test_a_closed_database_takes_no_more(database):
    database.close()
    with pytest.raises(StoreUnavailable):
        database.writer.run(lambda c: None)


def test_closing_leaves_one_file(sqlite_database):
    sqlite_database.writer.run(lambda c: inbox.append(c, [Message(1, "x", {})]))
    with sqlite_database.read() as connection:
        inbox.read(connection, 1)
    sqlite_database.close()
    assert [path.name for path in sqlite_database.path.parent.iterdir()] == ["qubator.sqlite"]


def test_a_password_is_not_shown(postgres_url):
    database = open_database("postgresql://user:secret@localhost:1/qubator")
    with pytest.raises(StoreUnavailable) as caught:
        database.migrate()
    assert "secret" not in str(caught.value)
    database.close()


def test_too_many_readers_are_told_to_come_back(sqlite_database, monkeypatch):
    monkeypatch.setattr(sqlite_database._reading.pool, "_timeout", 0.01)
    with ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(sqlite_database.read())
        with pytest.raises(StoreUnavailable, match="no free connection"):
            stack.enter_context(sqlite_database.read())
    with sqlite_database.read() as connection:
        assert inbox.read(connection, 1) == []
