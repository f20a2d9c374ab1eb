"""Which price is in force: for a backend, at an instant, at an hour of the day."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ledger.rates import RateLine, rates_in_force

RATE: dict[str, Any] = {"id": "r", "resource": "qpu_ms", "unit_price": 20}


def in_force(*lines: RateLine, at_us: int = 50, hour: int = 12) -> dict[str, str]:
    shuffled = list(lines)
    random.Random(1).shuffle(shuffled)
    return {line.resource: line.id for line in rates_in_force(shuffled, "garnet", "hardware", at_us, hour)}


def test_the_nearest_line_wins() -> None:
    everywhere, for_class = RateLine("a", "qpu_ms", 1, hours=(8, 20)), RateLine("b", "qpu_ms", 1, backend="hardware")
    here, elsewhere = RateLine("c", "qpu_ms", 1, backend="garnet"), RateLine("d", "qpu_ms", 1, backend="aer")
    assert in_force(everywhere, for_class, here, elsewhere) == {"qpu_ms": "c"}
    assert in_force(everywhere, for_class, elsewhere) == {"qpu_ms": "b"}
    assert in_force(everywhere, elsewhere) == {"qpu_ms": "a"}
    assert in_force(elsewhere) == {}


def test_a_band_of_hours_wins_over_the_whole_day_then_the_later_line() -> None:
    day = RateLine("day", "qpu_ms", 1, valid_from_us=40)
    night = RateLine("night", "qpu_ms", 1, hours=(22, 6))
    assert [in_force(day, night, hour=hour)["qpu_ms"] for hour in (21, 22, 0, 5, 6)] == [
        "day", "night", "night", "night", "day"
    ]  # fmt: skip
    assert in_force(RateLine("old", "qpu_ms", 1, valid_from_us=10), day)["qpu_ms"] == "day"
    assert in_force(RateLine("a", "qpu_ms", 1, created_us=2), RateLine("b", "qpu_ms", 1, created_us=1))["qpu_ms"] == "a"
    assert in_force(RateLine("a", "qpu_ms", 1), RateLine("b", "qpu_ms", 1))["qpu_ms"] == "b"


@pytest.mark.parametrize(("at_us", "holds"), [(9, False), (10, True), (19, True), (20, False)])
def test_a_line_holds_in_its_time(at_us: int, holds: bool) -> None:
    assert RateLine(**RATE, valid_from_us=10, valid_until_us=20).holds(at_us, 0) is holds


def test_resources_come_in_their_order() -> None:
    lines = [RateLine(resource, resource, 1) for resource in ("storage_mib_h", "shots", "job")]
    assert list(in_force(*lines)) == ["job", "shots", "storage_mib_h"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"resource": "coffee"}, "rate r: 'coffee' is none of job, qpu_ms"),
        ({"unit_price": -1}, "a price is at least 0, not -1"),
        ({"quantum": 0}, "a quantum is at least 1, not 0"),
        ({"resource": "job", "quantum": 2}, "a job is one"),
        ({"hours": (5, 5)}, "hours go from"),
        ({"hours": (24, 3)}, "hours go from"),
        ({"valid_from_us": 5, "valid_until_us": 5}, "valid_until_us must lie after"),
    ],
)
def test_lines_make_sense(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RateLine(**(RATE | wrong))
