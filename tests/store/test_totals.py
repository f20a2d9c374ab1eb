"""Counts and sums over many rows, on both databases."""

from __future__ import annotations

from dataclasses import replace

from ledger.commands import PlaceHold, SettleHold, VoidHold
from store import inbox, jobs, totals, workers
from store.rows import JobChange, Message, WorkerRow
from store.totals import Settled


def test_counts_of_jobs(town):
    rows = [
        town.job("a"),
        town.job("b", backend="aer-mps"),
        town.job("c", project_id="zeta", member_id="zeta-ann"),
        town.job("d", state="running"),
        town.job("e", state="failed", ended_us=5),
    ]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    with town.database.read() as connection:
        assert totals.queued_of(connection, "acme") == 2
        assert totals.queued_of(connection, "nobody") == 0
        assert totals.queued_by_backend(connection) == {"aer": 2, "aer-mps": 1}
        assert totals.states_of_jobs(connection) == {row.id: row.state for row in rows}


def test_sums_of_money(town):
    town.grant("acme", 100, id="first", priority=1)
    town.grant("acme", 900, id="second", priority=2)
    town.grant("zeta", 500)
    for name, project, amount in (("a", "acme", 150), ("b", "acme", 50), ("c", "zeta", 10), ("d", "acme", 9)):
        town.post(PlaceHold(1, name, project, "CNY", amount), project_ids=[project])
    town.post(SettleHold(2, "a", 120), job_ids=["a"])
    town.post(SettleHold(2, "b", 70), job_ids=["b"])
    town.post(SettleHold(2, "c", 4), job_ids=["c"])
    town.post(VoidHold(2, "d"), job_ids=["d"])
    with town.database.read() as connection:
        assert totals.settled_by_grant(connection, "acme") == {"first": 100, "second": 70}
        assert totals.settled_of(connection, "acme") == Settled(charged=170, overrun=20)
        assert totals.settled_by_grant(connection, "zeta") == {"zeta-grant": 4}
        assert totals.settled_of(connection, "nobody") == Settled(0, 0)


def test_the_end_of_the_history(town):
    with town.database.read() as connection:
        assert totals.history_end(connection) == 0
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job("a"), town.job("b")]))
    with town.database.read() as connection:
        assert totals.history_end(connection) == jobs.history_since(connection, 0, None, 9)[-1].seq


def test_the_latest_instant_known(town):
    def last():
        with town.database.read() as connection:
            return totals.last_written_us(connection)

    assert last() == 0
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job("a", created_us=100)]))
    town.database.writer.run(lambda c: jobs.advance(c, [JobChange("a", 200, "running", "")]))
    assert last() == 200
    town.database.writer.run(lambda c: inbox.append(c, [Message(300, "x", {})]))
    assert last() == 300
    worker = WorkerRow("w", "h", 1, 1, 1, (), "up", 10, 400)
    town.database.writer.run(lambda c: workers.upsert_worker(c, worker))
    assert last() == 400
    town.database.writer.run(lambda c: workers.upsert_worker(c, replace(worker, seen_us=10)))
    assert last() == 300
