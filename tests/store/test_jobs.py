"""How jobs are read and written: few statements for many jobs, always by an index. (What they mean: conformance.)"""

from __future__ import annotations

import pytest

from store import attempts, jobs
from store.rows import JobChange, JobFilter


@pytest.fixture
def statements(sqlite_town):
    """Run a function of a connection in a unit; the statements that reached SQLite, without their transaction."""

    def run(act):
        seen = []

        def unit(connection):
            connection.connection.dbapi_connection.set_trace_callback(seen.append)
            act(connection)
            connection.connection.dbapi_connection.set_trace_callback(None)

        sqlite_town.database.writer.run(unit)
        return seen

    return run


@pytest.fixture
def plans(sqlite_database):
    """How SQLite would find the rows of every SELECT that a function runs."""

    def explain(act):
        seen, plans = [], []
        with sqlite_database.read() as connection:
            driver = connection.connection.dbapi_connection
            driver.set_trace_callback(seen.append)
            act(connection)
            driver.set_trace_callback(None)
            for statement in seen:
                plans += [row[3] for row in driver.execute("EXPLAIN QUERY PLAN " + statement)]
        return " / ".join(plans)

    return explain


def test_a_thousand_jobs_take_as_many_statements_as_two(sqlite_town, statements):
    """Executemany shows every row to the trace, but each only once: one INSERT for the job and one for its history."""
    rows = [sqlite_town.job(f"job-{n}") for n in range(100)]
    written = statements(lambda c: jobs.insert_jobs(c, rows))
    assert len(written) == 200
    changes = [JobChange(row.id, 5, "running", "") for row in rows]
    assert len(statements(lambda c: jobs.advance(c, changes))) == 200


@pytest.mark.parametrize(
    ("act", "index"),
    [
        (lambda c: jobs.find_idempotent(c, "acme", ["k"]), "jobs_by_key (project_id=? AND idempotency_key=?)"),
        (lambda c: jobs.get_job(c, "x", None), "sqlite_autoindex_jobs_1 (id=?)"),
        (lambda c: jobs.get_jobs(c, ["x"]), "sqlite_autoindex_jobs_1 (id=?)"),
        (lambda c: jobs.versions_of(c, ["x"]), "sqlite_autoindex_jobs_1 (id=?)"),
        (jobs.open_jobs, "USING INDEX jobs_open"),
        (jobs.backlog_us, "jobs_open (state=?)"),
        (lambda c: jobs.count_by_state(c, "acme"), "COVERING INDEX jobs_by_state (project_id=?)"),
        (lambda c: jobs.history_of(c, "x"), "history_by_job (job_id=?)"),
        (lambda c: jobs.history_since(c, 5, None, 10), "INTEGER PRIMARY KEY (rowid>?)"),
        (lambda c: jobs.history_since(c, 5, "acme", 10), "history_by_project (project_id=? AND seq>?)"),
        (lambda c: attempts.of_open_jobs(c), "attempts_by_job (job_id=?) / LIST SUBQUERY 1 / SCAN jobs USING"),
    ],
)
def test_jobs_are_found_by_an_index(plans, act, index):
    plan = plans(act)
    assert index in plan
    assert "SCAN jobs" not in plan.replace("SCAN jobs USING INDEX jobs_open", "")


@pytest.mark.parametrize(
    "chosen",
    [
        JobFilter(),
        JobFilter(project_id="acme"),
        JobFilter(project_id="acme", tag="a"),
        JobFilter(project_id="acme", states=("failed",)),
        JobFilter(project_id="acme", since_us=5, until_us=10),
        JobFilter(states=("queued",), backend="aer"),
    ],
)
def test_a_page_is_read_in_order_and_never_sorted(plans, chosen):
    cursor = "WzUsICJ4Il0"
    plan = plans(lambda c: jobs.list_jobs(c, chosen, cursor, 50))
    assert "USING INDEX jobs_by_" in plan
    assert "TEMP B-TREE" not in plan
