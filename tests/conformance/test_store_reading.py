"""Reading on both databases: a snapshot, many at once, and no way to write."""

from __future__ import annotations

import threading

import pytest

from store import inbox
from store.errors import ReadOnly
from store.rows import Message


def say(kind):
    return lambda connection: inbox.append(connection, [Message(1, kind, {})])


def test_a_block_sees_one_state_of_the_database(database):
    database.writer.run(say("before"))
    with database.read() as connection:
        before = inbox.read(connection, 10)
        database.writer.run(say("meanwhile"))
        assert inbox.read(connection, 10) == before
    with database.read() as connection:
        assert [row.kind for row in inbox.read(connection, 10)] == ["before", "meanwhile"]


def test_nothing_can_be_written_while_reading(database):
    with pytest.raises(ReadOnly, match="can only be read"), database.read() as connection:
        say("x")(connection)
    with database.read() as connection:
        assert inbox.read(connection, 10) == []


def test_an_error_in_the_block_is_its_own(database):
    with pytest.raises(ZeroDivisionError), database.read():
        raise ZeroDivisionError
    with database.read() as connection:
        assert inbox.read(connection, 10) == []


def test_many_read_at_once_while_one_writes(database):
    inside = threading.Barrier(9, timeout=30)
    counts = []

    def look():
        with database.read() as connection:
            inbox.read(connection, 10)
            inside.wait()
            inside.wait()
            counts.append(len(inbox.read(connection, 10)))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    inside.wait()
    database.writer.run(say("x"))
    inside.wait()
    for thread in threads:
        thread.join()
    assert counts == [0] * 8
