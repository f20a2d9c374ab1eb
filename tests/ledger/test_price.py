"""Usage × rate, in whole quanta of whole micro-yuan."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.model import RESOURCES, Line
from ledger.price import Usage, charge, lines_from_json, lines_to_json, quote, rates_from_json, rates_to_json
from ledger.rates import RateLine

RATES = (
    RateLine("r1", "job", 1_000),
    RateLine("r2", "qpu_ms", 200),
    RateLine("r3", "shots", 1_500, 1_000, backend="garnet", hours=(22, 6)),
)
amounts = st.integers(0, 10**9)
usages = st.builds(Usage, amounts, amounts, amounts, amounts, amounts)


@st.composite
def cards(draw: st.DrawFn) -> tuple[RateLine, ...]:
    return tuple(
        RateLine(f"r{number}", resource, draw(amounts), 1 if resource == "job" else draw(st.integers(1, 5_000)))
        for number, resource in enumerate(draw(st.lists(st.sampled_from(RESOURCES), unique=True)))
    )


def test_a_charge_in_figures() -> None:
    priced = charge(RATES, Usage(qpu_ms=12, shots=1_024, cpu_ms=40))
    assert priced.lines == (
        Line("job", 1, 1_000, 1, "r1"),
        Line("qpu_ms", 12, 200, 1, "r2"),
        Line("shots", 2, 1_500, 1_000, "r3"),
    )
    assert priced.amount == 1_000 + 2_400 + 3_000


@pytest.mark.parametrize(("shots", "amount"), [(0, 0), (1, 1_500), (1_000, 1_500), (1_001, 3_000)])
def test_started_quanta_are_whole(shots: int, amount: int) -> None:
    assert charge(RATES[2:], Usage(0, shots)).amount == amount


def test_a_price_of_nothing_makes_no_line() -> None:
    assert charge((RateLine("r", "qpu_ms", 0),), Usage(12, 1024)).lines == ()


@given(cards(), usages)
def test_every_line_can_be_checked_by_hand(card: tuple[RateLine, ...], usage: Usage) -> None:
    for line in charge(card, usage).lines:
        assert 0 <= line.quantity * line.quantum - usage.of(line.resource) < line.quantum
        assert line.amount == line.quantity * line.unit_price > 0


@given(cards(), usages, usages)
def test_more_usage_never_costs_less(card: tuple[RateLine, ...], usage: Usage, more: Usage) -> None:
    both = Usage(*(getattr(usage, name) + getattr(more, name) for name in Usage.__dataclass_fields__))
    assert charge(card, usage).amount <= charge(card, both).amount
    quoted = quote(card, usage, both)
    assert (quoted.rates, quoted.expected, quoted.ceiling) == (card, charge(card, usage), charge(card, both))


def test_a_ceiling_below_what_is_expected_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="lies below what is expected"):
        quote(RATES, Usage(5, 1), Usage(4, 1))


@given(cards(), usages)
def test_lines_and_pinned_rates_survive_json(card: tuple[RateLine, ...], usage: Usage) -> None:
    lines = charge(card, usage).lines
    assert lines_from_json(json.loads(json.dumps(lines_to_json(lines)))) == lines
    pinned = rates_from_json(json.loads(json.dumps(rates_to_json(card))))
    assert pinned == card
    assert charge(pinned, usage).lines == lines


def test_lines_for_people() -> None:
    (shown,) = lines_to_json([Line("storage_mib_h", 2, 7, 1_024, "r9")])
    assert shown == {
        "resource": "storage_mib_h",
        "what": "stored result",
        "quantity": 2,
        "unit": "MiB h",
        "quantum": 1_024,
        "unit_price": 7,
        "amount": 14,
        "rate": "r9",
    }
    assert rates_to_json(RATES[2:])[0]["hours"] == [22, 6]


@pytest.mark.parametrize("name", list(Usage.__dataclass_fields__))
def test_usage_is_never_negative(name: str) -> None:
    figures: dict[str, Any] = {"qpu_ms": 0, "shots": 0} | {name: -1}
    with pytest.raises(ValueError, match="usage is never negative"):
        Usage(**figures)
