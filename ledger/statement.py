"""Where a project's grants stand: granted == settled + held + available + expired, to the last unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger import accounts
from ledger.book import burn_order
from ledger.model import CNY, BrokenInvariant, Entry, Grant

Balances = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Figures:
    """The five figures of one grant or of several, in the asset's smallest unit."""

    granted: int = 0
    settled: int = 0
    held: int = 0
    available: int = 0
    expired: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.granted + other.granted,
            self.settled + other.settled,
            self.held + other.held,
            self.available + other.available,
            self.expired + other.expired,
        )


@dataclass(frozen=True, slots=True)
class GrantLine:
    """One grant and where it stands."""

    grant: Grant
    figures: Figures


@dataclass(frozen=True, slots=True)
class Statement:
    """A line per grant in burn order, and a total per asset."""

    lines: tuple[GrantLine, ...]
    totals: tuple[tuple[str, Figures], ...]

    def total(self, asset: str = CNY) -> Figures:
        """The total over all grants in an asset; all zero when there is none."""
        return dict(self.totals).get(asset, Figures())


def statement(grants: Iterable[Grant], balances: Balances, entries: Iterable[Entry]) -> Statement:
    """The statement of one project from its grants, the balances of their accounts and all its entries.

    Raises BrokenInvariant when the figures of a grant don't add up.
    """
    return statement_from_totals(grants, balances, settled_by_grant(entries))


def settled_by_grant(entries: Iterable[Entry]) -> dict[str, int]:
    """What each grant has paid for, by grant id: its postings to the facility, less what corrections gave back."""
    settled: dict[str, int] = {}
    for entry in entries:
        for posting in entry.postings:
            if accounts.is_earned(posting.destination):
                grant_id, sign = accounts.grant_of(posting.source), 1
            elif accounts.is_earned(posting.source):
                grant_id, sign = accounts.grant_of(posting.destination), -1
            else:
                continue
            if grant_id is not None:
                settled[grant_id] = settled.get(grant_id, 0) + sign * posting.amount
    return settled


def statement_from_totals(grants: Iterable[Grant], balances: Balances, settled: Mapping[str, int]) -> Statement:
    """Like `statement`, for callers that let a database do the sums of `settled_by_grant`."""
    lines: list[GrantLine] = []
    totals: dict[str, Figures] = {}
    for grant in sorted(grants, key=burn_order):
        figures = Figures(
            granted=grant.amount,
            settled=settled.get(grant.id, 0),
            held=balances.get((accounts.held(grant.id), grant.asset), 0),
            available=balances.get((accounts.available(grant.id), grant.asset), 0),
            expired=balances.get((accounts.expired(grant.id), grant.asset), 0),
        )
        accounted = figures.settled + figures.held + figures.available + figures.expired
        if figures.granted != accounted:
            raise BrokenInvariant(f"grant {grant.id}: granted {figures.granted}, accounted for {accounted} ({figures})")
        lines.append(GrantLine(grant, figures))
        totals[grant.asset] = totals.get(grant.asset, Figures()) + figures
    return Statement(tuple(lines), tuple(sorted(totals.items())))
