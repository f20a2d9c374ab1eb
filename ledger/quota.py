"""How far a project's grants are used up, and which marks a change has crossed."""

from __future__ import annotations

from dataclasses import dataclass

from ledger import accounts
from ledger.book import Book

MARKS = (80, 95)
"""Percent of what was granted, at which a project is told."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Over all valid grants of a project in one asset: what was granted, and what of it is settled or held."""

    granted: int
    used: int

    def reached(self, percent: int) -> bool:
        """Whether so much of it is used; of nothing, nothing is."""
        return self.granted > 0 and self.used * 100 >= percent * self.granted


NOTHING = Drawn(0, 0)


def drawn(book: Book, project_id: str, at_us: int) -> dict[str, Drawn]:
    """Over the grants that are valid at an instant, by asset: money and units in kind are never added up."""
    found: dict[str, Drawn] = {}
    for grant in book.grants_of(project_id):
        if not grant.expired and grant.valid_from_us <= at_us < grant.valid_until_us:
            before = found.get(grant.asset, NOTHING)
            used = grant.amount - book.balance(accounts.available(grant.id), grant.asset)
            found[grant.asset] = Drawn(before.granted + grant.amount, before.used + used)
    return found


def crossed(before: Drawn, after: Drawn) -> tuple[int, ...]:
    """The marks that lie between two states, the lowest first: a mark is crossed anew only from below it."""
    return tuple(percent for percent in MARKS if after.reached(percent) and not before.reached(percent))
