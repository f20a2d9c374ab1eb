"""The group-commit writer: gathers waiting units of work into one transaction and commits them at once.

An fsync is the dearest thing a write does, so everybody who waits shares one. Units run in the order of their
submission, each in a savepoint of its own when several share a transaction: one that raises takes back only itself.
A future resolves after the commit, never before.

One thread at a time has the turn to write. Whoever finds it free takes it and carries out what waits: a unit alone
changes threads nowhere, which costs as much as its statements. What has come meanwhile is left to the writer's own
thread, so that nobody works for others for long.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from store.errors import OutcomeUnknown, RunAgain, StoreUnavailable, translate

T = TypeVar("T")
Unit = Callable[[Connection], T]

_log = logging.getLogger(__name__)


_NOTES = "notes of the running unit"


def notes(connection: Connection) -> dict[str, Any]:
    """What may be remembered while a unit runs on this connection; forgotten at its end, whichever way it ends."""
    found: dict[str, Any] = connection.info.setdefault(_NOTES, {})
    return found


_AFTER = "after_commit"


def after_commit(connection: Connection, act: Callable[[], None]) -> None:
    """Have `act` done once what the running unit has written is durable, and never if it is taken back.

    It runs before anybody else may write, so it must be quick; should the process die first, it is never done.
    """
    acts: list[Callable[[], None]] = notes(connection).setdefault(_AFTER, [])
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
        """`committed` is called after each commit, before the next unit runs. A transaction takes no further units once
        it is older than `budget_s`. After `tries` deadlocks in a row the units fail.
        """
        self._engine = engine
        self._committed = committed
        self._budget_s = budget_s
        self._tries = tries
        self._connection: Connection | None = None
        self._gate = threading.Lock()
        # Guarded by the gate:
        self._waiting: deque[_Waiting] = deque()
        self._taken = False
        """Whether somebody has the turn."""
        self._closed = False
        self._thread: threading.Thread | None = None
        self._handed_over = threading.Semaphore(0)
        self._free = threading.Condition(self._gate)
        self._writing_thread: int | None = None

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Queue a unit: a function that reads and writes through the connection it is given and returns any value.

        The future carries that value once it is durable, or what the unit raised, or `StoreUnavailable`. On PostgreSQL
        a unit may run again after a deadlock, and on both databases it may run and still be taken back: it must change
        nothing but the database. It must not commit or roll back.
        """
        future: Future[T] = Future()
        if self._enqueue(unit, future):
            self._hand_over()
        return future

    def run(self, unit: Unit[T]) -> T:
        """Submit a unit and wait until it is durable. Raises what the unit raised, or `StoreUnavailable`."""
        if threading.get_ident() == self._writing_thread:
            raise RuntimeError("who writes would wait for itself")
        if self._take_turn():
            # Nobody else waits: no future is needed to tell oneself what one has done.
            try:
                return cast(T, self._write_alone(unit))
            finally:
                if self._anybody_left():
                    self._hand_over()
        return self.submit(unit).result()

    def close(self) -> None:
        """Carry out what waits, then stop. Later units are refused. May be called twice."""
        with self._gate:
            self._closed = True
            while self._taken:
                self._free.wait()
            thread, self._thread = self._thread, None
        if thread is not None:
            self._handed_over.release()
            thread.join()
        self._drop_connection()

    def _take_turn(self) -> bool:
        """Take the turn if it is free: what waits is always somebody's turn already."""
        with self._gate:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            taken, self._taken = self._taken, True
        return not taken

    def _enqueue(self, unit: Unit[T], future: Future[T]) -> bool:
        """Let a unit wait; returns whether the turn was free: it is the caller's then, to use or to hand over."""
        with self._gate:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            self._waiting.append(_Waiting(unit, future))
            taken, self._taken = self._taken, True
        return not taken

    def _anybody_left(self) -> bool:
        """Whether units wait; if none does, the turn is free again."""
        with self._gate:
            if self._waiting:
                return True
            self._taken = False
            self._free.notify_all()
            return False

    def _hand_over(self) -> None:
        """Leave the turn to the writer's own thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
            self._thread.start()
        self._handed_over.release()

    def _loop(self) -> None:
        while True:
            self._handed_over.acquire()
            while self._anybody_left():
                self._write_once()
            if self._closed:
                return

    def _write_once(self) -> None:
        """Carry out all that waits now, as far as one transaction takes it."""
        with self._gate:
            gathered = list(self._waiting)
            self._waiting.clear()
        batch = [one for one in gathered if one.future.running() or one.future.set_running_or_notify_cancel()]
        if not batch:
            return
        self._writing_thread = threading.get_ident()
        try:
            self._carry_out(batch)
        finally:
            self._writing_thread = None

    def _write_alone(self, unit: Unit[Any]) -> Any:
        """Carry out one unit of this thread; returns or raises what it did."""
        self._writing_thread = threading.get_ident()
        try:
            (outcome,) = self._transact_until_done([unit])
            self._after([outcome])
        finally:
            self._writing_thread = None
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def _carry_out(self, batch: list[_Waiting]) -> None:
        try:
            outcomes = self._transact_until_done([waiting.unit for waiting in batch])
        except BaseException as failure:  # whoever waits must hear of it, and the thread must live
            for waiting in batch:
                waiting.future.set_exception(failure)
            return
        self._answer(batch, outcomes)

    def _transact_until_done(self, units: list[Unit[Any]]) -> list[_Outcome]:
        """One transaction, tried again after deadlocks."""
        for attempt in range(self._tries):
            try:
                return self._transact(units)
            except RunAgain:
                time.sleep(0.002 * 2**attempt)
        raise StoreUnavailable(f"deadlocked {self._tries} times in a row")

    def _answer(self, batch: list[_Waiting], outcomes: list[_Outcome]) -> None:
        for waiting, outcome in zip(batch, outcomes, strict=False):
            if outcome.error is not None:
                waiting.future.set_exception(outcome.error)
            else:
                waiting.future.set_result(outcome.value)
        with self._gate:
            self._waiting.extendleft(reversed(batch[len(outcomes) :]))
        self._after(outcomes)

    def _after(self, outcomes: list[_Outcome]) -> None:
        """What is to be done once a transaction is durable; nothing if all of it was taken back."""
        written = [outcome for outcome in outcomes if outcome.error is None]
        acts = [act for outcome in written for act in outcome.acts]
        for act in [*acts, self._committed] if written else []:
            try:
                act()
            except Exception:
                _log.exception("what was to be done after a commit failed")

    def _transact(self, units: list[Unit[Any]]) -> list[_Outcome]:
        """One transaction; returns the outcomes of the first units, as many as the budget allowed."""
        connection: Connection | None = None
        outcomes: list[_Outcome] = []
        committing = False
        try:
            connection = self._begin()
            if len(units) == 1:
                outcomes.append(_alone(connection, units[0]))
            else:
                until_s = time.monotonic() + self._budget_s
                for unit in units:
                    outcomes.append(_saved(connection, unit))
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
    kept = connection.info  # at hand even if the connection is lost
    kept.pop(_NOTES, None)
    try:
        value = unit(connection)
        return _Outcome(value=value, acts=kept.get(_NOTES, {}).get(_AFTER, []))
    finally:
        kept.pop(_NOTES, None)


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
