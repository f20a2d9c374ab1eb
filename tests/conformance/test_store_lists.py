"""Pages of jobs are the same on both databases, whatever the filter and whatever arrives meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import jobs, schema
from store.errors import BadCursor
from store.rows import JobFilter


def pages(town, chosen, limit):
    cursor, found = None, []
    with town.database.read() as connection:
        while True:
            page, cursor = jobs.list_jobs(connection, chosen, cursor, limit)
            found.append([job.id for job in page])
            if cursor is None:
                return found


def write(town, *rows):
    town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))


def test_newest_first_page_by_page(town):
    write(town, *(town.job(f"job-{n}", created_us=n // 2) for n in range(7)))
    assert pages(town, JobFilter(), 3) == [["job-6", "job-5", "job-4"], ["job-3", "job-2", "job-1"], ["job-0"]]
    assert pages(town, JobFilter(), 7) == [[f"job-{n}" for n in range(6, -1, -1)]]
    assert pages(town, JobFilter(project_id="zeta"), 3) == [[]]


def test_each_filter_finds_its_own(town):
    write(
        town,
        town.job("job-1", created_us=1),
        town.job("job-2", created_us=2, project_id="zeta", member_id="zeta-ann"),
        town.job("job-3", created_us=3, state="failed"),
        town.job("job-4", created_us=4, backend="aer-mps"),
        town.job("job-5", created_us=5, primitive="estimator"),
        town.job("job-6", created_us=6, tags=("blue", "sky")),
    )

    def found(**chosen):
        return [job_id for page in pages(town, JobFilter(**chosen), 10) for job_id in page]

    assert found(project_id="zeta") == ["job-2"]
    assert found(member_id="zeta-ann") == ["job-2"]
    assert found(states=("failed",)) == ["job-3"]
    assert found(states=("failed", "queued")) == [f"job-{n}" for n in (6, 5, 4, 3, 2, 1)]
    assert found(backend="aer-mps") == ["job-4"]
    assert found(primitive="estimator") == ["job-5"]
    assert found(tag="sky") == ["job-6"]
    assert found(since_us=3, until_us=5) == ["job-4", "job-3"]
    assert found(project_id="acme", states=("queued",), tag="blue", backend="aer") == ["job-6"]
    assert found(project_id="zeta", tag="blue") == []


@pytest.mark.parametrize("tag", ["a", 'a","b', "a%", "量", '"', ",", "[", "'; DROP TABLE jobs", "\\u0061"])
def test_a_tag_matches_itself_and_nothing_else(town, tag):
    write(town, town.job("job-1", tags=("x", tag)), town.job("job-2", tags=(tag + "b", "b" + tag, "")))
    assert pages(town, JobFilter(tag=tag), 10) == [["job-1"]]


def test_a_tag_with_nul_is_refused(town):
    with pytest.raises(ValueError, match="job-1: a tag contains the character NUL"):
        write(town, town.job("job-1", tags=("a", "b\0")))


def test_jobs_that_arrive_meanwhile_neither_repeat_nor_hide_others(town):
    write(town, *(town.job(f"job-{n}", created_us=n) for n in range(4)))
    with town.database.read() as connection:
        first, cursor = jobs.list_jobs(connection, JobFilter(), None, 2)
    write(town, town.job("job-9", created_us=9))
    with town.database.read() as connection:
        second, end = jobs.list_jobs(connection, JobFilter(), cursor, 2)
    assert [job.id for job in (*first, *second)] == ["job-3", "job-2", "job-1", "job-0"]
    assert end is None


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "bnVsbA", "WzEsMl0", "WyJhIiwiYiJd", "eyJhIjoxfQ", "é", "W10="])
def test_an_invented_cursor_is_refused(town, cursor):
    with town.database.read() as connection, pytest.raises(BadCursor):
        jobs.list_jobs(connection, JobFilter(), cursor, 2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(created_us=st.lists(st.integers(0, 3), max_size=12), limit=st.integers(1, 5))
def test_pages_together_are_the_whole_list(town, created_us, limit):
    def refill(connection):
        connection.execute(schema.history.delete())
        connection.execute(schema.jobs.delete())
        jobs.insert_jobs(connection, [town.job(f"job-{n:02}", created_us=us) for n, us in enumerate(created_us)])

    town.database.writer.run(refill)
    expected = sorted(((us, f"job-{n:02}") for n, us in enumerate(created_us)), reverse=True)
    found = pages(town, JobFilter(project_id="acme"), limit)
    assert [job_id for page in found for job_id in page] == [job_id for _, job_id in expected]
    assert all(len(page) == limit for page in found[:-1])
