"""What jobs were charged in a period, and what corrections gave back, in the money that prices are in.

A job settled in the period counts as it stands at the end: corrections posted in the same period are in it. A job that
was settled before counts by what its corrections changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ledger.flows import JobFacts
from ledger.funders import split
from ledger.hold_text import Backing, Capture, backing_from, capture_from
from ledger.model import WALLET, BrokenInvariant, Entry, Grant, Line, Slice

FACILITY = "facility"
"""Who bears what exceeded a hold."""


@dataclass(frozen=True, slots=True)
class Charged:
    """A job in a period: its capture before, None where it was not yet settled, and its capture at the end.

    `entries` are the ids of the period's settlement and corrections, `at_us` is the instant of the last one.
    """

    job: JobFacts
    backing: Backing
    before: Capture | None
    after: Capture
    entries: tuple[str, ...]
    at_us: int

    @property
    def is_correction(self) -> bool:
        """Whether it changes what an earlier period was charged."""
        return self.before is not None

    def quantities(self) -> list[tuple[Line, int]]:
        """Each line with its quantity in the period; of a correction with the change, negative for what came back."""
        if self.before is None:
            return [(line, line.quantity) for line in self.after.lines]
        now = {line.resource: line.quantity for line in self.after.lines}
        changes = [(line, now.get(line.resource, 0) - line.quantity) for line in self.before.lines]
        return [(line, change) for line, change in changes if change]

    @property
    def price(self) -> int:
        """Σ quantity × unit price."""
        return sum(quantity * line.unit_price for line, quantity in self.quantities())

    def credits(self, grants: Mapping[str, Grant]) -> list[Credit]:
        """Who bore how much of the price, by grant and funder, and the facility for the overrun; the rest is co-pay."""
        now = _borne(self.backing, self.after, grants)
        before = {} if self.before is None else _borne(self.backing, self.before, grants)
        found = []
        for key in dict.fromkeys((*now, *before)):
            amount = now.get(key, 0) - before.get(key, 0)
            if amount:
                found.append(Credit(*key, amount))
        return found

    def copay(self, grants: Mapping[str, Grant]) -> int:
        """What the project itself paid in the period."""
        return self.price - sum(credit.amount for credit in self.credits(grants))


@dataclass(frozen=True, slots=True)
class Credit:
    """`amount` micro-units of a job's price that a funder bore by a grant; negative where they were given back.

    For the facility's own loss `funder_id` is `FACILITY`, the others are "".
    """

    funder_id: str
    grant_id: str
    programme_id: str
    rule: str
    amount: int


def _borne(backing: Backing, capture: Capture, grants: Mapping[str, Grant]) -> dict[tuple[str, str, str, str], int]:
    prices = {line.resource: line for line in backing.lines}
    worth: dict[str, int] = {}
    rules: dict[str, str] = {}
    for part, amount in zip(backing.slices, capture.captured, strict=True):
        if part.payer != WALLET:
            worth[part.payer] = worth.get(part.payer, 0) + _worth(part, amount, backing.asset, prices[part.resource])
            rules.setdefault(part.payer, part.rule)
    found: dict[tuple[str, str, str, str], int] = {}
    for grant_id, amount in worth.items():
        grant = grants[grant_id]
        for funder_id, share in split(amount, grant.funders).items():
            found[funder_id, grant_id, grant.programme_id, rules[grant_id]] = share
    if capture.overrun:
        found[FACILITY, "", "", ""] = capture.overrun
    return found


def _worth(part: Slice, amount: int, money: str, price: Line) -> int:
    return amount if part.asset == money else price.worth(amount)


@dataclass(frozen=True, slots=True)
class History:
    """All settlements and corrections of one job up to the end of a period, in order; `inside` are the ids of those in
    the period, `backing` is the text of its hold.
    """

    job: JobFacts
    backing: str
    entries: tuple[Entry, ...]
    inside: frozenset[str]


def charged(histories: Iterable[History]) -> Iterator[Charged]:
    """The charges of jobs in the period of their histories."""
    for history in histories:
        before: Capture | None = None
        after: Capture | None = None
        ids: list[str] = []
        at_us = 0
        for entry in history.entries:
            if entry.id in history.inside:
                after = capture_from(entry.body)
                ids.append(entry.id)
                at_us = entry.at_us
            elif ids:
                raise BrokenInvariant(f"job {history.job.job_id}: entry {entry.id} follows those of its period")
            else:
                before = capture_from(entry.body)
        if after is not None:
            yield Charged(history.job, backing_from(history.backing), before, after, tuple(ids), at_us)


def corrections(histories: Iterable[History]) -> Iterator[tuple[Charged, bool]]:
    """Each correction of the period by itself, and whether the job was settled in an earlier period."""
    for history in histories:
        earlier = history.entries[0].id not in history.inside
        backing, before = backing_from(history.backing), capture_from(history.entries[0].body)
        for entry in history.entries[1:]:
            after = capture_from(entry.body)
            if entry.id in history.inside:
                yield Charged(history.job, backing, before, after, (entry.id,), entry.at_us), earlier
            before = after
