"""Workers join, are seen, are lost, and join again, on both databases."""

from __future__ import annotations

from dataclasses import replace

from store import workers
from store.rows import WorkerRow

FIRST = WorkerRow("w1", "host-a", 4_000_000_000, 2, 4, ("aer", "aer-mps"), "up", 10, 10)


def listed(database):
    with database.read() as connection:
        return workers.list_workers(connection)


def test_a_worker_joins_and_joins_again(database):
    database.writer.run(lambda c: workers.upsert_worker(c, FIRST))
    database.writer.run(lambda c: workers.upsert_worker(c, replace(FIRST, id="w0")))
    assert listed(database) == [replace(FIRST, id="w0"), FIRST]
    again = WorkerRow("w1", "host-b", 7, 1, 0, (), "up", 50, 51)
    database.writer.run(lambda c: workers.upsert_worker(c, again))
    assert listed(database)[1] == again


def test_a_heartbeat_moves_time_forward_only(database):
    database.writer.run(lambda c: workers.upsert_worker(c, FIRST))
    assert database.writer.run(lambda c: workers.seen(c, "w1", 30)) is True
    assert database.writer.run(lambda c: workers.seen(c, "w1", 20)) is True
    assert listed(database) == [replace(FIRST, seen_us=30)]


def test_a_lost_worker_has_to_join_again(database):
    database.writer.run(lambda c: workers.upsert_worker(c, FIRST))
    database.writer.run(lambda c: workers.mark_lost(c, "w1"))
    assert database.writer.run(lambda c: workers.seen(c, "w1", 30)) is False
    assert listed(database) == [replace(FIRST, state="lost")]
    database.writer.run(lambda c: workers.upsert_worker(c, replace(FIRST, joined_us=40, seen_us=40)))
    assert database.writer.run(lambda c: workers.seen(c, "w1", 50)) is True


def test_an_unknown_worker(database):
    assert database.writer.run(lambda c: workers.seen(c, "nobody", 30)) is False
    database.writer.run(lambda c: workers.mark_lost(c, "nobody"))
    assert listed(database) == []
