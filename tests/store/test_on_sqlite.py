"""What only SQLite does: pragmas, the write lock, the lock file."""

from __future__ import annotations

import os
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from store import book, on_sqlite
from store.database import open_database
from store.errors import StoreError


def pragma(connection, name):
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_commit_survives_the_loss_of_power(sqlite_database):
    def unit(connection):
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2, "FULL"
        assert pragma(connection, "foreign_keys") == 1

    sqlite_database.writer.run(unit)


@pytest.mark.parametrize("logged", [False, True])
def test_an_auditors_copy_that_cannot_be_written_is_read_and_left_alone(sqlite_town, tmp_path, monkeypatch, logged):
    sqlite_town.grant("acme", 1_000)
    source = sqlite_town.database.path
    if not logged:
        with sqlite_town.database.read() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = tmp_path / "a copy?" / source.name
    copy.parent.mkdir()
    for suffix in ("", "-wal"):
        file = source.with_name(source.name + suffix)
        if file.exists() and (not suffix or logged):
            (copy.parent / file.name).write_bytes(file.read_bytes())
    before = sorted(file.name for file in copy.parent.iterdir())
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: copy.parent not in (path, path.parent) and real(path, mode))
    database = open_database(f"sqlite:///{quote(str(copy))}")
    with database.read() as connection:
        assert [grant.amount for grant in book.all_grants(connection)] == [1_000]
    with pytest.raises(StoreError):
        database.writer.run(lambda conn: conn.exec_driver_sql("DELETE FROM grants"))
    database.close()
    if not logged:
        assert sorted(file.name for file in copy.parent.iterdir()) == before


def test_readers_can_not_write(sqlite_database):
    with sqlite_database.read() as connection:
        assert pragma(connection, "query_only") == 1


def test_a_unit_holds_the_write_lock_from_its_beginning(sqlite_database, sqlite_url, monkeypatch):
    monkeypatch.setattr(on_sqlite, "_BUSY_TIMEOUT_MS", 5)
    other = open_database(sqlite_url)

    def unit(connection):
        return type(other.writer.submit(lambda c: None).exception(30)).__name__

    assert sqlite_database.writer.run(unit) == "StoreUnavailable"
    other.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:memory?uri=true"])
def test_a_database_in_memory_is_refused(url):
    with pytest.raises(ValueError, match="SQLite needs a file"):
        on_sqlite.path_of(make_url(url))


def test_the_lock_file_lies_beside_the_database(sqlite_database):
    leadership = sqlite_database.lead()
    assert (sqlite_database.path.parent / "qubator.sqlite.lock").exists()
    leadership.release()


def test_the_lock_is_not_left_to_children(tmp_path):
    """A child process that outlives us must not go on leading."""
    import os

    lock = on_sqlite.FileLock.take(tmp_path / "lock")
    assert os.get_inheritable(lock._descriptor) is False
    lock.release()
