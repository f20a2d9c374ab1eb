"""Group commit on both databases: what is answered is durable, what fails takes back only itself."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from store import identity, inbox, jobs
from store.database import open_database
from store.errors import Duplicate, StoreUnavailable
from store.rows import JobChange, Message, ProjectRow
from store.writer import after_commit


def say(kind):
    return lambda connection: inbox.append(connection, [Message(1, kind, {})])


def told(database):
    with database.read() as connection:
        return [row.kind for row in inbox.read(connection, 1_000)]


@pytest.fixture
def held_up(database):
    """Hold the writer in a unit until told, so that what is submitted meanwhile shares one transaction."""
    entered, go_on = threading.Event(), threading.Event()

    def wait(connection):
        entered.set()
        assert go_on.wait(30)

    future = database.writer.submit(wait)
    assert entered.wait(30)
    yield go_on
    go_on.set()
    future.result(30)


def test_a_unit_returns_its_value_once_it_is_durable(database, database_url):
    assert database.writer.run(lambda c: say("a")(c) or 42) == 42
    other = open_database(database_url)
    assert told(other) == ["a"]
    other.close()


def test_a_failing_unit_takes_back_only_itself(database, held_up):
    def broken(connection):
        say("broken")(connection)
        raise LookupError("no such thing")

    def duplicate(connection):
        say("duplicate")(connection)
        identity.insert_project(connection, ProjectRow("acme", "Acme", 1, 1))
        identity.insert_project(connection, ProjectRow("acme", "Acme", 1, 1))

    def nonsense(connection):
        say("nonsense")(connection)
        connection.execute(text("SELECT * FROM nowhere"))

    units = [say("first"), broken, say("second"), duplicate, nonsense, say("third")]
    futures = [database.writer.submit(unit) for unit in units]
    held_up.set()
    failures = [future.exception(30) for future in futures]
    assert [type(failure) for failure in failures[:4]] == [type(None), LookupError, type(None), Duplicate]
    assert "nowhere" in str(failures[4])
    assert failures[5] is None
    assert told(database) == ["first", "second", "third"]


def test_a_unit_alone_that_fails_leaves_nothing(database):
    def broken(connection):
        say("broken")(connection)
        raise LookupError("no such thing")

    with pytest.raises(LookupError):
        database.writer.run(broken)
    database.writer.run(say("next"))
    assert told(database) == ["next"]


def test_a_batch_in_which_all_fail_leaves_nothing(database, held_up):
    def broken(connection):
        say("broken")(connection)
        raise LookupError("no such thing")

    futures = [database.writer.submit(broken) for _ in range(3)]
    held_up.set()
    assert [type(future.exception(30)) for future in futures] == [LookupError] * 3
    assert told(database) == []


def test_units_run_in_the_order_of_their_submission(database, held_up):
    futures = [database.writer.submit(say(str(n))) for n in range(50)]
    held_up.set()
    for future in futures:
        future.result(30)
    assert told(database) == [str(n) for n in range(50)]


def test_one_unit_sees_what_the_ones_before_it_wrote(database, held_up):
    futures = [database.writer.submit(lambda c: say("x")(c) or len(inbox.read(c, 10))) for _ in range(3)]
    held_up.set()
    assert [future.result(30) for future in futures] == [1, 2, 3]


def test_a_cancelled_unit_never_runs(database, held_up):
    futures = [database.writer.submit(say(kind)) for kind in ("a", "b", "c")]
    assert futures[1].cancel()
    held_up.set()
    futures[2].result(30)
    assert told(database) == ["a", "c"]


def defer_checks(connection):
    """A table whose foreign key is checked at the commit only, and a row that breaks it."""
    connection.execute(
        text("CREATE TABLE IF NOT EXISTS orphans (id TEXT REFERENCES projects (id) DEFERRABLE INITIALLY DEFERRED)")
    )
    connection.execute(text("INSERT INTO orphans VALUES ('nobody')"))


def test_a_failing_commit_fails_everybody_in_it(database, held_up):
    futures = [database.writer.submit(unit) for unit in (say("a"), defer_checks, say("b"))]
    held_up.set()
    assert [type(future.exception(30)) for future in futures] == [IntegrityError] * 3
    assert told(database) == []
    database.writer.run(say("later"))
    assert told(database) == ["later"]


def test_acts_after_the_commit(database, held_up):
    done = []

    def good(connection):
        after_commit(connection, lambda: done.append("good"))
        after_commit(connection, lambda: 1 / 0)
        after_commit(connection, lambda: done.append("even after a broken one"))

    def bad(connection):
        after_commit(connection, lambda: done.append("bad"))
        raise LookupError

    futures = [database.writer.submit(unit) for unit in (bad, good, bad, say("x"))]
    held_up.set()
    futures[3].result(30)
    database.writer.run(say("y"))
    assert done == ["good", "even after a broken one"]


def test_acts_of_a_failed_commit_are_never_done(database):
    done = []

    def unit(connection):
        after_commit(connection, lambda: done.append("never"))
        defer_checks(connection)

    with pytest.raises(IntegrityError):
        database.writer.run(unit)
    database.writer.run(say("x"))
    database.writer.run(say("y"))
    assert done == []


def test_listeners_hear_of_commits_and_only_of_commits(database):
    heard = []
    database.listen(lambda: heard.append(told(database)))
    heard.clear()
    with pytest.raises(LookupError):
        database.writer.run(lambda c: {}["x"])
    database.writer.run(say("a"))
    database.writer.run(say("b"))
    database.writer.close()
    assert next(kinds for kinds in heard if kinds) == ["a"]
    assert ["a", "b"] in heard  # perhaps not as the last: a listener that has just connected looks by itself


def test_closing_carries_out_what_waits(database, held_up):
    futures = [database.writer.submit(say(kind)) for kind in ("a", "b")]
    closing = threading.Thread(target=database.writer.close)
    closing.start()
    held_up.set()
    closing.join(30)
    assert [future.exception(0) for future in futures] == [None, None]
    with pytest.raises(StoreUnavailable, match="the store is closed"):
        database.writer.submit(say("c"))
    assert told(database) == ["a", "b"]
    database.writer.close()


def test_many_threads_at_once(town):
    """Every thread moves a job of its own and all add to one: nothing is lost, every version is there."""
    rows = [town.job(f"job-{n}") for n in range(8)] + [town.job("shared")]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    failures = []

    def work(number):
        try:
            for step in range(20):
                changes = [
                    JobChange(f"job-{number}", step, "running", str(step)),
                    JobChange("shared", step, "running", ""),
                ]
                town.database.writer.run(lambda c, changes=changes: jobs.advance(c, changes))
                with town.database.read() as connection:
                    assert jobs.versions_of(connection, [f"job-{number}"]) == {f"job-{number}": (step + 2, "running")}
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with town.database.read() as connection:
        assert [row.version for row in jobs.history_of(connection, "shared")] == list(range(1, 162))
        seqs = [row.seq for row in jobs.history_since(connection, 0, None, 1_000)]
        assert seqs == sorted(set(seqs))


def test_two_writers_of_one_database_take_turns(town, database_url):
    """As two processes of the service do: no deadlock, no lost update, and the history in order of the commits."""
    other = open_database(database_url)
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job("a"), town.job("b")]))
    failures, written = [], threading.Semaphore(0)

    def work(database, order):
        try:
            for step in range(25):
                changes = [JobChange(name, step, "running", "") for name in order]
                database.writer.run(lambda c, changes=changes: jobs.advance(c, changes))
                written.release()
        except BaseException as failure:
            failures.append(failure)

    seen, stop = [], threading.Event()

    def watch():
        last = 0
        while written.acquire() and not stop.is_set():
            with town.database.read() as connection:
                for row in jobs.history_since(connection, last, None, 1_000):
                    seen.append(row.seq)
                    last = row.seq

    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=work, args=pair) for pair in ((town.database, "ab"), (other, "ba"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    written.release()
    watcher.join()
    other.close()
    assert failures == []
    with town.database.read() as connection:
        assert jobs.versions_of(connection, ["a", "b"]) == {"a": (51, "running"), "b": (51, "running")}
        assert {row.seq for row in jobs.history_since(connection, 0, None, 1_000)} >= set(seen)
        missed = [row.seq for row in jobs.history_since(connection, 0, None, 1_000) if row.seq not in seen]
        assert missed == [seq for seq in missed if seq > max(seen)]
