"""One pass over the rows of holds, fast enough for millions: each is sound, or it is handed on to be explained.

What is asked of a hold is said once, in `ledger.invariants`; here it is only answered with yes or no, on the texts as
they are stored, without building an object for each line. What the sound ones add up to is counted on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger import accounts
from ledger.funders import split
from ledger.model import FULL_PPM, WALLET, Grant, Hold
from ledger.terms import programme_of_scope

Key = tuple[str, str]
Scopes = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Sums:
    """What holds add up to: held by (account, asset), paid by (payer, asset), claimed by scope."""

    held: dict[Key, int] = field(default_factory=dict)
    paid: dict[Key, int] = field(default_factory=dict)
    claimed: dict[str, int] = field(default_factory=dict)
    shared: dict[Key, int] = field(default_factory=dict)
    """Earned by (account, asset): of overrun, and of grants of several funders, which share each hold by itself."""

    def add(self, hold: Hold, grants: Mapping[str, Grant]) -> None:
        """Count a hold in."""
        slices = [(part.payer, part.amount, part.asset) for part in hold.slices]
        if hold.state == "open":
            self.hold(hold.project_id, slices)
        self.capture(slices, hold.captured, hold.asset, hold.overrun, grants)
        for claim in hold.claims:
            self.claimed[claim.scope] = self.claimed.get(claim.scope, 0) + claim.change

    def hold(self, project_id: str, slices: list[tuple[str, int, str]]) -> None:
        """Count what an open hold sets aside: (payer, amount, asset) of each slice."""
        for payer, amount, asset in slices:
            account = accounts.wallet_held(project_id) if payer == WALLET else accounts.held(payer)
            self.held[account, asset] = self.held.get((account, asset), 0) + amount

    def capture(
        self,
        slices: list[tuple[str, int, str]],
        captured: Sequence[int],
        money: str,
        overrun: int,
        grants: Mapping[str, Grant],
    ) -> None:
        """Count what a settled hold brought the facility, and from whom."""
        paid = self.paid
        several: dict[Key, int] = {}
        for (payer, _, asset), amount in zip(slices, captured, strict=False):
            key = (payer, asset)
            paid[key] = paid.get(key, 0) + amount
            if payer in grants and len(grants[payer].funders) > 1:
                several[key] = several.get(key, 0) + amount
        for (payer, asset), amount in several.items():
            for funder_id, share in split(amount, grants[payer].funders).items():
                _count(self.shared, accounts.earned(funder_id), asset, share)
        if overrun:
            _count(self.shared, accounts.EARNED_OF_OVERRUN, money, overrun)
            _count(self.shared, accounts.OVERRUN, money, -overrun)

    def earned(self, grants: Mapping[str, Grant]) -> dict[Key, int]:
        """What all that brought the facility, by (account, asset)."""
        earned = dict(self.shared)
        for (payer, asset), amount in self.paid.items():
            if payer == WALLET:
                _count(earned, accounts.EARNED_OF_WALLETS, asset, amount)
            elif payer in grants and len(grants[payer].funders) == 1:
                _count(earned, accounts.earned(grants[payer].funders[0][0]), asset, amount)
        return earned


def _count(sums: dict[Key, int], account: str, asset: str, amount: int) -> None:
    sums[account, asset] = sums.get((account, asset), 0) + amount


HoldRow = tuple[str, str, str, int, str, str, str, str, int, int, int, int | None]
"""A hold as stored: job_id, project_id, asset, amount, body, capture, claims, state, charged, overrun, created_us,
closed_us; texts as in `ledger.hold_text`."""


def sound(
    row: HoldRow, claims: Scopes, units_held: int, grants: Mapping[str, Grant], sums: Sums, parse: Callable[[str], Any]
) -> bool:
    """Whether a row holds what `ledger.invariants` asks of a hold; if so it has been counted into `sums`.

    `claims` are those of the row, read already; `units_held` is what its entry moved. Raises anything (KeyError,
    TypeError, ValueError, …) for texts that are not what they should be.
    """
    project_id, money, amount, state, overrun = row[1], row[2], row[3], row[7], row[9]
    backing = parse(row[4])
    lines = backing["lines"]
    ceilings = {line[0]: line for line in lines}
    if backing["asset"] != money or len(ceilings) != len(lines) or amount != _price(lines):
        return False
    taken = _captured(row, len(backing["slices"]), parse)
    if taken is None:
        return False
    captured, settled = taken
    held = dict.fromkeys(ceilings, 0)
    paid = dict.fromkeys(ceilings, 0)
    slices = _slices(row, backing["slices"], captured, ceilings, held, paid, grants)
    if slices is None or sum([part[1] for part in slices]) != units_held:
        return False
    if not _lines_are_paid(ceilings, settled, held, paid, overrun):
        return False
    if claims:
        counted = [part[1] for part in slices] if state == "open" else captured
        price = amount if state == "open" else sum(paid.values())
        if not _claims_fit(claims, slices, counted, price, grants):
            return False
        for scope, change in claims:
            sums.claimed[scope] = sums.claimed.get(scope, 0) + change
    if state == "open":
        sums.hold(project_id, slices)
    elif state == "settled":
        sums.capture(slices, captured, money, overrun, grants)
    return True


def _captured(row: HoldRow, slices: int, parse: Callable[[str], Any]) -> tuple[list[int], list[Any]] | None:
    """What each slice captured (nothing, unless the hold is settled) and the settled lines; None for what cannot be."""
    capture, state, charged, overrun = row[5], row[7], row[8], row[9]
    if state == "settled":
        found = parse(capture)
        captured, settled = found["captured"], found["lines"]
        if found["overrun"] != overrun or charged != _price(settled) or len(captured) != slices:
            return None
        return captured, settled
    if state not in ("open", "voided") or capture or charged or overrun:
        return None
    return [0] * slices, []


def _slices(
    row: HoldRow,
    parts: list[Any],
    captured: list[int],
    ceilings: dict[str, Any],
    held: dict[str, int],
    paid: dict[str, int],
    grants: Mapping[str, Grant],
) -> list[tuple[str, int, str]] | None:
    """(payer, units, asset) of each slice; adds what it holds and paid, in money, to its line. None: it can't be."""
    project_id, money = row[1], row[2]
    slices = []
    # Filled only where a slice paid more than it held, which is rare: then its payer's others must have paid less.
    over: dict[Key, int] = {}
    for (payer, resource, units, asset, worth, share_ppm, _, _), taken in zip(parts, captured, strict=True):
        if taken < 0 or not 0 < share_ppm <= FULL_PPM or type(taken) is not int:
            return None
        if taken > units:
            over[payer, asset] = 0
        if payer != WALLET:
            grant = grants[payer]
            if grant.project_id != project_id or grant.asset != asset:
                return None
        if asset == money:
            in_money, paid_in_money = units, taken
        else:
            line = ceilings[resource]
            in_money, paid_in_money = units // line[3] * line[2], taken // line[3] * line[2]
        if worth != in_money:
            return None
        held[resource] += worth
        paid[resource] += paid_in_money
        slices.append((payer, units, asset))
    if over:
        for (payer, units, asset), taken in zip(slices, captured, strict=True):
            over[payer, asset] = over.get((payer, asset), 0) + taken - units
        if max(over.values()) > 0:
            return None
    return slices


def _claims_fit(
    claims: Scopes, slices: list[tuple[str, int, str]], counted: list[int], price: int, grants: Mapping[str, Grant]
) -> bool:
    by_programme: dict[str, int] = {}
    for (payer, _, _), units in zip(slices, counted, strict=True):
        if payer != WALLET:
            programme_id = grants[payer].programme_id
            by_programme[programme_id] = by_programme.get(programme_id, 0) + units
    for scope, change in claims:
        programme = programme_of_scope(scope)
        if change != (price if programme is None else by_programme.get(programme, 0)):
            return False
    return True


def _price(lines: list[Any]) -> int:
    total = 0
    for _, quantity, unit_price, quantum, _ in lines:
        if quantity < 0 or unit_price < 0 or quantum < 1:
            return -1
        total += quantity * unit_price
    return total


def _lines_are_paid(
    ceilings: dict[str, Any], settled: list[Any], held: dict[str, int], paid: dict[str, int], overrun: int
) -> bool:
    """Each line is backed, what was used of it is paid, and what exceeds it is overrun."""
    left = overrun
    due = 0
    for resource, quantity, unit_price, _, _ in settled:
        price, most = quantity * unit_price, 0
        ceiling = ceilings.get(resource)
        if ceiling is not None:
            most = ceiling[1] * ceiling[2]
        if price > most:
            left -= price - most
            price = most
        if paid.get(resource, 0) != price:
            return False
        due += price
    if left or sum(paid.values()) != due:
        return False
    for resource, line in ceilings.items():  # noqa: SIM110 - all(…) takes twice as long
        if held[resource] != line[1] * line[2]:
            return False
    return True
