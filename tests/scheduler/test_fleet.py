"""Workers come, give signs of life and go; back-ends open and close."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.decisions import RequeueTask, RevokeLease
from scheduler.events import WorkerJoined
from scheduler.invariants import check


def test_a_heartbeat_renews_every_lease_the_worker_holds(story: Any) -> None:
    story.join(0, slots=2)
    story.submit(0, "a")
    story.submit(0, "b")
    story.plan(0)
    story.seen(29_000_000)
    assert not [d for d in story.plan(58_999_999) if isinstance(d, RevokeLease)]
    revoked = [d.attempt_id for d in story.plan(59_000_000) if isinstance(d, RevokeLease)]
    assert revoked == ["a/0.1", "b/0.1"]


def test_a_heartbeat_of_one_worker_does_not_renew_anothers_leases(story: Any) -> None:
    story.join(0, "w")
    story.submit(0, "a")
    story.plan(0)
    story.join(0, "v")
    story.seen(29_000_000, "v")
    assert RevokeLease("a/0.1", 1, "w", "lease expired") in story.plan(30_000_000)


def test_nothing_is_placed_on_a_silent_worker_until_it_is_seen_again(story: Any) -> None:
    story.join(0)
    story.submit(0, "a")
    assert story.starts(30_000_000) == []
    assert story.state.why_waiting("a") == "no sign of life from the workers that offer backend aer (w)"
    story.seen(30_000_001)
    assert story.starts(30_000_002) == ["a/0.1"]


def test_a_lost_worker_gives_back_all_it_held_and_its_heartbeats_mean_nothing(story: Any) -> None:
    story.join(0, slots=2)
    story.submit(0, "a")
    story.submit(0, "b")
    story.plan(0)
    assert story.lose(5, reason="power") == (
        RequeueTask("a/0", "a", 5, "worker lost: power"),
        RequeueTask("b/0", "b", 5, "worker lost: power"),
    )
    story.seen(6)
    assert story.starts(6) == []
    assert story.lose(7) == ()


def test_a_smaller_offer_keeps_what_is_held_and_takes_nothing_new(story: Any) -> None:
    story.join(0, slots=3)
    for job_id in "abcd":
        story.submit(0, job_id)
    assert len(story.starts(0)) == 3
    story.join(1, slots=1)
    story.succeeded(2, "a/0.1")
    story.succeeded(2, "b/0.1")
    assert story.starts(3) == []
    story.succeeded(4, "c/0.1")
    assert story.starts(5) == ["d/0.1"]
    assert story.state.workers["w"].excused == 0


@pytest.mark.parametrize("state", ["draining", "offline"])
def test_a_closed_backend_finishes_what_runs_and_takes_nothing_new(story: Any, state: str) -> None:
    story.join(0)
    story.submit(0, "a")
    story.submit(0, "b")
    story.plan(0)
    assert story.backend(1, "aer", state) == ()
    story.succeeded(2, "a/0.1")
    assert story.starts(3) == []
    story.backend(4, "aer", "online")
    assert story.starts(5) == ["b/0.1"]


def test_an_impossible_offer_is_a_bug(story: Any) -> None:
    with pytest.raises(ValueError, match="worker w: needs slots >= 0"):
        story.tell(WorkerJoined(0, "w", -1, 0, ()))
    check(story.state)
