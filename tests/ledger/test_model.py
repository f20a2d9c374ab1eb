"""Nouns that refuse to be nonsense."""

from __future__ import annotations

import dataclasses

import pytest

from ledger.model import Entry, Grant, Hold, Posting, Refusal, Slice


@pytest.mark.parametrize("amount", [0, -1])
def test_a_posting_moves_something(amount: int) -> None:
    with pytest.raises(ValueError, match=f"moves at least 1 unit: {amount} from a to b"):
        Posting("a", "b", amount, "CNY")


def test_a_grant_is_worth_something() -> None:
    with pytest.raises(ValueError, match="grant G: a grant is at least 1 unit, not 0"):
        Grant("G", "seed", "city", "acme", "CNY", 0, 0, 1000, 0, 0)


@pytest.mark.parametrize("valid_until_us", [1000, 999])
def test_a_grant_begins_before_it_ends(valid_until_us: int) -> None:
    with pytest.raises(ValueError, match="grant G: valid_from_us must come before valid_until_us"):
        Grant("G", "seed", "city", "acme", "CNY", 1, 1000, valid_until_us, 0, 0)


@pytest.mark.parametrize("noun", [Posting, Grant, Slice, Hold, Entry, Refusal])
def test_nouns_are_frozen_and_slotted(noun: type) -> None:
    assert dataclasses.is_dataclass(noun)
    assert noun.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert not hasattr(noun, "__dict__") or "__slots__" in vars(noun)
