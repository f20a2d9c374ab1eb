"""Jobs come in, and people change their minds."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.decisions import FinishJob, RevokeLease, WakeAt
from scheduler.events import JobSubmitted, TaskSpec


def test_the_same_job_told_twice_runs_once(story: Any) -> None:
    story.join(0, slots=4)
    story.submit(0, "a")
    story.submit(1, "a")
    assert story.starts(2) == ["a/0.1"]
    story.submit(3, "a")
    assert story.starts(4) == []


def test_a_queued_job_is_cancelled_at_once(story: Any) -> None:
    story.submit(0, "a")
    assert story.cancel(1, "a") == (FinishJob("a", "cancelled", None, None, "cancelled while queued", 0),)
    assert story.state.queued_count == 0
    assert story.cancel(2, "a") == ()


def test_a_job_that_backs_off_is_cancelled_at_once(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    story.failed(2, "a/0.1", "fault")
    assert story.cancel(3, "a") == (FinishJob("a", "cancelled", None, None, "cancelled while queued", 0),)
    assert story.starts(10_000_000) == []


def test_a_running_job_ends_when_its_worker_has_stopped_it(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    assert story.cancel(2, "a") == (RevokeLease("a/0.1", 1, "w", "cancelled"),)
    assert story.cancel(3, "a") == ()
    story.submit(3, "b")
    assert story.starts(4) == []
    assert story.stopped(5, "a/0.1", used_us=4) == (
        FinishJob("a", "cancelled", "a/0.1", None, "cancelled while running", 4),
    )
    assert story.starts(6) == ["b/0.1"]


def test_a_result_that_overtakes_the_cancel_does_not_count_but_its_use_does(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    story.cancel(2, "a")
    assert story.succeeded(3, "a/0.1", used_us=2) == (
        FinishJob("a", "cancelled", "a/0.1", None, "cancelled while running", 2),
    )
    assert story.stopped(4, "a/0.1") == ()


def test_a_cancelled_job_whose_stop_nobody_reports_ends_with_its_lease_in_spite_of_heartbeats(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    story.cancel(2, "a")
    story.seen(20_000_000)
    assert story.plan(29_999_999) == (WakeAt(30_000_000),)
    assert story.plan(30_000_000) == (
        RevokeLease("a/0.1", 1, "w", "lease expired"),
        FinishJob("a", "cancelled", "a/0.1", None, "cancelled while running", 0),
    )


def test_cancelling_a_job_nobody_knows_does_nothing(story: Any) -> None:
    assert story.cancel(0, "nobody") == ()


@pytest.mark.parametrize(
    "spec", [TaskSpec("a/0", ("aer",), 1, 1, 0), TaskSpec("a/0", ("aer",), -1, 1), TaskSpec("a/0", (), 1, 0)]
)
def test_a_task_with_impossible_numbers_is_a_bug(story: Any, spec: TaskSpec) -> None:
    with pytest.raises(ValueError, match="task a/0: needs"):
        story.tell(JobSubmitted(0, "a", "p", 0, (spec,)))
