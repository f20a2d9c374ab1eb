"""Funders share by weight, and nothing is lost on the way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.funders import split


def test_shares_by_weight() -> None:
    assert split(100, (("city", 3), ("bank", 1))) == {"city": 75, "bank": 25}
    assert split(101, (("city", 3), ("bank", 1))) == {"city": 76, "bank": 25}, "75.75 and 25.25"
    assert split(2, (("city", 1), ("bank", 1), ("union", 1))) == {"city": 2, "bank": 0, "union": 0}
    assert split(0, (("city", 1),)) == {"city": 0}


weights = st.lists(st.integers(1, 10**6), min_size=1, max_size=6)


@given(st.integers(0, 10**15), weights)
def test_the_shares_add_up_and_are_fair_to_a_unit_each(amount: int, weights: list[int]) -> None:
    shares = split(amount, [(f"f{number}", weight) for number, weight in enumerate(weights)])
    assert sum(shares.values()) == amount
    for number, weight in enumerate(weights):
        off = shares[f"f{number}"] * sum(weights) - amount * weight
        assert -sum(weights) < off <= (len(weights) if number == 0 else 0) * sum(weights)
