"""Attempts, leases and fencing tokens mean the same on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store import attempts, jobs
from store.errors import Duplicate
from store.rows import AttemptEnd, AttemptRow

FIRST = AttemptRow("job-1/0.1", "job-1", 1, 1, "w1", "aer", "leased", 1_000, None, None, 9_000)


def attempt(token, **changes):
    return replace(FIRST, id=f"job-{token}/0.1", job_id=f"job-{token}", token=token, **changes)


@pytest.fixture
def write(database):
    def run(*rows):
        database.writer.run(lambda c: attempts.insert_attempts(c, rows))

    return run


def test_a_life_of_an_attempt(database, write):
    write(FIRST)
    database.writer.run(lambda c: attempts.mark_started(c, [(FIRST.id, 2_000)]))
    with database.read() as connection:
        running = replace(FIRST, state="running", started_us=2_000)
        assert attempts.open_attempts(connection, None) == [running]
    failure = {"kind": "crash", "reason": "signal 9"}
    end = AttemptEnd(FIRST.id, "failed", 3_000, failure)
    database.writer.run(lambda c: attempts.close_attempts(c, [end]))
    with database.read() as connection:
        assert attempts.open_attempts(connection, None) == []
        ended = replace(running, state="failed", ended_us=3_000, failure=failure)
        assert attempts.attempts_of(connection, "job-1") == [ended]


def test_late_reports_change_nothing(database, write):
    write(FIRST)
    database.writer.run(lambda c: attempts.close_attempts(c, [AttemptEnd(FIRST.id, "lost", 3_000)]))
    database.writer.run(lambda c: attempts.mark_started(c, [(FIRST.id, 4_000)]))
    database.writer.run(lambda c: attempts.close_attempts(c, [AttemptEnd(FIRST.id, "succeeded", 5_000)]))
    database.writer.run(lambda c: attempts.renew(c, "w1", 20_000))
    with database.read() as connection:
        assert attempts.attempts_of(connection, "job-1") == [replace(FIRST, state="lost", ended_us=3_000)]


def test_a_heartbeat_renews_the_open_leases_of_its_worker(database, write):
    write(attempt(1), attempt(2, worker_id="w2"), attempt(3, lease_until_us=30_000))
    database.writer.run(lambda c: attempts.renew(c, "w1", 20_000))
    with database.read() as connection:
        leases = {row.token: row.lease_until_us for row in attempts.open_attempts(connection, None)}
        assert leases == {1: 20_000, 2: 9_000, 3: 30_000}


def test_a_worker_fetches_its_orders_once(database, write):
    write(attempt(1), attempt(2, worker_id="w2"), attempt(4), attempt(3))
    database.writer.run(lambda c: attempts.mark_started(c, [("job-3/0.1", 2_000)]))
    with database.read() as connection:
        assert [row.token for row in attempts.orders_for(connection, "w1", 0)] == [1, 4]
        assert [row.token for row in attempts.orders_for(connection, "w1", 1)] == [4]
        assert attempts.orders_for(connection, "w1", 4) == []
        assert [row.token for row in attempts.open_attempts(connection, "w1")] == [1, 3, 4]


def test_tokens_are_given_once_and_only_grow(database, write):
    with database.read() as connection:
        assert attempts.max_token(connection) == 0
    write(attempt(7), attempt(3))
    database.writer.run(lambda c: attempts.close_attempts(c, [AttemptEnd("job-7/0.1", "lost", 3_000)]))
    with database.read() as connection:
        assert attempts.max_token(connection) == 7
    with pytest.raises(Duplicate):
        write(attempt(7, worker_id="w9"))
    with pytest.raises(Duplicate):
        write(replace(attempt(8), token=3))


def test_a_restart_sees_every_attempt_at_every_open_job(town):
    rows = [
        attempt(1, state="lost", ended_us=2_000),
        replace(attempt(5), id="job-1/0.2", job_id="job-1", number=2),
        attempt(2),
        attempt(3, state="succeeded", ended_us=2_000),
    ]

    def unit(connection):
        jobs.insert_jobs(connection, [town.job("job-1"), town.job("job-2"), town.job("job-3", ended_us=2_000)])
        attempts.insert_attempts(connection, rows)

    town.database.writer.run(unit)
    with town.database.read() as connection:
        assert attempts.of_open_jobs(connection) == rows[:3]
