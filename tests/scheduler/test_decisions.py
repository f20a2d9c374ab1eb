"""Decisions are orders: comparable and unchangeable."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from scheduler.decisions import Decision, FinishJob, WakeAt


def test_decisions_compare_by_what_they_say_and_cannot_be_changed() -> None:
    finish = FinishJob("a", "failed", "a/0.1", "user", "no measurement", 12)
    assert finish == FinishJob("a", "failed", "a/0.1", "user", "no measurement", 12)
    with pytest.raises(FrozenInstanceError):
        finish.outcome = "succeeded"  # type: ignore[misc]


def test_every_decision_is_small_enough_to_make_by_the_thousand() -> None:
    assert all(not hasattr(kind, "__dict__") or "__slots__" in vars(kind) for kind in get_args(Decision))
    with pytest.raises((AttributeError, TypeError)):
        WakeAt(1).extra = 2  # type: ignore[attr-defined]
