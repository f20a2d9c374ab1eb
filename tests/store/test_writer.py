"""The writer in trouble: disks that fill up, locks that never come, commits that fail, connections that break."""

from __future__ import annotations

import resource
import threading
from concurrent.futures import Future

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from store import inbox, on_sqlite
from store.database import Database, open_database
from store.errors import Duplicate, OutcomeUnknown, StoreUnavailable
from store.rows import Message
from store.writer import Writer, notes


def say(kind, size=0):
    return lambda connection: inbox.append(connection, [Message(1, kind, {"ballast": "x" * size})])


def told(database):
    with database.read() as connection:
        return [row.kind for row in inbox.read(connection, 1_000)]


def together(database: Database, *units) -> list[Future]:
    """Have the units share one transaction: they arrive while the writer is busy."""
    entered, go_on = threading.Event(), threading.Event()

    def wait(connection):
        entered.set()
        go_on.wait(30)

    first = database.writer.submit(wait)
    entered.wait(30)
    futures = [database.writer.submit(unit) for unit in units]
    go_on.set()
    first.result(30)
    return futures


def test_a_full_disk_writes_nothing_by_halves(sqlite_database):
    pages = sqlite_database.writer.run(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
    sqlite_database.writer.run(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}"))
    sqlite_database.writer.run(say("before"))

    def two_steps(connection):
        say("half")(connection)
        say("too much", 100_000)(connection)

    with pytest.raises(StoreUnavailable, match="SQLITE_FULL"):
        sqlite_database.writer.run(two_steps)
    futures = together(sqlite_database, say("neighbour"), two_steps, say("other neighbour"))
    assert [type(future.exception(30)) for future in futures] == [StoreUnavailable] * 3
    assert told(sqlite_database) == ["before"]
    sqlite_database.writer.run(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1_000}"))
    sqlite_database.writer.run(two_steps)
    assert told(sqlite_database) == ["before", "half", "too much"]
    with sqlite_database.read() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"


def test_a_file_that_can_not_grow_writes_nothing_by_halves(sqlite_database):
    """The operating system refuses in the middle of the commit, when SQLite writes its log."""
    sqlite_database.writer.run(say("before"))
    log_size = sqlite_database.path.with_name("qubator.sqlite-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log_size + 20_000, hard))
    try:
        futures = together(sqlite_database, say("a", 30_000), say("b"))
        assert [type(future.exception(30)) for future in futures] == [OutcomeUnknown] * 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert told(sqlite_database) == ["before"]
    sqlite_database.writer.run(say("after", 30_000))
    assert told(sqlite_database) == ["before", "after"]


def test_a_lock_that_never_comes(sqlite_database, sqlite_url, monkeypatch):
    monkeypatch.setattr(on_sqlite, "_BUSY_TIMEOUT_MS", 30)
    entered, go_on = threading.Event(), threading.Event()
    other = open_database(sqlite_url)
    hog = other.writer.submit(lambda c: entered.set() or go_on.wait(30))
    entered.wait(30)
    with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
        sqlite_database.writer.run(say("x"))
    go_on.set()
    hog.result(30)
    sqlite_database.writer.run(say("y"))
    assert told(sqlite_database) == ["y"]
    other.close()


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "qubator.sqlite"
    path.write_text("Dear diary, " * 1_000)
    database = open_database(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="not a database"):
        database.writer.run(say("x"))
    database.close()


def test_deadlocks_are_tried_again_and_again_but_not_for_ever(sqlite_database):
    runs = []

    def unlucky(times):
        def unit(connection):
            runs.append(len(runs))
            say(f"run {len(runs)}")(connection)
            if len(runs) <= times:
                raise OperationalError("SELECT", {}, DeadlockDetected("deadlock detected"))

        return unit

    sqlite_database.writer.run(unlucky(2))
    assert told(sqlite_database) == ["run 3"]
    runs.clear()
    with pytest.raises(StoreUnavailable, match="deadlocked 6 times in a row"):
        sqlite_database.writer.run(unlucky(99))
    assert len(runs) == 6
    assert told(sqlite_database) == ["run 3"]


def test_a_long_batch_is_committed_in_parts(sqlite_database):
    """Otherwise the first to come would wait for the work of all others."""
    commits = []
    sqlite_database.writer._committed = lambda: commits.append(told(sqlite_database))
    sqlite_database.writer._budget_s = 0.0
    for future in together(sqlite_database, *(say(str(n)) for n in range(4))):
        future.result(30)
    sqlite_database.writer.close()
    assert commits == [[], ["0"], ["0", "1"], ["0", "1", "2"], ["0", "1", "2", "3"]]


def test_the_writers_thread_must_not_wait_for_itself(sqlite_database):
    def unit(connection):
        sqlite_database.writer.run(say("x"))

    with pytest.raises(RuntimeError, match="would wait for itself"):
        sqlite_database.writer.run(unit)
    assert told(sqlite_database) == []


def test_a_broken_listener_harms_nobody(sqlite_database, caplog):
    sqlite_database.listen(lambda: 1 / 0)
    sqlite_database.writer.run(say("a"))
    sqlite_database.writer.run(say("b"))
    assert told(sqlite_database) == ["a", "b"]
    assert "ZeroDivisionError" in caplog.text


def test_even_an_exit_is_only_the_units(sqlite_database):
    def leave(connection):
        say("x")(connection)
        raise SystemExit

    with pytest.raises(SystemExit):
        sqlite_database.writer.run(leave)
    sqlite_database.writer.run(say("y"))
    assert told(sqlite_database) == ["y"]


def test_a_unit_alone_needs_no_savepoint(sqlite_database):
    """Its transaction is its own: two statements less for everybody who comes one by one."""
    seen = []

    def spy(connection):
        connection.connection.dbapi_connection.set_trace_callback(seen.append)

    sqlite_database.writer.run(spy)
    sqlite_database.writer.run(say("alone"))
    assert [statement.split(" ")[0] for statement in seen if "COMMIT" not in statement] == ["BEGIN", "INSERT"]
    futures = together(sqlite_database, say("a"), say("b"))
    [future.result(30) for future in futures]
    assert [statement for statement in seen if "SAVEPOINT" in statement] == [
        "SAVEPOINT unit",
        "RELEASE SAVEPOINT unit",
    ] * 2


def test_a_unit_that_finds_the_turn_free_runs_where_it_was_asked_for(sqlite_database):
    ran = []
    sqlite_database.writer.run(lambda conn: ran.append(threading.current_thread().name))
    sqlite_database.writer.submit(lambda conn: ran.append(threading.current_thread().name)).result(30)
    assert ran == [threading.current_thread().name, "store-writer"]


def test_what_came_meanwhile_is_left_to_the_writers_own_thread(sqlite_database):
    """Whoever has the turn does its own unit, and not the work of others for ever."""
    ran, waiting = [], []

    def first(conn):
        ran.append(threading.current_thread().name)
        waiting.append(sqlite_database.writer.submit(lambda conn: ran.append(threading.current_thread().name)))

    sqlite_database.writer.run(first)
    waiting[0].result(30)
    assert ran == [threading.current_thread().name, "store-writer"]


def test_the_turn_is_free_again_whatever_a_unit_raised(sqlite_database):
    for wrong in (ValueError, KeyboardInterrupt):
        with pytest.raises(wrong):
            sqlite_database.writer.run(lambda conn, wrong=wrong: (_ for _ in ()).throw(wrong()))
        sqlite_database.writer.run(say("next"))
    sqlite_database.writer.close()
    assert told(sqlite_database) == ["next", "next"]


def test_notes_of_a_unit_are_forgotten_with_it(sqlite_database):
    found = []

    def unit(conn):
        found.append(dict(notes(conn)))
        notes(conn)["seen"] = True

    def failing(conn):
        unit(conn)
        raise ValueError

    sqlite_database.writer.run(unit)
    with pytest.raises(ValueError):
        sqlite_database.writer.run(failing)
    sqlite_database.writer.run(unit)
    assert found == [{}, {}, {}]


def test_closing_a_writer_that_never_wrote(sqlite_database):
    writer = Writer(sqlite_database._writing, lambda: None)
    writer.close()
    with pytest.raises(StoreUnavailable):
        writer.submit(say("x"))


def test_the_cause_of_a_translated_failure_is_kept(sqlite_database):
    def twice(connection):
        connection.execute(text("INSERT INTO meta VALUES ('k', '1')"))
        connection.execute(text("INSERT INTO meta VALUES ('k', '1')"))

    with pytest.raises(Duplicate, match=r"meta\.key") as caught:
        sqlite_database.writer.run(twice)
    assert "UNIQUE" in str(caught.value.__cause__)
