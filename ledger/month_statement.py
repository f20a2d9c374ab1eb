"""The statement of a project for a month: what each payer began with, got, paid and ended with; it adds up.

A payer is a grant or the project's wallet. `opening` and `closing` hold what is available and what is held for jobs;
the part that is held has its own line through the month: held_opening + held - settled - released = held_closing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ledger import accounts
from ledger.book import burn_order
from ledger.flows import Flow
from ledger.model import WALLET, BrokenInvariant, Grant

Balances = Mapping[tuple[str, str], int]


@dataclass(slots=True)
class PayerLine:
    """One payer in one asset. opening + issued + transferred_in - transferred_out - withdrawn - settled + corrected -
    expired - rolled_over = closing. `issued` is what was granted or paid in, `withdrawn` what was clawed back or paid
    out, `corrected` what corrections of settled jobs gave back, `expired` what became breakage.
    """

    payer: str
    asset: str
    programme_id: str = ""
    opening: int = 0
    issued: int = 0
    transferred_in: int = 0
    transferred_out: int = 0
    withdrawn: int = 0
    settled: int = 0
    corrected: int = 0
    expired: int = 0
    rolled_over: int = 0
    closing: int = 0
    held_opening: int = 0
    held: int = 0
    released: int = 0
    held_closing: int = 0


FIGURES = tuple(each.name for each in fields(PayerLine) if each.name not in ("payer", "asset", "programme_id"))


@dataclass(slots=True)
class UsageLine:
    """What one payer paid for one member's jobs of one category on one backend."""

    payer: str
    asset: str
    member_id: str
    category: str
    backend: str
    settled: int = 0
    corrected: int = 0


@dataclass(slots=True)
class MonthStatement:
    """Lines per payer, grants in burn order and the wallet last; sums per asset; use; what the facility bore."""

    lines: list[PayerLine] = field(default_factory=list)
    usage: list[UsageLine] = field(default_factory=list)
    absorbed: int = 0

    def totals(self) -> dict[str, dict[str, int]]:
        """The figures of all payers together, by asset."""
        found: dict[str, dict[str, int]] = {}
        for line in self.lines:
            sums = found.setdefault(line.asset, dict.fromkeys(FIGURES, 0))
            for name in FIGURES:
                sums[name] += getattr(line, name)
        return found

    def to_json(self) -> dict[str, Any]:
        """As plain dicts, lists, strings and integers."""
        return {
            "lines": [asdict(line) for line in self.lines],
            "totals": self.totals(),
            "usage": [asdict(line) for line in self.usage],
            "absorbed_by_facility": self.absorbed,
        }


def month_statement(
    project_id: str, money: str, grants: Iterable[Grant], opening: Balances, flows: Iterable[Flow]
) -> MonthStatement:
    """The statement from the project's grants, the balances at the month's begin, and the flows of the month.

    Grants and wallets that neither stood nor moved have no line. Raises BrokenInvariant when a line doesn't add up.
    """
    own = sorted((grant for grant in grants if grant.project_id == project_id), key=burn_order)
    lines = {grant.id: PayerLine(grant.id, grant.asset, grant.programme_id) for grant in own}
    lines[WALLET] = PayerLine(WALLET, money)
    places = _places(project_id, own)
    for account, (payer, role) in places.items():
        amount = opening.get((account, lines[payer].asset), 0)
        if role != "expired":
            lines[payer].opening += amount
        if role == "held":
            lines[payer].held_opening += amount
    usage: dict[tuple[str, ...], UsageLine] = {}
    moved = dict.fromkeys(places, 0)
    absorbed = 0
    for flow in flows:
        absorbed += _absorbed(flow)
        for account, change in ((flow.source, -flow.amount), (flow.destination, flow.amount)):
            if account in places:
                moved[account] += change
        _count(flow, places, lines, usage)
    roles: dict[str, list[tuple[str, str]]] = {}
    for account, (payer, role) in places.items():
        roles.setdefault(payer, []).append((account, role))
    for payer, line in lines.items():
        _close(line)
        stands = {role: opening.get((account, line.asset), 0) + moved[account] for account, role in roles[payer]}
        if (line.closing, line.held_closing) != (stands["available"] + stands["held"], stands["held"]):
            raise BrokenInvariant(f"project {project_id}: {line} does not lead to {stands}")
    shown = [line for line in lines.values() if any(getattr(line, name) for name in FIGURES)]
    return MonthStatement(shown, [usage[key] for key in sorted(usage)], absorbed)


def _places(project_id: str, grants: Iterable[Grant]) -> dict[str, tuple[str, str]]:
    """Accounts of the project's payers, with the payer and what it is to it."""
    places = {accounts.wallet(project_id): (WALLET, "available"), accounts.wallet_held(project_id): (WALLET, "held")}
    for grant in grants:
        places[accounts.available(grant.id)] = (grant.id, "available")
        places[accounts.held(grant.id)] = (grant.id, "held")
        places[accounts.expired(grant.id)] = (grant.id, "expired")
    return places


def _absorbed(flow: Flow) -> int:
    if flow.source == accounts.OVERRUN:
        return flow.amount
    return -flow.amount if flow.destination == accounts.OVERRUN else 0


def _count(
    flow: Flow,
    places: Mapping[str, tuple[str, str]],
    lines: Mapping[str, PayerLine],
    usage: dict[tuple[str, ...], UsageLine],
) -> None:
    """Enter a flow into the figures of the payers at its two ends."""
    source, destination = places.get(flow.source), places.get(flow.destination)
    if source is not None and destination is not None and source[0] == destination[0]:
        _inside(lines[source[0]], source[1], destination[1], flow.amount)
    elif accounts.is_earned(flow.destination) and source is not None:
        _paid(flow, lines[source[0]], source[1], flow.amount, usage)
    elif accounts.is_earned(flow.source) and destination is not None:
        _paid(flow, lines[destination[0]], destination[1], -flow.amount, usage)
    else:
        if source is not None:
            _out(flow, lines[source[0]])
        if destination is not None:
            _in(flow, lines[destination[0]])


def _inside(line: PayerLine, source: str, destination: str, amount: int) -> None:
    """Between the accounts of one payer."""
    if destination == "held":
        line.held += amount
    if source == "held":
        line.released += amount
    if destination == "expired":
        line.expired += amount


def _paid(flow: Flow, line: PayerLine, role: str, amount: int, usage: dict[tuple[str, ...], UsageLine]) -> None:
    """To the facility, or (amount < 0) back from it; what comes back to an expired grant is breakage at once."""
    key = (line.payer, line.asset, flow.member_id, flow.category, flow.backend)
    use = usage.setdefault(key, UsageLine(*key))
    if flow.kind == "correct":
        line.corrected -= amount
        use.corrected -= amount
        if role == "expired":
            line.expired -= amount
    else:
        line.settled += amount
        use.settled += amount


def _in(flow: Flow, line: PayerLine) -> None:
    if flow.kind == "transfer":
        line.transferred_in += flow.amount
    else:
        line.issued += flow.amount


def _out(flow: Flow, line: PayerLine) -> None:
    match flow.kind:
        case "transfer":
            line.transferred_out += flow.amount
        case "expire":
            line.rolled_over += flow.amount
        case _:
            line.withdrawn += flow.amount


def _close(line: PayerLine) -> None:
    line.closing = (
        line.opening
        + line.issued
        + line.transferred_in
        - line.transferred_out
        - line.withdrawn
        - line.settled
        + line.corrected
        - line.expired
        - line.rolled_over
    )
    line.held_closing = line.held_opening + line.held - line.settled - line.released
