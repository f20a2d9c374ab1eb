"""What only SQLite does: pragmas, the write lock, the lock file."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from store import on_sqlite
from store.database import open_database


def pragma(connection, name):
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_commit_survives_the_loss_of_power(sqlite_database):
    def unit(connection):
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2, "FULL"
        assert pragma(connection, "foreign_keys") == 1

    sqlite_database.writer.run(unit)


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
