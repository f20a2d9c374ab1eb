"""Old news changes nothing."""

from __future__ import annotations

from typing import Any

from scheduler.decisions import FinishJob, MarkRunning
from scheduler.events import AttemptFailed, AttemptStarted, AttemptStopped, AttemptSucceeded


def test_reports_about_nothing_known_give_nothing(story: Any) -> None:
    assert story.tell(AttemptStarted(0, "a/0.1", 1)) == ()
    assert story.tell(AttemptSucceeded(0, "a/0.1", 1, 5)) == ()
    assert story.tell(AttemptFailed(0, "a/0.1", 1, "user", "no", 5)) == ()
    assert story.tell(AttemptStopped(0, "a/0.1", 1, 5)) == ()


def test_a_report_with_another_token_gives_nothing(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    assert story.tell(AttemptSucceeded(1, "a/0.1", 2, 5)) == ()
    assert story.succeeded(2, "a/0.1", used_us=5) == (FinishJob("a", "succeeded", "a/0.1", None, "", 5),)
    assert story.succeeded(3, "a/0.1", used_us=5) == ()


def test_a_job_is_marked_running_once_per_attempt(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    assert story.started(1, "a/0.1") == (MarkRunning("a", "a/0.1"),)
    assert story.started(2, "a/0.1") == ()
    story.lose(3)
    story.join(4)
    story.plan(4)
    assert story.started(5, "a/0.2") == (MarkRunning("a", "a/0.2"),)


def test_a_job_being_cancelled_is_not_marked_running(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.cancel(1, "a")
    assert story.started(2, "a/0.1") == ()


def test_a_result_after_its_lease_was_taken_back_does_not_count(story: Any) -> None:
    story.join(0, "silent")
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    story.join(30_000_000, "other")
    assert story.starts(30_000_000) == ["a/0.2"]
    assert story.succeeded(30_000_001, "a/0.1", used_us=7) == ()
    assert story.succeeded(30_000_002, "a/0.2", used_us=8) == (FinishJob("a", "succeeded", "a/0.2", None, "", 8),)


def test_a_late_result_counts_while_nobody_else_was_given_the_task(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    assert story.succeeded(99_000_000, "a/0.1", used_us=7) == (FinishJob("a", "succeeded", "a/0.1", None, "", 7),)


def test_a_result_without_a_start_counts(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    assert story.succeeded(5, "a/0.1", used_us=4) == (FinishJob("a", "succeeded", "a/0.1", None, "", 4),)
    assert story.started(6, "a/0.1") == ()
