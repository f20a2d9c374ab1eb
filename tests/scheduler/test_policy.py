"""The policy refuses numbers that could not work."""

from __future__ import annotations

import pytest

from scheduler.policy import Policy


@pytest.mark.parametrize(
    "name", ["half_life_us", "lease_us", "backoff_us", "backoff_max_us", "max_faults", "max_losses"]
)
def test_a_number_that_must_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        Policy(**{name: 0})


@pytest.mark.parametrize("name", ["short_task_us", "grace_us"])
def test_a_number_that_may_be_zero_but_not_less(name: str) -> None:
    assert getattr(Policy(**{name: 0}), name) == 0
    with pytest.raises(ValueError, match=f"{name} must not be negative, not -1"):
        Policy(**{name: -1})
