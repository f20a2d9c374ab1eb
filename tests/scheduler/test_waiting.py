"""The reasons a job waits, word for word."""

from __future__ import annotations

from typing import Any


def why(story: Any, job_id: str = "a") -> str:
    reason = story.state.why_waiting(job_id)
    assert isinstance(reason, str)
    return reason


def test_what_does_not_wait(story: Any) -> None:
    assert why(story) == "not in the queue"
    story.join(0)
    story.submit(0, "a")
    story.plan(0)
    assert why(story) == "sent to worker w, about to start"
    story.started(1, "a/0.1")
    assert why(story) == "running on worker w"
    story.cancel(2, "a")
    assert why(story) == "being stopped on worker w"


def test_no_worker_offers_the_backend(story: Any) -> None:
    story.submit(0, "a", backends=("gpu", "aer"))
    assert why(story) == "no worker offers backend gpu or aer"
    story.submit(0, "b", backends=())
    assert why(story, "b") == "no backend can run it"


def test_the_backend_is_closed(story: Any) -> None:
    story.join(0)
    story.submit(0, "a", backends=("aer", "mps"))
    story.backend(0, "aer", "draining")
    assert why(story) == "no worker offers backend mps"
    story.backend(0, "mps", "offline")
    assert why(story) == "backend aer is draining and backend mps is offline"


def test_the_task_is_too_wide(story: Any) -> None:
    story.join(0, slots=4)
    story.submit(0, "a", slots=8)
    assert why(story) == "needs 8 slots; the largest worker that offers backend aer has 4"


def test_it_backs_off(story: Any) -> None:
    story.join(1_700_000_000_000_000)
    story.submit(1_700_000_000_000_000, "a")
    story.plan(1_700_000_000_000_000)
    story.started(1_700_000_000_000_000, "a/0.1")
    story.failed(1_700_000_000_000_000, "a/0.1", "fault", "engine did not answer")
    assert why(story) == "engine did not answer; backing off until 2023-11-14 22:13:21 UTC"


def test_its_place_in_line(story: Any) -> None:
    story.join(0, slots=2)
    for job_id in ("x", "y", "b", "a", "c"):
        story.submit(0, job_id)
    assert why(story) == "position 4 of 5; 2 slots, 2 free"
    story.plan(0)
    assert why(story) == "position 2 of 3; 2 slots, all busy"
    story.submit(0, "foreign", project_id="q")
    assert why(story) == "position 2 of 3; 2 slots, all busy; 1 other project has used less lately"
    story.submit(0, "alien", project_id="r")
    assert why(story) == "position 2 of 3; 2 slots, all busy; 2 other projects have used less lately"
    story.join(0, slots=1)
    assert why(story).startswith("position 2 of 3; 1 slot, all busy")
