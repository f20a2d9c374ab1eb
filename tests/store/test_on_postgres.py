"""What only PostgreSQL does: notifications between processes, lost connections, deadlocks, taking turns."""

from __future__ import annotations

import queue
import threading

import psycopg
import pytest

from store import book, inbox, on_postgres
from store.database import open_database
from store.errors import StoreUnavailable
from store.rows import Message


def say(kind):
    return lambda connection: inbox.append(connection, [Message(1, kind, {})])


def told(database):
    with database.read() as connection:
        return [row.kind for row in inbox.read(connection, 1_000)]


@pytest.fixture
def other(postgres_url):
    database = open_database(postgres_url)
    yield database
    database.close()


@pytest.fixture
def outsider(postgres_url):
    """Somebody with a psql of their own."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def pids(outsider, condition="true"):
    rows = outsider.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        f"AND {condition}"
    )
    return [pid for (pid,) in rows]


def heard_by(outsider):
    """All notifications up to one of their own: they come in the order of the commits."""
    outsider.execute(f"NOTIFY {on_postgres.CHANNEL}, 'the end'")
    heard = []
    for notification in outsider.notifies(timeout=30):
        heard.append(notification.payload)
        if heard[-1] == "the end":
            break
    return heard


def listening(database):
    """A queue that gets one element for each call; the listener is ready when this returns."""
    calls: queue.Queue[str] = queue.Queue()
    database.listen(lambda: calls.put(threading.current_thread().name))
    assert database._listener.listening.wait(30)
    assert calls.get(timeout=30) == "store-listener", "once at the start: something may have been missed before"
    return calls


def test_the_commits_of_others_are_heard(postgres_database, other):
    calls = listening(postgres_database)
    other.writer.run(say("x"))
    assert calls.get(timeout=30) == "store-listener"
    assert told(postgres_database) == ["x"]


def test_own_commits_are_heard_once(postgres_database):
    calls = listening(postgres_database)
    postgres_database.writer.run(say("x"))
    assert calls.get(timeout=30) == threading.current_thread().name, "whoever wrote tells of it"
    with pytest.raises(queue.Empty):
        calls.get(timeout=0.3)


def test_a_batch_notifies_once(postgres_database, outsider):
    outsider.execute(f"LISTEN {on_postgres.CHANNEL}")
    postgres_database.writer._budget_s = 60
    entered, go_on = threading.Event(), threading.Event()
    first = postgres_database.writer.submit(lambda c: entered.set() or go_on.wait(30))
    entered.wait(30)
    futures = [postgres_database.writer.submit(say(str(n))) for n in range(20)]
    go_on.set()
    first.result(30)
    [future.result(30) for future in futures]
    assert heard_by(outsider) == ["", "", "the end"]


def test_a_unit_that_is_taken_back_notifies_nobody(postgres_database, outsider):
    outsider.execute(f"LISTEN {on_postgres.CHANNEL}")
    with pytest.raises(ZeroDivisionError):
        postgres_database.writer.run(lambda c: 1 / 0)
    assert heard_by(outsider) == ["the end"]


def test_listening_goes_on_after_a_lost_connection(postgres_database, other, outsider):
    calls = listening(postgres_database)
    postgres_database._listener.listening.clear()
    (pid,) = pids(outsider, "query LIKE 'LISTEN%'")
    outsider.execute("SELECT pg_terminate_backend(%s)", (pid,))
    assert postgres_database._listener.listening.wait(30)
    assert calls.get(timeout=30) == "store-listener"
    other.writer.run(say("x"))
    assert calls.get(timeout=30) == "store-listener"


def test_an_idle_connection_that_was_lost_is_replaced_unnoticed(postgres_database, outsider):
    postgres_database.writer.run(say("a"))
    assert told(postgres_database) == ["a"]
    for pid in pids(outsider):
        outsider.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    postgres_database.writer.run(say("b"))
    assert told(postgres_database) == ["a", "b"]


def test_a_connection_lost_in_the_middle_takes_the_unit_back(postgres_database, outsider):
    def unit(connection):
        say("x")(connection)
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        outsider.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
        say("y")(connection)

    with pytest.raises(StoreUnavailable):
        postgres_database.writer.run(unit)
    postgres_database.writer.run(say("z"))
    assert told(postgres_database) == ["z"]


def test_a_deadlock_with_an_outsider_is_tried_again(postgres_database, outsider, postgres_url):
    postgres_database.writer.run(lambda c: c.exec_driver_sql("INSERT INTO meta VALUES ('a', '0'), ('b', '0')"))
    runs, both_hold_one = [], threading.Barrier(2, timeout=30)

    def unit(connection):
        runs.append(1)
        connection.exec_driver_sql("SET LOCAL deadlock_timeout = '1ms'")
        connection.exec_driver_sql("UPDATE meta SET value = '1' WHERE key = 'a'")
        if len(runs) == 1:
            both_hold_one.wait()
            while not outsider.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
                """until the rival waits for us"""
        connection.exec_driver_sql("UPDATE meta SET value = '1' WHERE key = 'b'")

    future = postgres_database.writer.submit(unit)
    with psycopg.connect(postgres_url) as rival:
        rival.execute("SET deadlock_timeout = '60s'")  # so that it is the writer's transaction that is ended
        rival.execute("UPDATE meta SET value = '2' WHERE key = 'b'")
        both_hold_one.wait()
        rival.execute("UPDATE meta SET value = '2' WHERE key = 'a'")
        rival.commit()
    future.result(30)
    assert len(runs) >= 2
    assert outsider.execute("SELECT value FROM meta ORDER BY key").fetchall() == [("1",), ("1",)]


def test_a_turn_that_never_comes(postgres_database, postgres_url, monkeypatch):
    monkeypatch.setitem(on_postgres._WRITING, "options", "-c lock_timeout=50ms")
    impatient = open_database(postgres_url)
    entered, go_on = threading.Event(), threading.Event()
    hog = postgres_database.writer.submit(lambda c: entered.set() or go_on.wait(30))
    entered.wait(30)
    with pytest.raises(StoreUnavailable, match="lock timeout"):
        impatient.writer.run(say("x"))
    go_on.set()
    hog.result(30)
    impatient.writer.run(say("y"))
    assert told(postgres_database) == ["y"]
    impatient.close()


def test_whoever_loads_a_book_to_change_it_is_alone(postgres_database, outsider):
    head = "SELECT size FROM ledger_head FOR UPDATE NOWAIT"

    def unit(connection):
        book.load_book(connection)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            outsider.execute(head)

    postgres_database.writer.run(unit)
    with postgres_database.read() as connection:
        book.load_book(connection)
        assert outsider.execute(head).fetchall() == [(0,)]


def test_leadership_is_lost_with_its_connection(postgres_database, other, outsider):
    leadership = postgres_database.lead()
    assert leadership.alive()
    (pid,) = pids(outsider, "query LIKE '%%advisory_lock%%' OR query = 'SELECT 1'")
    outsider.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    assert not leadership.alive()
    successor = other.lead()
    assert successor is not None
    leadership.release()
    assert successor.alive()
    successor.release()
