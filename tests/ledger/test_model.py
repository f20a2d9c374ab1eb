"""Nouns that refuse to be nonsense."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ledger.model import Claim, Cut, Entry, Grant, Hold, Line, Posting, Refusal, Slice, in_words

GRANT = Grant("G", "seed", (("city", 1),), "acme", "CNY", 10, 0, 1000, 0, 0)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_posting_moves_something(amount: int) -> None:
    with pytest.raises(ValueError, match=f"moves at least 1 unit: {amount} from a to b"):
        Posting("a", "b", amount, "CNY")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount": -1}, "grant G: a grant is never negative, not -1"),
        ({"valid_until_us": 0}, "grant G: valid_from_us must come before valid_until_us"),
        ({"funders": ()}, "grant G: each of at least one funder has a weight of at least 1"),
        ({"funders": (("city", 1), ("bank", 0))}, "has a weight of at least 1"),
        ({"funders": (("city", 1), ("bank", 1), ("city", 2))}, "a funder is named once"),
        ({"id": "wallet"}, "a grant is not called 'wallet'"),
    ],
)
def test_a_grant_makes_sense(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(GRANT, **changes)


@pytest.mark.parametrize("name", ["resources", "backends", "members"])
def test_a_grant_for_some_things_only_is_restricted(name: str) -> None:
    assert not GRANT.restricted
    changes: dict[str, Any] = {name: ("one",)}
    assert dataclasses.replace(GRANT, **changes).restricted


def test_a_line_is_never_negative() -> None:
    for figures in ((-1, 1, 1), (1, -1, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match="a line is never negative"):
            Line("shots", *figures)


def test_a_line_in_figures() -> None:
    line = Line("shots", 3, 1_500, 1_000, "r1")
    assert line.amount == 4_500
    assert (line.worth(2_000), line.worth(0)) == (3_000, 0)


def test_a_hold_knows_its_figures() -> None:
    lines = (Line("job", 1, 50), Line("qpu_ms", 4, 20, 10))
    slices = (
        Slice("K", "qpu_ms", 30, "qpu_ms", 60),
        Slice("G", "job", 50, "CNY", 50),
        Slice("G", "qpu_ms", 20, "CNY", 20),
    )
    hold = Hold("j1", "acme", "CNY", lines, slices, "open", 0)
    assert (hold.amount, hold.charged) == (130, 0)
    assert hold.worth_of((30, 50, 20)) == 130
    assert hold.worth_of((10, 50, 0)) == 70
    assert dataclasses.replace(hold, state="settled", settled=(Line("qpu_ms", 9, 20, 10),)).charged == 180


@pytest.mark.parametrize(
    ("amount", "asset", "words"),
    [
        (1_230_000, "CNY", "1.230000 CNY"),
        (-5, "CNY", "-0.000005 CNY"),
        (7, "shots", "7 shots"),
        (1_000, "qpu_ms", "1000 qpu_ms"),
    ],
)
def test_amounts_in_words(amount: int, asset: str, words: str) -> None:
    assert in_words(amount, asset) == words


@pytest.mark.parametrize("noun", [Posting, Grant, Line, Slice, Cut, Claim, Hold, Entry, Refusal])
def test_nouns_are_frozen_and_slotted(noun: type) -> None:
    assert dataclasses.is_dataclass(noun)
    assert noun.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(noun)
