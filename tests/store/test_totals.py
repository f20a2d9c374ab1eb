"""Counts and sums over many rows, on both databases."""

from __future__ import annotations

from dataclasses import replace

from ledger.commands import ClawBack, CorrectJob, PlaceHold, SettleHold, TopUp, VoidHold
from ledger.model import Line
from ledger.terms import Budget, Claimant
from store import book, budgets, inbox, jobs, totals, workers
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
        town.hold(name, project, amount, 1)
    town.settle("a", 120, 2)
    town.settle("b", 70, 2)
    town.settle("c", 4, 2)
    town.post(VoidHold(2, "d"), job_ids=["d"])
    with town.database.read() as connection:
        assert totals.settled_by_grant(connection, "acme") == {"first": 100, "second": 70}
        assert totals.settled_of(connection, "acme") == Settled(charged=170, overrun=20)
        assert totals.settled_by_grant(connection, "zeta") == {"zeta-grant": 4}
        assert totals.settled_of(connection, "nobody") == Settled(0, 0)


def test_what_a_correction_gives_back_was_not_paid(town):
    town.grant("acme", 1_000)
    town.hold("a", "acme", 300)
    town.settle("a", 200)
    town.post(CorrectJob(30, "c1", "a", town.priced(120), "wrong usage"), job_ids=["a"])
    with town.database.read() as connection:
        assert totals.settled_by_grant(connection, "acme") == {"acme-grant": 120}
        assert totals.settled_of(connection, "acme") == Settled(charged=120, overrun=0)
        assert totals.spent_since(connection, "acme", "CNY", 0) == (120, 10)


def test_what_several_funders_paid_is_one_sum_per_grant(town):
    funders = (("state", 2), ("club", 1))
    town.programme("both", *funders)
    town.grant("acme", 100, programme_id="both", funders=funders)
    town.hold("a", "acme", 50)
    town.settle("a", 31)
    with town.database.read() as connection:
        assert totals.settled_by_grant(connection, "acme") == {"acme-grant": 31}
        earned = {key[0]: amount for key, amount in book.all_balances(connection).items() if "earned" in key[0]}
    assert earned == {"facility/earned/funder/state": 21, "facility/earned/funder/club": 10}


def test_open_holds_are_in_flight_or_committed(town):
    town.grant("acme", 1_000)
    town.grant("zeta", 2_000)
    rows = [
        town.job("waits"),
        town.job("runs", state="running"),
        town.job("stops", state="cancelling"),
        town.job("done", state="succeeded", ended_us=5),
        town.job("other", project_id="zeta", member_id="zeta-ann"),
    ]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    for number, row in enumerate(rows):
        town.hold(row.id, row.project_id, 10**number // 10 + 1)
    town.settle("done", 3)
    with town.database.read() as connection:
        assert totals.open_holds(connection, "acme", "CNY") == (2 + 11, 1)
        assert totals.open_holds(connection, "acme", "EUR") == (0, 0)
        assert totals.open_holds(connection, "zeta", "CNY") == (0, 1_001)
        assert totals.open_holds(connection, "nobody", "CNY") == (0, 0)


def test_all_that_is_claimed(town):
    town.grant("acme", 1_000)
    town.database.writer.run(lambda conn: budgets.put(conn, Budget("acme", "tag", "thesis", 500)))
    claimant = Claimant(year=2026, tags=("thesis",))
    town.post(town.holding("a", "acme", 300, claimant=claimant), project_ids=["acme"], year=2026)
    with town.database.read() as connection:
        assert totals.all_claimed(connection) == {"budget/acme/2026/tag/thesis": 300}


def test_states_of_holds(town):
    town.grant("acme", 1_000)
    town.hold("a", "acme", 300)
    town.hold("b", "acme", 40)
    town.settle("a", 350)
    with town.database.read() as connection:
        assert totals.states_of_holds(connection) == {"a": "settled", "b": "open"}


def test_holds_that_nobody_will_close(town):
    town.grant("acme", 1_000)
    rows = [
        town.job("waits"),
        town.job("ended", state="failed", ended_us=5),
        town.job("done", state="failed", ended_us=5),
    ]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    for name in ("waits", "ended", "done", "gone"):
        town.hold(name, "acme", 10)
    town.settle("done", 3)
    with town.database.read() as connection:
        assert totals.stale_holds(connection) == ["ended", "gone"]


def test_jobs_under_way_that_nothing_is_held_for(town):
    town.grant("acme", 1_000)
    rows = [town.job(name) for name in ("held", "closed", "bare")] + [town.job("ended", state="failed", ended_us=5)]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    for name in ("held", "closed"):
        town.hold(name, "acme", 10)
    town.settle("closed", 3)
    with town.database.read() as connection:
        assert totals.unfunded_jobs(connection) == ["bare", "closed"]


def test_what_was_pledged_to_a_programme(town):
    """Grants that were given out of it, and what was taken back from them, change nothing of that."""
    town.programme("both", ("state", 2), ("club", 1))
    town.grant("acme", 30, programme_id="both", funders=(("state", 2), ("club", 1)))
    town.grant("zeta", 500)
    town.post(ClawBack(9, "c", "acme-grant", 20, "unused"), grant_ids=["acme-grant"])
    with town.database.read() as connection:
        assert totals.pledged_to(connection, "both") == 30
        assert totals.pledged_to(connection, "seed") == 500
        assert totals.pledged_to(connection, "nobody") == 0


def test_the_pace_counts_what_grants_in_money_paid_and_nothing_else(town):
    """A month in which half was paid in milliseconds and some by the startup itself says less of the money left."""
    town.grant("acme", 1_000, id="money", resources=("shots",))
    town.grant("acme", 40, id="hours", asset="qpu_ms")
    town.post(TopUp(0, "t", "acme", "CNY", 500))
    lines = (Line("qpu_ms", 60, 3), Line("shots", 100, 1))
    for number, at_us in enumerate((100, 200)):
        name = f"job-{number}"
        town.post(PlaceHold(at_us, name, "acme", "CNY", lines), project_ids=["acme"])
        used = (Line("qpu_ms", 30 - 10 * number, 3), Line("shots", 70, 1))
        town.post(SettleHold(at_us + 50, name, used), job_ids=[name])
    with town.database.read() as connection:
        assert totals.settled_of(connection, "acme").charged == 30 * 3 + 70 + 20 * 3 + 70
        assert totals.spent_since(connection, "acme", "CNY", 0) == (140, 100)
        assert totals.spent_since(connection, "acme", "CNY", 250) == (70, 200), "the second ended at 250"
        assert totals.spent_since(connection, "acme", "CNY", 251) == (0, None)
        assert totals.spent_since(connection, "acme", "qpu_ms", 0) == (40, 100)
        assert totals.spent_since(connection, "zeta", "CNY", 0) == (0, None)


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
