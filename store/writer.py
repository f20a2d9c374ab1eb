"""The group-commit writer: one thread that gathers waiting units of work into one transaction and commits them at once.

An fsync is the dearest thing a write does, so everybody who waits shares one. Units run in the order of their
submission, each in a savepoint of its own when several share a transaction: one that raises takes back only itself.
A future resolves after the commit, never before.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from store.errors import OutcomeUnknown, RunAgain, StoreUnavailable, translate

T = TypeVar("T")
Unit = Callable[[Connection], T]

_log = logging.getLogger(__name__)


_AFTER = "after_commit"


def after_commit(connection: Connection, act: Callable[[], None]) -> None:
    """Have `act` done once what the running unit has written is durable, and never if it is taken back.

    It runs on the writer's thread, so it must be quick; should the process die first, it is never done.
    """
    acts: list[Callable[[], None]] = connection.info.setdefault(_AFTER, [])
    acts.append(act)


@dataclass(slots=True)
class _Waiting:
    unit: Unit[Any]
    future: Future[Any]


@dataclass(slots=True)
class _Outcome:
    value: Any = None
    error: BaseException | None = None
    acts: list[Callable[[], None]] = field(default_factory=list)


class Writer:
    """Runs units on the one writing connection of this process. Use from any thread."""

    def __init__(
        self,
        engine: Engine,
        committed: Callable[[], None],
        *,
        budget_s: float = 0.05,
        tries: int = 6,
    ) -> None:
        """`committed` is called on the writer's thread after each commit. A transaction takes no further units once it
        is older than `budget_s`. After `tries` deadlocks in a row the units fail.
        """
        self._engine = engine
        self._committed = committed
        self._budget_s = budget_s
        self._tries = tries
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._postponed: deque[_Waiting] = deque()
        self._connection: Connection | None = None
        self._gate = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Queue a unit: a function that reads and writes through the connection it is given and returns any value.

        The future carries that value once it is durable, or what the unit raised, or `StoreUnavailable`. On PostgreSQL
        a unit may run again after a deadlock, and on both databases it may run and still be taken back: it must change
        nothing but the database. It must not commit or roll back.
        """
        future: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
                self._thread.start()
            self._queue.put(_Waiting(unit, future))
        return future

    def run(self, unit: Unit[T]) -> T:
        """Submit a unit and wait until it is durable. Raises what the unit raised, or `StoreUnavailable`."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("the writer's own thread would wait for itself")
        return self.submit(unit).result()

    def close(self) -> None:
        """Carry out what waits, then stop. Later units are refused. May be called twice."""
        with self._gate:
            thread = self._thread
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        if thread is not None:
            thread.join()

    def _loop(self) -> None:
        stopping = False
        while not stopping or self._postponed:
            batch, stopping = self._gather(stopping)
            if batch:
                self._carry_out(batch)
        self._drop_connection()

    def _gather(self, stopping: bool) -> tuple[list[_Waiting], bool]:
        """All that waits now; sleeps until there is something."""
        batch = list(self._postponed)
        self._postponed.clear()
        block = not batch
        while not stopping:
            try:
                waiting = self._queue.get(block=block)
            except queue.Empty:
                break
            if waiting is None:
                stopping = True
            elif waiting.future.set_running_or_notify_cancel():
                batch.append(waiting)
                block = False
        return batch, stopping

    def _carry_out(self, batch: list[_Waiting]) -> None:
        error: BaseException = StoreUnavailable(f"deadlocked {self._tries} times in a row")
        for attempt in range(self._tries):
            try:
                outcomes = self._transact(batch)
            except RunAgain:
                time.sleep(0.002 * 2**attempt)
                continue
            except BaseException as failure:  # whoever waits must hear of it, and the thread must live
                error = failure
                break
            self._answer(batch, outcomes)
            return
        for waiting in batch:
            waiting.future.set_exception(error)

    def _answer(self, batch: list[_Waiting], outcomes: list[_Outcome]) -> None:
        for waiting, outcome in zip(batch, outcomes, strict=False):
            if outcome.error is not None:
                waiting.future.set_exception(outcome.error)
            else:
                waiting.future.set_result(outcome.value)
        self._postponed.extend(batch[len(outcomes) :])
        written = [outcome for outcome in outcomes if outcome.error is None]
        acts = [act for outcome in written for act in outcome.acts]
        for act in [*acts, self._committed] if written else []:
            try:
                act()
            except Exception:
                _log.exception("what was to be done after a commit failed")

    def _transact(self, batch: list[_Waiting]) -> list[_Outcome]:
        """One transaction; returns the outcomes of the first units of the batch, as many as the budget allowed."""
        connection: Connection | None = None
        outcomes: list[_Outcome] = []
        committing = False
        try:
            connection = self._begin()
            if len(batch) == 1:
                outcomes.append(_alone(connection, batch[0].unit))
            else:
                until_s = time.monotonic() + self._budget_s
                for waiting in batch:
                    outcomes.append(_saved(connection, waiting.unit))
                    if time.monotonic() > until_s:
                        break
            if all(outcome.error is not None for outcome in outcomes):
                connection.rollback()
            else:
                committing = True
                _commit(connection)
        except BaseException as failure:
            if connection is not None:
                self._recover(connection, committing)
            trouble = translate(failure)
            if trouble is failure:
                raise
            raise trouble from failure
        return outcomes

    def _begin(self) -> Connection:
        """Open a transaction; on a new connection if the old one turns out to be lost, since no unit has run yet."""
        if self._connection is not None:
            try:
                self._connection.begin()
                return self._connection
            except BaseException:
                lost = self._connection.invalidated
                self._drop_connection()  # half begun, it is of no use any more
                if not lost:
                    raise
        self._connection = self._engine.connect()
        try:
            self._connection.begin()
        except BaseException:
            self._drop_connection()
            raise
        return self._connection

    def _recover(self, connection: Connection, committing: bool) -> None:
        """Leave nothing of a failed transaction behind.

        After a failed commit the driver may still be inside the transaction while SQLAlchemy takes it for ended; then,
        and when the rollback fails too, we start over with a new connection.
        """
        try:
            connection.rollback()
        except Exception:
            self._drop_connection()
            return
        if committing or connection.invalidated:
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.invalidate()
            connection.close()
        except Exception:  # it is given up anyway
            _log.debug("closing the writing connection failed", exc_info=True)


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except DBAPIError as failure:
        trouble = translate(failure)
        # A full disk surely wrote nothing. A lost connection or a failed fsync may have.
        unsure = isinstance(trouble, StoreUnavailable) and "SQLITE_FULL" not in str(trouble)
        if unsure:
            raise OutcomeUnknown(str(trouble)) from failure
        raise


def _alone(connection: Connection, unit: Unit[Any]) -> _Outcome:
    """The only unit of a transaction needs no savepoint: the transaction is its own."""
    try:
        return _run(connection, unit)
    except BaseException as failure:
        return _failed(failure)


def _run(connection: Connection, unit: Unit[Any]) -> _Outcome:
    connection.info.pop(_AFTER, None)
    value = unit(connection)
    return _Outcome(value=value, acts=connection.info.pop(_AFTER, []))


def _saved(connection: Connection, unit: Unit[Any]) -> _Outcome:
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        outcome = _run(connection, unit)
    except BaseException as failure:
        outcome = _failed(failure)
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
    connection.exec_driver_sql("RELEASE SAVEPOINT unit")
    return outcome


def _failed(failure: BaseException) -> _Outcome:
    """The outcome of a unit that raised. When the database itself is in trouble, everybody is: that goes on upwards."""
    trouble = translate(failure)
    if trouble is failure:
        return _Outcome(error=failure)
    if isinstance(trouble, StoreUnavailable | RunAgain):
        raise trouble from failure
    trouble.__cause__ = failure
    return _Outcome(error=trouble)
