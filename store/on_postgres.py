"""What is particular to PostgreSQL: one writer at a time, snapshots, notifications, leadership by an advisory lock.

Every writing transaction of every process first takes one advisory lock. So writers queue here as they do in SQLite:
no deadlocks, `seq` columns grow in the order of the commits (a reader that remembers the last seq misses nothing), and
an idempotency key can't be raced. Group commit keeps that queue short.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from store.errors import StoreUnavailable

CHANNEL = "qubator"
# Any two numbers will do, as long as every Qubator uses the same; advisory locks are per database.
_WRITING_LOCK = 0x51756269
_LEADING_LOCK = 0x5175626A
_READERS = 8
_CONNECT = {
    "application_name": "qubator",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# A writer that hangs inside a transaction would block all others for ever.
_WRITING = {**_CONNECT, "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"}

_log = logging.getLogger(__name__)


def _driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg")


def writing_engine(url: URL, backend_pids: set[int]) -> Engine:
    """An engine whose transactions wait for their turn to write, and notify the others when they commit.

    `backend_pids` collects the server processes behind its connections: they tell own notifications from others'.
    """
    engine = create_engine(
        _driver(url), pool_size=1, max_overflow=1, connect_args=_WRITING, execution_options={"writes": True}
    )

    @event.listens_for(engine, "connect")
    def _remember(connection: Any, _record: object) -> None:
        backend_pids.add(connection.info.backend_pid)

    @event.listens_for(engine, "begin")
    def _queue_up(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITING_LOCK})")

    @event.listens_for(engine, "commit")
    def _notify(connection: Connection) -> None:
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    return engine


def reading_engine(url: URL) -> Engine:
    """An engine whose transactions are snapshots and refuse to write."""
    return create_engine(
        _driver(url),
        pool_size=_READERS,
        max_overflow=_READERS,
        pool_timeout=10,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        connect_args={**_CONNECT, "options": "-c default_transaction_read_only=on"},
    )


def _lone_connection(url: URL) -> psycopg.Connection[Any]:
    """A connection outside every pool, that commits each statement."""
    engine = create_engine(_driver(url), connect_args=_CONNECT)
    arguments, options = engine.dialect.create_connect_args(engine.url)
    return psycopg.connect(*arguments, autocommit=True, **{**_CONNECT, **options})


class AdvisoryLock:
    """Leadership over a database: an advisory lock that lives as long as its connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection: psycopg.Connection[Any] | None = connection

    @classmethod
    def take(cls, url: URL) -> AdvisoryLock | None:
        """The lock, or None when another session holds it. Raises `StoreUnavailable`."""
        try:
            connection = _lone_connection(url)
        except psycopg.Error as failure:
            raise StoreUnavailable(f"the database can't be reached: {failure}") from failure
        row = connection.execute(f"SELECT pg_try_advisory_lock({_LEADING_LOCK})").fetchone()
        if row is None or not row[0]:
            connection.close()
            return None
        return cls(connection)

    def alive(self) -> bool:
        """Whether the lock is still ours: asks the server, for a connection can break."""
        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def release(self) -> None:
        """Let somebody else lead. May be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Listener:
    """A thread that calls back when another process has committed, and after every reconnection (one may be missed)."""

    def __init__(self, url: URL, own_pids: set[int], callback: Callable[[], None]) -> None:
        self._url = url
        self._own_pids = own_pids
        self._callback = callback
        self._near, self._far = socket.socketpair()
        self._stopping = threading.Event()
        self.listening = threading.Event()
        """Set while the server knows that we listen."""
        self._thread = threading.Thread(target=self._loop, name="store-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        self._stopping.set()
        self._far.send(b"!")
        self._thread.join()
        self._near.close()
        self._far.close()

    def _loop(self) -> None:
        pause_s = 0.1
        while not self._stopping.is_set():
            try:
                with _lone_connection(self._url) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self.listening.set()
                    pause_s = 0.1
                    self._callback()
                    self._attend(connection)
            except (psycopg.Error, DBAPIError, OSError):
                _log.warning("listening to the database failed, trying again", exc_info=True)
                self.listening.clear()
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, 5.0)

    def _attend(self, connection: psycopg.Connection[Any]) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._near, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select()
                if self._stopping.is_set():
                    return
                news = list(connection.notifies(timeout=0))
                if any(notification.pid not in self._own_pids for notification in news):
                    self._callback()
