"""What follows from the end of an attempt: the table of retries, told kind by kind."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.decisions import FinishJob, RequeueTask, RevokeLease
from scheduler.policy import Policy


@pytest.fixture
def running(story: Any) -> Any:
    """Job a runs on worker w since moment 10."""
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.started(10, "a/0.1")
    return story


@pytest.mark.parametrize("kind", ["user", "timeout", "memory"])
def test_what_another_try_would_not_mend_is_final(running: Any, kind: Any) -> None:
    assert running.failed(20, "a/0.1", kind, "see above", used_us=9) == (
        FinishJob("a", "failed", "a/0.1", kind, "see above", 9),
    )
    assert running.starts(21) == []


def test_a_crash_is_tried_once_more_and_at_once(running: Any) -> None:
    assert running.failed(20, "a/0.1", "crash", "signal 11") == (RequeueTask("a/0", "a", 20, "signal 11"),)
    assert running.starts(20) == ["a/0.2"]
    running.started(30, "a/0.2")
    assert running.failed(40, "a/0.2", "crash", "signal 11", used_us=7) == (
        FinishJob("a", "failed", "a/0.2", "crash", "signal 11", 7),
    )


def test_a_fault_is_tried_again_later_and_each_time_later_still(tell_story: Any) -> None:
    story = tell_story(Policy(backoff_us=1_000, backoff_max_us=3_000, max_faults=4))
    story.join(0)
    story.submit(0, "a")
    now_us, waits = 0, []
    for number in (1, 2, 3):
        assert story.starts(now_us) == [f"a/0.{number}"]
        story.started(now_us, f"a/0.{number}")
        requeue = next(d for d in story.failed(now_us, f"a/0.{number}", "fault") if isinstance(d, RequeueTask))
        assert story.starts(requeue.not_before_us - 1) == []
        waits.append(requeue.not_before_us - now_us)
        now_us = requeue.not_before_us
    assert waits == [1_000, 2_000, 3_000]
    assert story.starts(now_us) == ["a/0.4"]
    story.started(now_us, "a/0.4")
    assert story.failed(now_us, "a/0.4", "fault", "disk gone") == (
        FinishJob("a", "failed", "a/0.4", "fault", "disk gone", 0),
    )


def test_a_lost_attempt_waits_again_at_its_old_place(tell_story: Any) -> None:
    story = tell_story(Policy(max_losses=2))
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.started(1, "a/0.1")
    story.submit(2, "b")
    assert story.lose(3) == (RequeueTask("a/0", "a", 3, "worker lost: gone"),)
    story.join(4)
    assert story.starts(5) == ["a/0.2"]
    story.started(6, "a/0.2")
    assert story.lose(7) == (FinishJob("a", "failed", "a/0.2", "lost", "worker lost: gone", 0),)


def test_an_attempt_that_never_began_does_not_count(tell_story: Any) -> None:
    story = tell_story(Policy(max_losses=1, max_crashes=1, max_faults=1))
    story.submit(0, "a")
    for number, kind in enumerate(["lost", "crash", "fault"], start=1):
        story.join(number * 100_000_000)
        assert story.starts(number * 100_000_000) == [f"a/0.{number}"]
        (requeue, *_) = story.failed(number * 100_000_000, f"a/0.{number}", kind)
        assert isinstance(requeue, RequeueTask)


def test_but_no_task_comes_back_for_ever(tell_story: Any) -> None:
    story = tell_story(Policy(max_unstarted=3))
    story.submit(0, "a")
    for number in (1, 2):
        story.join(number)
        story.plan(number)
        assert story.lose(number) == (RequeueTask("a/0", "a", number, "worker lost: gone"),)
    story.join(3)
    story.plan(3)
    assert story.lose(3) == (FinishJob("a", "failed", "a/0.3", "lost", "worker lost: gone", 0),)


def test_an_attempt_stopped_by_its_worker_waits_again(running: Any) -> None:
    assert running.stopped(20, "a/0.1", used_us=5) == (RequeueTask("a/0", "a", 20, "stopped by the worker"),)
    assert running.starts(21) == ["a/0.2"]


@pytest.mark.parametrize("kind", ["lost", "crash", "fault"])
def test_what_dies_while_it_is_stopped_for_its_time_limit_failed_by_its_time_limit(running: Any, kind: Any) -> None:
    running.seen(50_000_000)
    assert RevokeLease("a/0.1", 1, "w", "time limit") in running.plan(62_000_010)
    assert running.failed(62_000_020, "a/0.1", kind) == (
        FinishJob("a", "failed", "a/0.1", "timeout", "still running after its time limit of 60 s", 0),
    )


def test_the_estimate_charged_at_the_start_gives_way_to_what_was_used(running: Any) -> None:
    assert running.state.usage_of("p") == (1_000_000, 0)
    running.succeeded(20, "a/0.1", used_us=300)
    assert running.state.usage_of("p") == (300, 20)


def test_an_attempt_lost_with_its_worker_is_not_charged(running: Any) -> None:
    running.lose(20)
    assert running.state.usage_of("p") == (0, 20)


def test_a_wide_task_is_charged_for_every_slot(story: Any) -> None:
    story.join(0, slots=3)
    story.submit(0, "a", slots=3)
    story.plan(0)
    story.succeeded(5, "a/0.1", used_us=100)
    assert story.state.usage_of("p") == (300, 5)
