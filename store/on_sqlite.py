"""What is particular to SQLite: connections with the right pragmas, and leadership by a lock on a file.

One connection writes (BEGIN IMMEDIATE, so it never fails half-way for want of the lock); any number read, each
transaction a snapshot (WAL). synchronous=FULL: a commit that was answered survives the loss of power.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event

_BUSY_TIMEOUT_MS = 10_000
# SQLite itself would sleep up to 100 ms between two looks at the lock: a writer in another process would starve.
_LOOK_AGAIN_S = 0.001
_READERS = 16
_PRAGMAS = (
    f"busy_timeout = {_BUSY_TIMEOUT_MS}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "journal_size_limit = 67108864",
)


def path_of(url: URL) -> Path:
    """The database file. Raises ValueError for a database in memory: every connection would see another one."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ValueError("SQLite needs a file: sqlite:///relative/path or sqlite:////absolute/path")
    return Path(url.database)


def writing_engine(url: URL) -> Engine:
    """An engine whose transactions take the write lock at once."""
    engine = _engine(url, ("cache_size = -65536", "busy_timeout = 0"), size=1, overflow=1)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        until_s = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as failure:
                if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                    raise
                time.sleep(_LOOK_AGAIN_S)
            else:
                return

    return engine.execution_options(writes=True)


def reading_engine(url: URL) -> Engine:
    """An engine whose transactions are snapshots and refuse to write."""
    engine = _engine(url, ("cache_size = -8192", "query_only = ON"), size=_READERS, overflow=_READERS)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _engine(url: URL, pragmas: tuple[str, ...], *, size: int, overflow: int) -> Engine:
    path = path_of(url)
    if not _writable(path):
        # An auditor's copy. Nothing can change it, so it needs no locks; but what stands in a log beside it counts.
        logged = path.with_name(path.name + "-wal")
        immutable = not logged.exists() or not logged.stat().st_size
        query = {"uri": "true", "mode": "ro", **({"immutable": "1"} if immutable else {})}
        url = url.set(database=f"file:{quote(str(path))}", query=query)
        pragmas = (f"busy_timeout = {_BUSY_TIMEOUT_MS}", "query_only = ON")
    else:
        pragmas = (*_PRAGMAS, *pragmas)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=_BUSY_TIMEOUT_MS / 1000,
        # The driver must not open transactions by itself: we say which kind, see below.
        connect_args={"check_same_thread": False, "isolation_level": None, "cached_statements": 256},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _writable(path: Path) -> bool:
    """Whether the file and its folder may be written to, or do not exist yet."""
    return all(os.access(one, os.W_OK) for one in (path, path.parent) if one.exists())


class FileLock:
    """Leadership over a database file: an exclusive flock, which ends with the process whatever happens to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """The lock, or None when another process (or this one) holds it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def alive(self) -> bool:
        """Whether the lock is still ours; a file lock can't be lost."""
        return self._descriptor is not None

    def release(self) -> None:
        """Let somebody else lead. May be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
