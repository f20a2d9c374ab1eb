"""Events are facts: comparable, unchangeable, each with its moment first."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from scheduler.events import Event, PlanRound, TaskSpec


def test_every_event_says_first_when_it_was_told() -> None:
    for kind in get_args(Event):
        assert fields(kind)[0].name == "at_us", kind


def test_events_compare_by_what_they_say_and_cannot_be_changed() -> None:
    event = PlanRound(5)
    assert event == PlanRound(5)
    with pytest.raises(FrozenInstanceError):
        event.at_us = 6  # type: ignore[misc]


def test_a_task_fills_one_slot_and_has_no_past_unless_said_otherwise() -> None:
    spec = TaskSpec("a/0", ("aer",), 10, 20)
    assert (spec.slots, spec.attempts_made, spec.failures) == (1, 0, ())
