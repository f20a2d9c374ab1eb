"""Who pays which part of a price: the lines of a ceiling over grants in burn order and, last, the project's wallet.

A grant in a native asset pays quanta of the line of its resource, and those pay nothing else any more. Then grants in
money pay their share of what is left of each line, within their caps and what they have available. The wallet pays the
rest. All of it in whole units: a share is rounded down, so a cap is never exceeded and what is missing falls to the
next payer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger import accounts
from ledger.book import Book
from ledger.commands import PlaceHold
from ledger.model import WALLET, Claim, Cut, Grant, Slice
from ledger.shares import OpenLine
from ledger.terms import Offer, Terms, Unfit, cap_scope, offer, pool_scope


@dataclass(slots=True)
class Source:
    """What one grant could give this job, and why not more: for the words of a refusal."""

    grant: Grant
    available: int
    pays: int
    reason: str


@dataclass(slots=True)
class Allocation:
    """The slices of a hold and what they count on; `missing` > 0 of the price has no payer."""

    slices: list[Slice] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    claims: dict[str, int] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    wallet: int = 0
    missing: int = 0

    def claimed(self) -> tuple[Claim, ...]:
        """The claims as an entry records them."""
        return tuple([Claim(scope, change) for scope, change in sorted(self.claims.items()) if change])


def allocate(book: Book, command: PlaceHold) -> Allocation:
    """Spread the price of the command's lines. Changes nothing; a `missing` of 0 means that it can be held."""
    found = Allocation()
    lines = [OpenLine.of(line, line.quantity) for line in command.lines]
    pinned = {terms.programme_id: terms for terms in command.pinned}
    groups: dict[str, str] = {}
    grants = book.grants_of(command.project_id)
    for in_kind in (True, False):
        for grant in grants:
            if (grant.asset != command.asset) == in_kind:
                terms = pinned.get(grant.programme_id) or book.terms.get(grant.programme_id)
                _draw(book, command, grant, terms, lines, groups, found)
    _draw_wallet(book, command, lines, found)
    found.missing = sum([line.open for line in lines])
    return found


def _draw(
    book: Book,
    command: PlaceHold,
    grant: Grant,
    terms: Terms | None,
    lines: list[OpenLine],
    groups: dict[str, str],
    found: Allocation,
) -> None:
    available = book.balances.get((accounts.available(grant.id), grant.asset), 0)
    source = Source(grant, available, 0, "")
    found.sources.append(source)
    source.reason = _barred(grant, command, terms)
    if source.reason:
        return
    offered = offer(terms, command.claimant, command.at_us)
    if isinstance(offered, Unfit):
        source.reason = offered.reason
        return
    if (
        terms is not None
        and terms.claim_group
        and groups.get(terms.claim_group, grant.programme_id) != grant.programme_id
    ):
        source.reason = "claimed_elsewhere"
        return
    limit, named = _limit(book, command, terms, offered, available, found.claims)
    excluded = terms.excluded if terms is not None else ()
    wanted = paid = 0
    for line in lines:
        resource = line.line.resource
        if resource in excluded or (grant.resources and resource not in grant.resources):
            continue
        part = _due(line, grant, offered, command.asset)
        wanted += part
        amount = min(part, limit - paid)
        in_kind = grant.asset != command.asset
        if in_kind:
            amount -= amount % line.line.quantum
        # A line that the limit left nothing for may cost less of the limit in the end: its share is recorded too.
        if amount > 0 or (paid and part and not in_kind):
            paid += amount
            found.slices.append(_slice(line, grant, offered, amount, command.asset))
    source.pays = paid
    source.reason = named if paid < wanted else ""
    if paid < wanted:
        found.cuts.append(Cut(grant.id, named, wanted - paid))
    if paid and terms is not None:
        if terms.claim_group:
            groups[terms.claim_group] = grant.programme_id
        for scope in _scopes(terms, command):
            found.claims[scope] = found.claims.get(scope, 0) + paid


def _barred(grant: Grant, command: PlaceHold, terms: Terms | None) -> str:
    """Why a grant may not pay this job at all; "" when it may."""
    parties = {funder_id for funder_id, _ in grant.funders}
    if terms is not None and terms.excludes_related and not parties.isdisjoint(command.claimant.related):
        return "related_party"
    if grant.expired or command.at_us >= grant.valid_until_us:
        return "expired"
    if command.at_us < grant.valid_from_us:
        return "not_started"
    if grant.backends and command.claimant.backend not in grant.backends:
        return "other_backend"
    if grant.members and command.claimant.member_id not in grant.members:
        return "other_member"
    return ""


def _limit(
    book: Book, command: PlaceHold, terms: Terms | None, offered: Offer, available: int, claimed: dict[str, int]
) -> tuple[int, str]:
    """The most that a grant may give, and the name of what limits it. `claimed`: what this job has claimed already."""
    if terms is None:
        return available, "available"
    limits = [(available, "available")]
    by_project, by_all = _scopes(terms, command)
    if offered.cap_per_job is not None:
        limits.append((offered.cap_per_job - claimed.get(by_project, 0), "cap_per_job"))
    for cap, scope, name in (
        (terms.cap_project_year, by_project, "cap_project_year"),
        (terms.pool_year, by_all, "pool_year"),
    ):
        if cap is not None:
            limits.append((cap - book.claims.get(scope, 0) - claimed.get(scope, 0), name))
    least, named = min(limits, key=lambda limit: limit[0])
    return max(0, least), named


def _scopes(terms: Terms, command: PlaceHold) -> tuple[str, str]:
    year = command.claimant.year
    return cap_scope(terms.programme_id, command.project_id, year), pool_scope(terms.programme_id, year)


def _due(line: OpenLine, grant: Grant, offered: Offer, money: str) -> int:
    """How much of a line a grant pays by its terms, in its own asset."""
    if grant.asset == money:
        return line.money_due(offered.share_ppm, offered.up_to_ppm, offered.rule)
    if grant.asset != line.line.resource:
        return 0
    return line.quanta_due(offered.share_ppm, offered.rule) * line.line.quantum


def _slice(line: OpenLine, grant: Grant, offered: Offer, amount: int, money: str) -> Slice:
    worth = amount
    if grant.asset == money:
        line.give_money(amount, offered.rule)
    else:
        worth = line.give_quanta(amount // line.line.quantum, offered.rule)
    share = (offered.share_ppm, offered.up_to_ppm, offered.rule)
    return Slice(grant.id, line.line.resource, amount, grant.asset, worth, *share)


def _draw_wallet(book: Book, command: PlaceHold, lines: list[OpenLine], found: Allocation) -> None:
    found.wallet = left = book.balances.get((accounts.wallet(command.project_id), command.asset), 0)
    for line in lines:
        amount = min(line.open, left)
        if amount > 0:
            left -= amount
            line.give_money(amount, "")
            found.slices.append(Slice(WALLET, line.line.resource, amount, command.asset, amount))
