"""Who goes next, and where."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core import step
from scheduler.decisions import StartAttempt
from scheduler.events import JobSubmitted, PlanRound, ProjectWeightSet, TaskSpec, UsageRestored, WorkerJoined
from scheduler.policy import Policy
from scheduler.state import State

SHORT_US = 10_000


def places(story: Any, at_us: int) -> list[tuple[str, str, str]]:
    return [(d.job_id, d.worker_id, d.backend) for d in story.plan(at_us) if isinstance(d, StartAttempt)]


def test_inside_a_project_priority_goes_first_then_age(story: Any) -> None:
    for job_id, priority in [("a", 0), ("b", 5), ("c", 5), ("d", -5)]:
        story.submit(0, job_id, priority=priority)
    story.join(0, slots=4)
    assert story.starts(0) == ["b/0.1", "c/0.1", "a/0.1", "d/0.1"]


def test_the_project_that_used_least_goes_first_whatever_the_others_priorities(story: Any) -> None:
    story.tell(UsageRestored(0, "rich", 10))
    story.submit(0, "r", project_id="rich", priority=100)
    story.submit(0, "n", project_id="new")
    story.join(0, slots=1)
    assert story.starts(0) == ["n/0.1"]


def test_projects_that_used_the_same_go_by_id_and_then_in_turn(story: Any) -> None:
    for number in range(3):
        story.submit(0, f"x{number}", project_id="x")
        story.submit(0, f"b{number}", project_id="b")
    story.join(0, slots=6)
    assert story.starts(0) == ["b0/0.1", "x0/0.1", "b1/0.1", "x1/0.1", "b2/0.1", "x2/0.1"]


def test_a_task_that_is_said_to_cost_nothing_still_counts(story: Any) -> None:
    for number in range(2):
        story.submit(0, f"a{number}", project_id="a", estimate_us=0)
        story.submit(0, f"b{number}", project_id="b", estimate_us=0)
    story.join(0, slots=4)
    assert story.starts(0) == ["a0/0.1", "b0/0.1", "a1/0.1", "b1/0.1"]


def test_usage_of_yesterday_counts_less_than_todays(story: Any) -> None:
    hour_us = 3_600_000_000
    story.tell(UsageRestored(0, "early", 1_000))
    story.tell(UsageRestored(2 * hour_us, "lately", 300))
    story.submit(2 * hour_us, "l", project_id="lately")
    story.submit(2 * hour_us, "e", project_id="early")
    story.join(2 * hour_us)
    assert story.starts(2 * hour_us) == ["e/0.1"]


def test_the_best_backend_with_a_free_slot_on_the_emptiest_worker(story: Any) -> None:
    story.join(0, "one", slots=1, backends=("gpu", "aer"))
    story.join(0, "two", slots=2, backends=("aer",))
    story.submit(0, "a", backends=("aer",))
    story.submit(0, "b", backends=("gpu", "aer"))
    story.submit(0, "c", backends=("gpu", "aer"))
    assert places(story, 0) == [("a", "two", "aer"), ("b", "one", "gpu"), ("c", "two", "aer")]


def test_short_tasks_wait_on_the_worker_and_long_ones_do_not(story: Any) -> None:
    story.join(0, slots=1, pipeline=2)
    for number in range(5):
        story.submit(0, f"s{number}", estimate_us=SHORT_US)
    story.submit(0, "long")
    assert story.starts(0) == ["s0/0.1", "s1/0.1", "s2/0.1"]
    story.succeeded(1, "s0/0.1")
    assert story.starts(1) == ["s3/0.1"]


def test_short_tasks_do_not_wait_behind_a_long_one(story: Any) -> None:
    story.join(0, slots=1, pipeline=2)
    story.submit(0, "long")
    story.submit(0, "s", estimate_us=SHORT_US)
    assert story.starts(0) == ["long/0.1"]


def test_short_tasks_wait_where_the_fewest_wait(story: Any) -> None:
    story.join(0, "u", slots=1, pipeline=2)
    story.join(0, "v", slots=1, pipeline=2)
    for number in range(6):
        story.submit(0, f"s{number}", estimate_us=SHORT_US)
    assert [worker for _, worker, _ in places(story, 0)] == ["u", "v", "u", "v", "u", "v"]


def test_a_long_task_is_not_starved_by_short_ones_topped_up_behind_each_other(story: Any) -> None:
    story.join(0, slots=1, pipeline=1)
    for number in range(4):
        story.submit(0, f"s{number}", project_id="short", estimate_us=SHORT_US)
    assert story.starts(0) == ["s0/0.1", "s1/0.1"]
    story.submit(1, "long", project_id="long")
    story.succeeded(2, "s0/0.1", used_us=SHORT_US)
    assert story.starts(2) == []
    story.succeeded(3, "s1/0.1", used_us=SHORT_US)
    assert story.starts(3) == ["long/0.1"]


def test_a_wide_task_gets_its_slots_together_in_the_end(story: Any) -> None:
    story.join(0, slots=2)
    story.submit(0, "a", project_id="narrow")
    story.submit(0, "b", project_id="narrow")
    story.plan(0)
    story.submit(1, "wide", project_id="wide", slots=2)
    story.submit(1, "c", project_id="narrow")
    story.succeeded(2, "a/0.1")
    assert story.starts(2) == []
    story.succeeded(3, "b/0.1")
    assert story.starts(3) == ["wide/0.1"]


def test_a_task_without_a_place_does_not_hold_up_those_behind_it(story: Any) -> None:
    story.join(0, slots=2)
    story.submit(0, "gpu", priority=9, backends=("gpu",))
    story.submit(0, "vast", priority=8, slots=99)
    story.submit(0, "a")
    story.submit(0, "other", project_id="q")
    assert story.starts(0) == ["a/0.1", "other/0.1"]


def test_tokens_go_on_where_they_were(tell_story: Any) -> None:
    story = tell_story(next_token=41)
    story.join(0, slots=2)
    story.submit(0, "a")
    story.submit(0, "b")
    assert [d.token for d in story.plan(0) if isinstance(d, StartAttempt)] == [41, 42]


@given(
    weights=st.lists(st.integers(50, 400), min_size=2, max_size=5),
    estimates=st.lists(st.integers(1, 100), min_size=5, max_size=5),
)
def test_no_backlogged_project_falls_behind_its_share_by_more_than_one_task_each(
    weights: list[int], estimates: list[int]
) -> None:
    """In one round without decay, usage over weight differs by at most one task's worth between any two projects."""
    policy, state = Policy(half_life_us=10**15, short_task_us=0), State()
    for place, weight in enumerate(weights):
        step(state, ProjectWeightSet(0, f"p{place}", weight), policy)
        for number in range(60):
            spec = TaskSpec(f"p{place}-{number}/0", ("aer",), estimates[place], 1_000)
            step(state, JobSubmitted(0, f"p{place}-{number}", f"p{place}", 0, (spec,)), policy)
    step(state, WorkerJoined(0, "w", 50, 0, ("aer",)), policy)
    step(state, PlanRound(0), policy)
    shares = [state.usage_of(f"p{place}")[0] * 100 / weight for place, weight in enumerate(weights)]
    one_task = [estimates[place] * 100 / weight for place, weight in enumerate(weights)]
    for place, share in enumerate(shares):
        if state.projects[f"p{place}"].lanes:
            assert share >= max(other - task for other, task in zip(shares, one_task, strict=True)) - 0.01
