"""The words of the port: what an order must say, and what every observation carries."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import pytest

from workers.port import Final, Observation, Order, memory_reason


def test_an_order_has_limits() -> None:
    order = Order("job/0.1", 7, "job", "aer", b"{}", 1, 1)
    assert order.key == ("job/0.1", 7)
    with pytest.raises(ValueError, match=r"job/0.1: time limit 0 µs, memory 1 MiB"):
        Order("job/0.1", 7, "job", "aer", b"{}", 0, 1)
    with pytest.raises(ValueError, match="memory 0 MiB"):
        Order("job/0.1", 7, "job", "aer", b"{}", 1, 0)


def test_every_observation_can_be_matched_with_its_lease() -> None:
    for kind in get_args(Observation):
        assert [field.name for field in fields(kind)][:3] == ["attempt_id", "token", "at_us"]
    assert set(get_args(Final)) < set(get_args(Observation))


def test_the_memory_limit_is_named() -> None:
    assert memory_reason(512) == "needed more than the 512 MiB of memory it may use"
