"""Attempts are found by an index, and only the open ones are looked at. (What they mean: conformance.)"""

from __future__ import annotations

import pytest
from sqlalchemy import text

from store import attempts


@pytest.mark.parametrize(
    ("act", "index"),
    [
        (lambda c: attempts.open_attempts(c, None), "USING INDEX attempts_open"),
        (lambda c: attempts.open_attempts(c, "w"), "attempts_open (worker_id=?)"),
        (lambda c: attempts.orders_for(c, "w", 5), "attempts_open (worker_id=? AND token>?)"),
        (lambda c: attempts.attempts_of(c, "j"), "attempts_by_job (job_id=?)"),
        (attempts.max_token, "attempts_by_token"),
    ],
)
def test_attempts_are_found_by_an_index(sqlite_database, act, index):
    seen = []
    with sqlite_database.read() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_trace_callback(seen.append)
        act(connection)
        driver.set_trace_callback(None)
        plan = " / ".join(row[3] for row in driver.execute("EXPLAIN QUERY PLAN " + seen[0]))
    assert index in plan


def test_a_heartbeat_looks_at_open_attempts_only(sqlite_database):
    def unit(connection):
        wanted = (
            "UPDATE attempts SET lease_until_us = 5 WHERE ended_us IS NULL AND worker_id = 'w' AND lease_until_us < 5"
        )
        return " / ".join(row[3] for row in connection.execute(text("EXPLAIN QUERY PLAN " + wanted)))

    assert "attempts_open (worker_id=?)" in sqlite_database.writer.run(unit)
