"""How the funders of one programme share what its grants pay."""

from __future__ import annotations

from collections.abc import Sequence


def split(amount: int, funders: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Shares of `amount` by weight, in whole units; what does not divide falls to the first funder."""
    total = sum(weight for _, weight in funders)
    shares = {funder_id: amount * weight // total for funder_id, weight in funders}
    first = funders[0][0]
    shares[first] += amount - sum(shares.values())
    return shares
