"""Timers fire in plan rounds and nowhere else."""

from __future__ import annotations

from typing import Any

from scheduler.decisions import FinishJob, RequeueTask, RevokeLease, WakeAt


def test_a_lease_ends_at_its_moment_and_the_task_goes_elsewhere(story: Any) -> None:
    story.join(0, "w")
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    story.join(29_999_999, "v")
    assert story.plan(29_999_999) == (WakeAt(30_000_000),)
    revoke, requeue, start, wake = story.plan(30_000_000)
    assert revoke == RevokeLease("a/0.1", 1, "w", "lease expired")
    assert requeue == RequeueTask("a/0", "a", 30_000_000, "lease expired: no sign of life from worker w")
    assert (start.attempt_id, start.worker_id, start.token) == ("a/0.2", "v", 2)
    assert wake == WakeAt(60_000_000)


def test_a_lease_that_is_over_is_taken_back_in_a_plan_round_only(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    assert story.submit(40_000_000, "b") == ()
    assert story.state.running_count == 1


def test_an_attempt_beyond_its_time_limit_is_stopped_and_fails(story: Any) -> None:
    story.join(0)
    story.submit(0, "a", time_limit_us=5_000_000)
    story.plan(0)
    story.started(1_000_000, "a/0.1")
    assert story.plan(7_999_999) == (WakeAt(8_000_000),)
    assert RevokeLease("a/0.1", 1, "w", "time limit") in story.plan(8_000_000)
    assert not [d for d in story.plan(8_000_001) if isinstance(d, RevokeLease)]
    assert story.stopped(8_000_002, "a/0.1", used_us=7_000_000) == (
        FinishJob("a", "failed", "a/0.1", "timeout", "still running after its time limit of 5 s", 7_000_000),
    )


def test_an_attempt_beyond_its_time_limit_that_nobody_stops_fails_with_its_lease(story: Any) -> None:
    story.join(0)
    story.submit(0, "a", time_limit_us=5_000_000)
    story.plan(0)
    story.started(0, "a/0.1")
    story.plan(7_000_000)
    story.seen(20_000_000)
    assert story.plan(30_000_000) == (
        RevokeLease("a/0.1", 1, "w", "lease expired"),
        FinishJob("a", "failed", "a/0.1", "timeout", "still running after its time limit of 5 s", 0),
    )


def test_time_spent_waiting_on_the_worker_does_not_count_against_the_limit(story: Any) -> None:
    story.join(0, slots=1, pipeline=1)
    story.submit(0, "a", estimate_us=10, time_limit_us=1_000)
    story.submit(0, "b", estimate_us=10, time_limit_us=1_000)
    assert story.starts(0) == ["a/0.1", "b/0.1"]
    story.started(0, "a/0.1")
    revoked = [d.attempt_id for d in story.plan(10_000_000) if isinstance(d, RevokeLease)]
    assert revoked == ["a/0.1"]


def test_a_back_off_ends_in_the_round_that_was_asked_for(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    requeue, wake = story.failed(2, "a/0.1", "fault")
    assert requeue == RequeueTask("a/0", "a", 1_000_002, "because")
    assert wake == WakeAt(1_000_002)
    assert story.starts(1_000_002) == ["a/0.2"]


def test_timers_of_ended_attempts_are_swept_away(story: Any) -> None:
    story.join(0, slots=2)
    story.submit(0, "early")
    story.plan(0)
    for number in range(3_000):
        story.submit(number, f"j{number}")
        story.plan(number)
        story.succeeded(number, f"j{number}/0.1")
    assert len(story.state.leases) < 1_100


def test_a_cancelled_attempt_beyond_its_time_limit_is_still_a_cancelled_one(story: Any) -> None:
    story.join(0)
    story.submit(0, "a", time_limit_us=5_000_000)
    story.plan(0)
    story.started(0, "a/0.1")
    story.cancel(1_000_000, "a")
    assert not [d for d in story.plan(8_000_000) if isinstance(d, RevokeLease)]
    assert story.stopped(8_000_001, "a/0.1", used_us=5) == (
        FinishJob("a", "cancelled", "a/0.1", None, "cancelled while running", 5),
    )
