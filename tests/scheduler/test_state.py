"""The views the shell reads."""

from __future__ import annotations

from typing import Any

from scheduler.policy import Policy
from scheduler.usage import SPAN


def test_counts_and_backlog_follow_what_is_queued(story: Any) -> None:
    story.submit(0, "a", estimate_us=500_000)
    story.submit(0, "b", estimate_us=700_000)
    assert (story.state.queued_count, story.state.backlog_us(), story.state.running_count) == (2, 1_200_000, 0)
    story.join(0)
    story.plan(0)
    assert (story.state.queued_count, story.state.backlog_us(), story.state.running_count) == (1, 700_000, 1)
    story.started(1, "a/0.1")
    story.failed(2, "a/0.1", "fault")
    assert (story.state.queued_count, story.state.backlog_us(), story.state.running_count) == (2, 1_200_000, 0)
    story.cancel(3, "a")
    story.cancel(3, "b")
    assert (story.state.queued_count, story.state.backlog_us()) == (0, 0)


def test_the_position_is_the_place_in_the_projects_own_queue(story: Any) -> None:
    story.submit(0, "a")
    story.submit(0, "wide", slots=2)
    story.submit(0, "b", priority=1)
    story.submit(0, "foreign", project_id="q", priority=9)
    assert [story.state.position(job_id) for job_id in ("b", "a", "wide", "foreign")] == [1, 2, 3, 1]
    story.join(0)
    story.plan(0)
    assert [story.state.position(job_id) for job_id in ("b", "a", "wide", "nobody")] == [None, 1, 2, None]


def test_a_charge_is_dated_by_the_moment_it_was_made(story: Any) -> None:
    story.join(0)
    story.submit(100, "a")
    story.plan(200)
    assert story.state.usage_of("p") == (1_000_000, 200)
    story.submit(300, "b")
    assert story.state.usage_of("p") == (1_000_000, 200)


def test_a_long_life_does_not_wear_the_scale_out(tell_story: Any) -> None:
    story = tell_story(Policy(half_life_us=1_000, lease_us=10**9))
    story.join(0, slots=1)
    now_us = 1_700_000_000_000_000
    for number in range(40):
        story.seen(now_us)
        story.submit(now_us, f"a{number}", project_id="often")
        story.submit(now_us, f"b{number}", project_id="rarely", priority=1)
        (first,) = story.starts(now_us)
        story.succeeded(now_us + 10, first, used_us=1_000 if first.startswith("a") else 1)
        now_us += SPAN * 1_000 // 7 * 3
    assert story.state.projects["often"].score.bit_length() < 200
    assert story.state.usage_of("often")[0] <= 1_000


def test_a_new_half_life_takes_effect_and_keeps_what_was_used(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.policy = Policy(half_life_us=1_000)
    story.succeeded(0, "a/0.1", used_us=500)
    assert story.state.usage_of("p") == (500, 0)
    story.submit(2_000, "b")
    story.plan(2_000)
    assert story.state.usage_of("p") == (1_000_000 + 500 // 4, 2_000)


def test_demands_nobody_has_any_more_are_forgotten(story: Any) -> None:
    story.join(0, slots=3)
    story.submit(0, "a", slots=3)
    story.submit(0, "b", slots=2)
    assert len(story.state.demands) == 2
    story.plan(0)
    story.cancel(1, "b")
    story.succeeded(2, "a/0.1")
    assert story.state.demands == {}


def test_a_demand_survives_while_one_of_its_tasks_is_out(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    story.submit(1, "b")
    story.lose(2)
    assert len(story.state.demands) == 1
    story.join(3, slots=2)
    assert story.starts(4) == ["a/0.2", "b/0.1"]
