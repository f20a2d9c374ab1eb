"""What a run may still use."""

from __future__ import annotations

import math
import resource

import pytest

from backends.allowance import budget, within


def test_a_process_without_limits_plans_with_a_usual_memory_and_all_the_time() -> None:
    assert budget().memory_bytes == 4 << 30
    assert math.isinf(budget().seconds)


def test_time_is_that_of_the_job() -> None:
    with within(12.5):
        assert budget().seconds == 12.5
        with within(3.0):
            assert budget().seconds == 3.0
        assert budget().seconds == 12.5
    assert math.isinf(budget().seconds)


def test_what_is_mapped_already_is_not_there_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 45, 1 << 45))
    assert 1 << 44 < budget().memory_bytes < 1 << 45
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 20, 1 << 20))
    assert budget().memory_bytes == 64 << 20, "something can always be tried"
