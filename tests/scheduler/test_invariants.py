"""The check notices every kind of damage; a check that cannot fail proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scheduler.invariants import BrokenInvariant, check
from scheduler.state import State


@pytest.fixture
def busy(story: Any) -> Any:
    """Job held runs, asleep backs off, first and second wait."""
    story.join(0, slots=2, pipeline=1)
    story.submit(0, "held")
    story.submit(0, "asleep")
    story.plan(0)
    story.started(1, "asleep/0.1")
    story.backend(1, "aer", "draining")
    story.failed(2, "asleep/0.1", "fault")
    story.submit(3, "first")
    story.submit(3, "second")
    return story


def twice(state: State) -> None:
    held = state.tasks["held"]
    state.attempts["held/0.1"].task = held
    state.enqueue(held)


def wake_nobody(state: State) -> None:
    state.sleepers.clear()


DAMAGE: list[tuple[str, Callable[[State], Any]]] = [
    ("waits, sleeps, is held", twice),
    ("nothing will wake it", wake_nobody),
    ("has no timer", lambda state: state.leases.clear()),
    ("counts a load of", lambda state: setattr(state.workers["w"], "load", 0)),
    ("counts a long load of", lambda state: setattr(state.workers["w"], "long_load", 0)),
    ("is over its slots", lambda state: setattr(state.workers["w"], "slots", 0)),
    ("is over its capacity", lambda state: [setattr(state.workers["w"], name, 0) for name in ("slots", "pipeline")]),
    ("token from the future", lambda state: setattr(state, "next_token", 1)),
    ("the ranking is", lambda state: state.ranking.drop("p")),
    ("the ranking is", lambda state: setattr(state.projects["p"], "score", 10**40)),
    ("has a negative usage", lambda state: setattr(state.projects["p"], "score", -1)),
    ("backlog is", lambda state: setattr(state, "estimate_sum_us", 1)),
    ("waiting_count is", lambda state: setattr(state, "waiting_count", 1)),
    ("worker that is gone", lambda state: state.workers.clear()),
    ("outlived its job", lambda state: setattr(state.attempts["held/0.1"].task, "job_id", "first")),
    ("is not the one its task knows", lambda state: setattr(state.attempts["held/0.1"], "task", state.tasks["first"])),
    ("misses its revocation", lambda state: setattr(state.tasks["held"], "cancelling", True)),
    ("cancelled but is still queued", lambda state: setattr(state.tasks["first"], "cancelling", True)),
    ("failed more often than it was tried", lambda state: setattr(state.tasks["first"], "losses", 4)),
    ("is not the one its task knows", lambda state: setattr(state.attempts["held/0.1"], "attempt_id", "held/0.2")),
    ("charged less than nothing", lambda state: setattr(state.attempts["held/0.1"], "charge", -1)),
    ("ends no sleep", lambda state: setattr(state.tasks["first"], "not_before_us", 5)),
    ("places hold", lambda state: state.sleeping.update({99: state.tasks["asleep"]})),
    ("waiting", lambda state: setattr(next(iter(state.demands.values())), "waiting", 7)),
    ("demand", lambda state: setattr(next(iter(state.demands.values())), "tasks", 7)),
    ("demand is not known", lambda state: state.demands.clear()),
    ("out of order", lambda state: next(iter(state.projects["p"].lanes.values()))._ranks.reverse()),
    ("ranks are not its tasks'", lambda state: next(iter(state.projects["p"].lanes.values()))._tasks.reverse()),
]


def test_a_busy_state_is_sound(busy: Any) -> None:
    check(busy.state)


@pytest.mark.parametrize(
    ("sentence", "damage"), DAMAGE, ids=[f"{n}-{sentence}" for n, (sentence, _) in enumerate(DAMAGE)]
)
def test_damage_is_noticed(busy: Any, sentence: str, damage: Callable[[State], Any]) -> None:
    damage(busy.state)
    with pytest.raises(BrokenInvariant, match=sentence):
        check(busy.state)
