"""Jobs mean the same on both databases: written once, changed step by step, found again."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from store import jobs
from store.errors import Duplicate
from store.rows import HistoryRow, JobChange

FULL = {
    "name": "Грове́р 量子",
    "tags": ("a", "β", 'quo"te'),
    "metadata": {"nested": {"list": [1, 2.5, None, True]}, "nul": "\x00"},
    "idempotency_key": "key-1",
    "max_cost": 9_000_000_000_000_000_000,
    "quote": {"expected": {"amount": 12}},
    "findings": {"circuits": []},
    "priority": -100,
}


def test_a_job_comes_back_as_it_was_written(town):
    job = town.job(**FULL)
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [job]))
    with town.database.read() as connection:
        assert jobs.get_job(connection, "job-1", "acme") == job
        assert jobs.get_job(connection, "job-1", None) == job
        assert jobs.history_of(connection, "job-1") == [
            HistoryRow(1, "job-1", "acme", 1_000, "queued", "submitted", 1),
        ]


def test_another_projects_job_does_not_exist(town):
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job()]))
    with town.database.read() as connection:
        assert jobs.get_job(connection, "job-1", "zeta") is None
        assert jobs.get_job(connection, "job-2", None) is None


def test_jobs_are_got_in_the_order_asked_for(town):
    rows = [town.job(f"job-{n}") for n in range(1, 6)]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    with town.database.read() as connection:
        found = jobs.get_jobs(connection, ["job-4", "job-9", "job-2", "job-4"])
        assert [job.id for job in found] == ["job-4", "job-2"]
        assert jobs.get_jobs(connection, []) == []


def test_a_life_is_told_by_its_history(town):
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job()]))
    steps = [
        JobChange("job-1", 2_000, "running", "started on w1", started_us=2_000, backend="aer-mps"),
        JobChange("job-1", 3_000, "cancelling", "asked", cancel_requested_us=3_000),
        JobChange(
            "job-1",
            4_000,
            "cancelled",
            "stopped",
            ended_us=4_000,
            result_hash="sha256:r",
            result_size=7,
            problem={"code": "x"},
            usage={"qpu_ms": 1},
            receipt={"amount": 3},
        ),
    ]
    for change in steps:
        town.database.writer.run(lambda c, change=change: jobs.advance(c, [change]))
    with town.database.read() as connection:
        assert jobs.get_job(connection, "job-1", None) == town.job(
            state="cancelled",
            version=4,
            backend="aer-mps",
            started_us=2_000,
            ended_us=4_000,
            cancel_requested_us=3_000,
            result_hash="sha256:r",
            result_size=7,
            problem={"code": "x"},
            usage={"qpu_ms": 1},
            receipt={"amount": 3},
        )
        told = [(row.version, row.at_us, row.state, row.reason) for row in jobs.history_of(connection, "job-1")]
        assert told == [
            (1, 1_000, "queued", "submitted"),
            (2, 2_000, "running", "started on w1"),
            (3, 3_000, "cancelling", "asked"),
            (4, 4_000, "cancelled", "stopped"),
        ]


def test_several_changes_of_one_job_keep_their_order(town):
    """One cycle of the dispatcher may start, end and settle a job."""
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job("job-1"), town.job("job-2")]))
    changes = [
        JobChange("job-1", 2_000, "running", "", started_us=2_000),
        JobChange("job-2", 2_000, "running", "", started_us=2_000),
        JobChange("job-1", 3_000, "succeeded", "", ended_us=3_000),
    ]
    town.database.writer.run(lambda c: jobs.advance(c, changes))
    with town.database.read() as connection:
        assert [(row.version, row.state) for row in jobs.history_of(connection, "job-1")] == [
            (1, "queued"),
            (2, "running"),
            (3, "succeeded"),
        ]
        assert jobs.versions_of(connection, ["job-1", "job-2", "job-3"]) == {
            "job-1": (3, "succeeded"),
            "job-2": (2, "running"),
        }


def test_changing_an_unknown_job_takes_the_whole_unit_back(town):
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job()]))
    changes = [JobChange("job-1", 2_000, "running", ""), JobChange("job-9", 2_000, "running", "")]
    with pytest.raises(LookupError, match="there are no such jobs: job-9"):
        town.database.writer.run(lambda c: jobs.advance(c, changes))
    with town.database.read() as connection:
        assert jobs.get_job(connection, "job-1", None) == town.job()
        assert len(jobs.history_of(connection, "job-1")) == 1


def test_nothing_to_do_is_fine(town):
    def unit(connection):
        jobs.insert_jobs(connection, [])
        jobs.advance(connection, [])

    town.database.writer.run(unit)
    with town.database.read() as connection:
        assert jobs.versions_of(connection, []) == {}
        assert jobs.find_idempotent(connection, "acme", []) == {}


def test_an_id_is_given_once(town):
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job()]))
    with pytest.raises(Duplicate):
        town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job("job-2"), town.job("job-1")]))
    with town.database.read() as connection:
        assert jobs.get_job(connection, "job-2", None) is None


def test_idempotency_keys_belong_to_their_project(town):
    mine = town.job("job-1", idempotency_key="k")
    theirs = town.job("job-2", idempotency_key="k", project_id="zeta", member_id="zeta-ann")
    keyless = [town.job("job-3"), town.job("job-4")]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [mine, theirs, *keyless]))
    with town.database.read() as connection:
        assert jobs.find_idempotent(connection, "acme", ["k", "other"]) == {"k": mine}
        assert jobs.find_idempotent(connection, "zeta", ["k"]) == {"k": theirs}
    with pytest.raises(Duplicate):
        town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job("job-5", idempotency_key="k")]))


def test_two_threads_with_one_key_make_one_job(town):
    """Find, then insert: safe without any lock of one's own, because writing units come one after the other."""
    barrier = threading.Barrier(8)
    answers = []

    def submit(number: int) -> None:
        job = town.job(f"job-{number}", idempotency_key="k")

        def unit(connection):
            known = jobs.find_idempotent(connection, "acme", ["k"])
            if "k" not in known:
                jobs.insert_jobs(connection, [job])
                return job.id
            return known["k"].id

        barrier.wait()
        answers.append(town.database.writer.run(unit))

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with town.database.read() as connection:
        assert jobs.count_by_state(connection, None) == {"queued": 1}
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_history_goes_on_from_the_last_row_seen(town):
    theirs = town.job("job-2", project_id="zeta", member_id="zeta-ann")
    town.database.writer.run(lambda c: jobs.insert_jobs(c, [town.job("job-1"), theirs]))
    town.database.writer.run(lambda c: jobs.advance(c, [JobChange("job-1", 2_000, "running", "")]))
    with town.database.read() as connection:
        all_rows = jobs.history_since(connection, 0, None, 10)
        assert [(row.job_id, row.version) for row in all_rows] == [("job-1", 1), ("job-2", 1), ("job-1", 2)]
        assert jobs.history_since(connection, 0, "acme", 10) == [all_rows[0], all_rows[2]]
        assert jobs.history_since(connection, all_rows[0].seq, None, 1) == [all_rows[1]]
        assert jobs.history_since(connection, all_rows[2].seq, None, 10) == []


def test_what_a_new_dispatcher_takes_over(town):
    rows = [
        town.job("job-b", created_us=2_000),
        town.job("job-a", created_us=2_000, state="running"),
        town.job("job-c", created_us=1_000, state="cancelling"),
        town.job("job-d", state="succeeded", ended_us=5_000),
    ]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    with town.database.read() as connection:
        assert [job.id for job in jobs.open_jobs(connection)] == ["job-c", "job-a", "job-b"]
        assert jobs.backlog_us(connection) == (1, 2_000)
        assert jobs.count_by_state(connection, "acme") == {
            "queued": 1,
            "running": 1,
            "cancelling": 1,
            "succeeded": 1,
        }
        assert jobs.count_by_state(connection, "zeta") == {}


def test_the_backlog_of_nothing_is_nothing(town):
    with town.database.read() as connection:
        assert jobs.backlog_us(connection) == (0, 0)


def test_many_jobs_at_once(town):
    rows = [town.job(f"job-{n:05}", idempotency_key=f"k{n}", created_us=n) for n in range(1_200)]
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    changes = [JobChange(job.id, 5_000, "running", "", started_us=5_000) for job in rows]
    town.database.writer.run(lambda c: jobs.advance(c, changes))
    with town.database.read() as connection:
        expected = [replace(job, state="running", version=2, started_us=5_000) for job in rows]
        assert jobs.get_jobs(connection, [job.id for job in rows]) == expected
        assert len(jobs.find_idempotent(connection, "acme", [f"k{n}" for n in range(2_000)])) == 1_200
