"""What a caller may read, and what does not exist for them."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model import Refusal
from store.errors import BadCursor
from store.rows import JobFilter

RESULT = b'{"v":1,"pubs":[]}'


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def test_another_projects_job_is_not_there(led: Any) -> None:
    ann, bob = led.startup("acme"), led.startup("zeta")
    job = led.run(ann)
    for reader in (ann, led.member(ann.project_id, "member"), led.operator, led.auditor):
        assert led.room.job(reader, job.id) == job
        assert [row.state for row in led.room.history(reader, job.id)] == ["queued", "running", "succeeded"]
        assert len(led.room.attempts(reader, job.id)) == 1
        assert led.room.result(reader, job.id) == RESULT
        told = led.room.receipt(reader, job.id)
        assert [entry["columns"]["kind"] for entry in told.pop("proof")["entries"]] == ["hold", "settle"]
        assert told == job.receipt
        assert led.room.jobs(reader, JobFilter(), None, 10)[0] == [job]
        assert len(led.room.history_since(reader, 0, 10)) == 3
    for job_id in (job.id, "job-nowhere"):
        assert led.room.job(bob, job_id) is None
        assert led.room.history(bob, job_id) == []
        assert led.room.attempts(bob, job_id) == []
        assert refusal(led.room.result(bob, job_id)) == Refusal(
            "not_found", f"There is no job {job_id}.", {"job_id": job_id}
        )
        assert refusal(led.room.receipt(bob, job_id)).code == "not_found"
    assert led.room.jobs(bob, JobFilter(), None, 10) == ([], None)
    assert led.room.history_since(bob, 0, 10) == []


def test_a_filter_cannot_reach_into_another_project(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    job, bobs = zone.submit(ann), zone.submit(bob)
    assert zone.room.jobs(ann, JobFilter(project_id=bob.project_id), None, 10)[0] == [job]
    assert zone.room.jobs(zone.auditor, JobFilter(project_id=bob.project_id), None, 10)[0] == [bobs]
    assert zone.room.jobs(zone.operator, JobFilter(), None, 10)[0] == [bobs, job]


def test_pages_go_on_where_the_last_one_ended(zone: Any) -> None:
    ann = zone.startup()
    jobs = [zone.submit(ann) for _ in range(5)]
    zone.submit(zone.startup("zeta"))
    seen, cursor = [], None
    while True:
        page, cursor = zone.room.jobs(ann, JobFilter(), cursor, 2)
        seen += page
        if cursor is None:
            break
    assert seen == jobs[::-1]
    with pytest.raises(BadCursor):
        zone.room.jobs(ann, JobFilter(), "nonsense", 2)


def test_a_result_before_the_end_and_one_that_never_comes(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    answer = refusal(led.room.result(ann, job.id))
    assert (answer.code, answer.fields) == ("job_not_finished", {"state": "queued"})
    assert refusal(led.room.receipt(ann, job.id)).code == "job_not_finished"
    (order,) = led.turn()
    led.started(order)
    led.turn()
    assert refusal(led.room.result(ann, job.id)).fields == {"state": "running"}
    led.room.cancel(ann, job.id)
    answer = refusal(led.room.result(ann, job.id))
    assert (answer.code, answer.fields) == ("job_not_finished", {"state": "cancelling"})
    led.stopped(order)
    led.turn()
    answer = refusal(led.room.result(ann, job.id))
    assert (answer.code, answer.detail) == ("job_has_no_result", f"Job {job.id} has no result: it was cancelled.")
    assert led.room.receipt(ann, job.id)["charged"] == 0


def test_a_failed_job_tells_its_problem_in_place_of_a_result(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (order,) = led.turn()
    led.failed(order, "memory")
    led.turn()
    answer = refusal(led.room.result(ann, job.id))
    assert (answer.code, answer.detail) == ("job_has_no_result", f"Job {job.id} failed: it was a memory")
    assert answer.fields["problem"]["code"] == "memory_limit_reached"


def test_a_large_result_is_read_from_its_file(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (order,) = led.turn()
    content = b"x" * 100_000
    led.succeeded(order, result=content)
    led.turn()
    assert led.room.result(ann, job.id) == content
    assert (led.job(job).result_size, led.rows()["blobs"]) == (100_000, 2)


def test_history_goes_on_after_what_was_seen(led: Any) -> None:
    ann, bob = led.startup("acme"), led.startup("zeta")
    job = led.run(ann)
    first = led.room.history_since(ann, 0, 2)
    assert [row.state for row in first] == ["queued", "running"]
    other = led.submit(bob)
    rest = led.room.history_since(ann, first[-1].seq, 10)
    assert [(row.job_id, row.state) for row in rest] == [(job.id, "succeeded")]
    assert led.room.history_since(led.operator, rest[-1].seq, 10)[0].job_id == other.id
    assert led.room.history_end() == led.room.history_since(led.operator, 0, 100)[-1].seq
