"""The inbox is read from its beginning and emptied by key. (What it means: conformance.)"""

from __future__ import annotations

import pytest

from store import inbox
from store.rows import Message


def test_a_body_that_json_can_not_say_is_refused_before_anything_is_written(database):
    with pytest.raises(TypeError):
        database.writer.run(lambda c: inbox.append(c, [Message(1, "a", {}), Message(1, "b", {"x": object()})]))
    with database.read() as connection:
        assert inbox.read(connection, 9) == []


def test_reading_takes_what_it_needs_and_no_more(sqlite_database):
    seen = []
    with sqlite_database.read() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_trace_callback(seen.append)
        inbox.read(connection, 5)
        driver.set_trace_callback(None)
        plan = [row[3] for row in driver.execute("EXPLAIN QUERY PLAN " + seen[0])]
    assert plan == ["SCAN inbox"], "in the order of the key, without sorting"


def test_many_are_deleted_at_once(database):
    database.writer.run(lambda c: inbox.append(c, [Message(n, "a", {}) for n in range(3_000)]))
    with database.read() as connection:
        seqs = [row.seq for row in inbox.read(connection, 3_000)]
    database.writer.run(lambda c: inbox.delete(c, seqs[:-1]))
    with database.read() as connection:
        assert [row.at_us for row in inbox.read(connection, 9)] == [2_999]
