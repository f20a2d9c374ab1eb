"""A new scheduler takes over from the one before."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.decisions import FinishJob, MarkRunning, RequeueTask, RevokeLease, StartAttempt
from scheduler.events import AttemptRestored, JobSubmitted, ProjectWeightSet, TaskSpec, UsageRestored
from scheduler.invariants import BrokenInvariant, check

NOW_US = 1_700_000_000_000_000


def restored(
    at_us: int = NOW_US, token: int = 9, started: bool = True, failures: tuple[Any, ...] = ()
) -> AttemptRestored:
    return AttemptRestored(at_us, "a/0.3", "a/0", token, "w", "aer", NOW_US + 500, started, failures)


def test_a_lease_that_was_out_goes_on_and_its_report_counts(story: Any) -> None:
    story.submit(NOW_US, "a")
    assert story.tell(restored())[-1].at_us == NOW_US + 500
    story.tokens["a/0.3"] = 9
    assert story.starts(NOW_US + 1) == []
    assert story.succeeded(NOW_US + 2, "a/0.3", used_us=5) == (FinishJob("a", "succeeded", "a/0.3", None, "", 5),)


def test_a_lease_whose_worker_does_not_come_back_ends_and_the_count_goes_on(story: Any) -> None:
    story.submit(NOW_US, "a")
    story.tell(restored(failures=("lost", "lost")))
    story.join(NOW_US, "v")
    assert story.plan(NOW_US + 500)[:2] == (
        RevokeLease("a/0.3", 9, "w", "lease expired"),
        FinishJob("a", "failed", "a/0.3", "lost", "lease expired: no sign of life from worker w", 0),
    )


def test_the_worker_that_comes_back_keeps_what_it_holds(story: Any) -> None:
    story.submit(NOW_US, "a")
    story.submit(NOW_US, "b")
    story.tell(restored())
    story.join(NOW_US + 1, slots=1)
    assert story.starts(NOW_US + 600) == []
    story.tokens["a/0.3"] = 9
    story.succeeded(NOW_US + 601, "a/0.3")
    start = story.plan(NOW_US + 602)[0]
    assert isinstance(start, StartAttempt)
    assert (start.attempt_id, start.token) == ("b/0.1", 10)


def test_the_next_attempt_has_the_next_number(story: Any) -> None:
    story.submit(NOW_US, "a")
    story.tell(restored(started=False))
    story.join(NOW_US)
    story.tokens["a/0.3"] = 9
    assert story.started(NOW_US, "a/0.3")[0] == MarkRunning("a", "a/0.3")
    assert story.stopped(NOW_US, "a/0.3")[0] == RequeueTask("a/0", "a", NOW_US, "stopped by the worker")
    assert story.starts(NOW_US) == ["a/0.4"]


def test_a_task_that_waits_again_after_a_restart_goes_on_counting(story: Any) -> None:
    spec = TaskSpec("a/0", ("aer",), 1_000_000, 1_000_000, attempts_made=2, failures=("lost", "crash"))
    story.tell(JobSubmitted(NOW_US, "a", "p", 0, (spec,)))
    story.join(NOW_US)
    assert story.starts(NOW_US) == ["a/0.3"]
    story.started(NOW_US, "a/0.3")
    assert story.failed(NOW_US, "a/0.3", "crash")[0] == FinishJob("a", "failed", "a/0.3", "crash", "because", 0)


def test_failures_told_with_the_job_and_with_its_lease_count_once(story: Any) -> None:
    spec = TaskSpec("a/0", ("aer",), 1_000_000, 1_000_000, attempts_made=2, failures=("lost",))
    story.tell(JobSubmitted(NOW_US, "a", "p", 0, (spec,)))
    story.tell(restored(failures=("lost",)))
    story.tokens["a/0.3"] = 9
    assert story.failed(NOW_US + 1, "a/0.3", "lost")[0] == RequeueTask("a/0", "a", NOW_US + 1, "because")


def test_a_lease_of_a_job_that_has_ended_is_revoked(story: Any) -> None:
    assert story.tell(restored()) == (RevokeLease("a/0.3", 9, "w", "its job has ended"),)
    assert story.state.next_token == 10


def test_a_lease_restored_twice_is_restored_once_and_a_second_lease_is_revoked(story: Any) -> None:
    story.submit(NOW_US, "a")
    story.tell(restored())
    assert story.tell(restored()) == ()
    other = AttemptRestored(NOW_US, "a/0.2", "a/0", 5, "v", "aer", NOW_US + 500, True, ())
    assert story.tell(other) == (RevokeLease("a/0.2", 5, "v", "another attempt holds the task"),)


def test_usage_comes_back_as_it_was_given(story: Any) -> None:
    story.tell(UsageRestored(NOW_US - 10**10, "p", 123_456))
    story.join(NOW_US)
    assert story.state.usage_of("p") == (123_456, NOW_US - 10**10)
    assert story.state.usage_of("nobody") == (0, NOW_US)


def test_the_estimate_in_the_saved_usage_is_not_charged_twice(story: Any) -> None:
    story.tell(UsageRestored(NOW_US, "p", 1_000_000))
    story.submit(NOW_US, "a")
    story.tell(restored())
    assert story.state.usage_of("p")[0] == 1_000_000
    story.tokens["a/0.3"] = 9
    story.succeeded(NOW_US, "a/0.3", used_us=77)
    assert story.state.usage_of("p")[0] == 77


def test_a_weight_below_one_is_a_bug(story: Any) -> None:
    with pytest.raises(ValueError, match="a weight is at least 1, not 0"):
        story.tell(ProjectWeightSet(0, "p", 0))


def test_a_new_weight_counts_at_once_for_those_that_wait(story: Any) -> None:
    story.tell(UsageRestored(0, "a", 1_000))
    story.tell(UsageRestored(0, "b", 1_500))
    story.submit(0, "x", project_id="a")
    story.submit(0, "y", project_id="b")
    story.tell(ProjectWeightSet(0, "b", 200))
    story.join(0)
    assert story.starts(0) == ["y/0.1"]


def test_the_check_would_notice_a_restored_attempt_filed_wrongly(story: Any) -> None:
    story.submit(NOW_US, "a")
    story.tell(restored())
    story.state.attempts["a/0.3"].token = 99
    with pytest.raises(BrokenInvariant):
        check(story.state)
