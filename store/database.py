"""A database, opened: snapshots to read from, the writer to write through, migrations, leadership, news of commits."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from store import migrate, on_sqlite
from store.errors import RunAgain, StoreUnavailable, translate
from store.writer import Writer

if TYPE_CHECKING:  # and loaded where it is used: a command on SQLite starts sooner without that driver
    from store.on_postgres import Listener

__all__ = ["Connection", "Database", "Leadership", "open_database"]


class _Lock(Protocol):
    def alive(self) -> bool: ...

    def release(self) -> None: ...


class Leadership:
    """The right to be the one dispatcher of a database. Ends with `release`, with the block, or with the process."""

    def __init__(self, lock: _Lock) -> None:
        self._lock = lock

    def alive(self) -> bool:
        """Whether we still lead. On PostgreSQL this asks the server; a broken connection ends the leadership."""
        return self._lock.alive()

    def release(self) -> None:
        """Let somebody else lead. May be called twice."""
        self._lock.release()

    def __enter__(self) -> Leadership:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Database:
    """One open database. Made by `open_database`; use it from any thread; close it."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._backend_pids: set[int] = set()
        self._writing: Engine
        self.dialect: Literal["sqlite", "postgresql"]
        if url.get_backend_name() == "sqlite":
            self.dialect = "sqlite"
            self.path: Path | None = on_sqlite.path_of(url)
            self._writing, self._reading = on_sqlite.writing_engine(url), on_sqlite.reading_engine(url)
        else:
            from store import on_postgres

            self.dialect = "postgresql"
            self.path = None
            self._writing = on_postgres.writing_engine(url, self._backend_pids)
            self._reading = on_postgres.reading_engine(url)
        self.writer = Writer(self._writing, self._tell)
        self._gate = threading.Lock()
        self._callbacks: tuple[Callable[[], None], ...] = ()
        self._listener: Listener | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection on which all reads of the block see one state of the database.

        Raises `ReadOnly` for an attempt to write, `StoreUnavailable` when the database can't be reached or no
        connection comes free in 10 seconds.
        """
        try:
            with self._reading.connect() as connection, connection.begin():
                yield connection
        except (DBAPIError, PoolTimeoutError, sqlite3.Error) as failure:
            trouble = translate(failure)
            if trouble is failure:
                raise
            if isinstance(trouble, RunAgain):
                raise StoreUnavailable(str(trouble)) from failure
            raise trouble from failure

    def migrate(self) -> None:
        """Bring the schema to this version's; writes nothing when it is there. Raises `SchemaTooNew`."""
        if self.revision() == self.head():
            return
        try:
            with self._writing.connect() as connection, connection.begin():
                migrate.upgrade(connection)
        except (DBAPIError, sqlite3.Error) as failure:
            trouble = translate(failure)
            if trouble is failure:
                raise
            raise trouble from failure

    def require_head(self) -> None:
        """Raise `SchemaTooOld` or `SchemaTooNew` unless the schema is exactly this version's."""
        with self.read() as connection:
            migrate.require_head(connection)

    def revision(self) -> str | None:
        """The revision of the schema in the database; None before the first migration."""
        with self.read() as connection:
            return migrate.revision(connection)

    def head(self) -> str:
        """The revision of this version's schema."""
        return migrate.head()

    def lead(self) -> Leadership | None:
        """Become the leader, or None while another process leads. Raises `StoreUnavailable`."""
        lock: _Lock | None
        if self.path is not None:
            try:
                lock = on_sqlite.FileLock.take(self.path.with_name(self.path.name + ".lock"))
            except OSError as failure:
                raise StoreUnavailable(f"the leader's lock can't be opened: {failure}") from failure
        else:
            from store.on_postgres import AdvisoryLock

            lock = AdvisoryLock.take(self._url)
        return None if lock is None else Leadership(lock)

    def listen(self, callback: Callable[[], None]) -> None:
        """Have `callback` called, on some thread, after every commit of this process, and on PostgreSQL also after
        those of others. It must be quick; that it was called means only: look again.
        """
        with self._gate:
            self._callbacks = (*self._callbacks, callback)
            if self.dialect == "postgresql" and self._listener is None:
                from store.on_postgres import Listener

                self._listener = Listener(self._url, self._backend_pids, self._tell)

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback()

    def close(self) -> None:
        """Carry out what the writer has been given, then let go of every connection. May be called twice."""
        self.writer.close()
        with self._gate:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        self._writing.dispose()
        self._reading.dispose()


def open_database(url: str) -> Database:
    """Open `sqlite:///path`, `sqlite:////absolute/path` or `postgresql://…`; connects when first used.

    Raises ValueError for any other kind of URL.
    """
    wanted = "a database URL starts with sqlite:/// or postgresql://"
    try:
        parsed = make_url(url)
    except ArgumentError as failure:
        raise ValueError(wanted) from failure
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(f"{wanted}, not {parsed.drivername}")
    return Database(parsed)
