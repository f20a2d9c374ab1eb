"""Decisions as rows: what a cycle writes, and what it leaves for after the commit."""

from __future__ import annotations

from typing import Any

from dispatcher.carry_out import CarryOut, OpenJobs, begun, latest
from dispatcher.reports import Report
from scheduler.decisions import FinishJob, MarkRunning, RequeueTask, RevokeLease, StartAttempt, WakeAt
from store import attempts


def start(job_id: str, number: int = 1, token: int = 1, backend: str = "aer") -> StartAttempt:
    return StartAttempt(
        f"{job_id}/0.{number}", f"{job_id}/0", job_id, "acme", "local-1", backend, token, 99, 60_000_000
    )


def carried_out(zone: Any, memory: OpenJobs, decisions: list[Any], *reports: Report) -> CarryOut:
    work = CarryOut(zone.ground, memory, zone.clock.now_us(), latest(reports), begun(reports))
    work.take(decisions)
    zone.write(work.write)
    return work


def test_nothing_decided_is_nothing_to_write(zone: Any) -> None:
    work = CarryOut(zone.ground, OpenJobs(), 5, {})
    work.take([])
    assert work.idle
    work.take([WakeAt(9), WakeAt(7), WakeAt(8), RevokeLease("j/0.1", 1, "local-1", "no more")])
    assert work.idle, "to wake and to stop are effects, not rows"
    assert (work.effects.wake_at_us, [stop.token for stop in work.effects.stops]) == (7, [1])


def test_a_start_is_a_leased_attempt_and_an_effect(zone: Any) -> None:
    ann = zone.startup()
    job, memory = zone.submit(ann), OpenJobs()
    decision = start(job.id, number=3, token=17, backend="aer-mps")
    work = carried_out(zone, memory, [decision])
    (row,) = zone.room.attempts(ann, job.id)
    assert (row.id, row.number, row.token, row.state) == (f"{job.id}/0.3", 3, 17, "leased")
    assert (row.worker_id, row.backend, row.lease_until_us) == ("local-1", "aer-mps", 99)
    assert (row.leased_us, row.started_us, row.ended_us) == (zone.clock.now_us(), None, None)
    assert work.effects.starts == [decision]
    assert zone.job(job).version == 1, "a lease is no change of the job"


def test_running_says_when_and_where(zone: Any) -> None:
    ann = zone.startup()
    job, memory = zone.submit(ann), OpenJobs()
    carried_out(zone, memory, [start(job.id, backend="aer-mps")])
    at_us = zone.clock.now_us() - 400
    carried_out(zone, memory, [MarkRunning(job.id, f"{job.id}/0.1")], Report("started", at_us, f"{job.id}/0.1", 1))
    running = zone.job(job)
    assert (running.state, running.started_us, running.backend) == ("running", at_us, "aer-mps")
    assert zone.room.attempts(ann, job.id)[0].started_us == at_us


def test_a_second_attempt_says_so_and_keeps_the_first_start(zone: Any) -> None:
    ann = zone.startup()
    job, memory = zone.submit(ann), OpenJobs()
    attempt_1, attempt_2 = f"{job.id}/0.1", f"{job.id}/0.2"
    carried_out(zone, memory, [start(job.id), MarkRunning(job.id, attempt_1)])
    first_us = zone.job(job).started_us
    zone.clock.pass_(1)
    lost = Report("failed", 5, attempt_1, 1, failure="lost", reason="gone")
    carried_out(zone, memory, [RequeueTask(f"{job.id}/0", job.id, 9, "gone")], lost)
    zone.clock.pass_(1)
    carried_out(zone, memory, [start(job.id, 2, 2), MarkRunning(job.id, attempt_2)])
    history = zone.room.history(ann, job.id)
    assert [(row.state, row.reason) for row in history] == [
        ("queued", "submitted"),
        ("running", "started"),
        ("queued", "gone"),
        ("running", "started again as attempt 2"),
    ]
    assert [row.version for row in history] == [1, 2, 3, 4]
    assert zone.job(job).started_us == first_us
    states = [(row.state, row.failure) for row in zone.room.attempts(ann, job.id)]
    assert states == [("lost", {"kind": "lost", "code": "", "reason": "gone"}), ("running", None)]


def test_a_whole_life_decided_in_one_cycle_is_written_in_order(zone: Any) -> None:
    ann = zone.startup()
    job, memory = zone.submit(ann), OpenJobs()
    attempt = f"{job.id}/0.1"
    done = Report("succeeded", 5, attempt, 1, used_us=2_000, shots=1_000, result=b"{}")
    ended = FinishJob(job.id, "succeeded", attempt, None, "", 2_000)
    carried_out(zone, memory, [start(job.id), MarkRunning(job.id, attempt), ended], done)
    assert zone.story(job) == ["queued", "running", "succeeded"]
    assert memory == OpenJobs(), "nothing of an ended job is remembered"
    with zone.database.read() as conn:
        assert attempts.open_attempts(conn, None) == []
    assert zone.violations() == []


def test_a_requeue_without_an_attempt_changes_the_job_alone(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann)
    carried_out(zone, OpenJobs(), [RequeueTask(f"{job.id}/0", job.id, 9, "again")])
    assert (zone.story(job), zone.room.attempts(ann, job.id)) == (["queued", "queued"], [])


def test_the_first_final_report_decides() -> None:
    started, done = Report("started", 1, "j/0.1", 1), Report("succeeded", 2, "j/0.1", 1)
    late, other = Report("failed", 3, "j/0.1", 1, failure="lost"), Report("started", 1, "k/0.1", 2)
    assert latest([]) == {}
    assert latest([started, done, late, other]) == {"j/0.1": done, "k/0.1": other}
    assert latest([late, started, done]) == {"j/0.1": late}


def test_a_start_is_remembered_though_the_end_is_told_in_the_same_breath(zone: Any) -> None:
    ann = zone.startup()
    job, memory = zone.submit(ann), OpenJobs()
    attempt, now = f"{job.id}/0.1", zone.clock.now_us()
    started, done = Report("started", now - 900, attempt, 1), Report("succeeded", now - 100, attempt, 1, result=b"{}")
    assert begun([done, started]) == {attempt: now - 900}
    ended = FinishJob(job.id, "succeeded", attempt, None, "", 800)
    carried_out(zone, memory, [start(job.id), MarkRunning(job.id, attempt), ended], started, done)
    assert zone.job(job).started_us == now - 900
    assert zone.room.attempts(ann, job.id)[0].started_us == now - 900


def test_a_job_never_ends_before_its_report(zone: Any) -> None:
    """A report may come in after the cycle has read its clock."""
    ann = zone.startup()
    job, memory = zone.submit(ann), OpenJobs()
    attempt, now = f"{job.id}/0.1", zone.clock.now_us()
    started, done = Report("started", now + 100, attempt, 1), Report("succeeded", now + 900, attempt, 1, result=b"{}")
    ended = FinishJob(job.id, "succeeded", attempt, None, "", 800)
    carried_out(zone, memory, [start(job.id), MarkRunning(job.id, attempt), ended], started, done)
    assert (zone.job(job).started_us, zone.job(job).ended_us) == (now + 100, now + 900)
