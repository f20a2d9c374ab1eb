"""Whatever happens, whenever months are closed: months join, closed ones stay, together they are the book."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import accounts, core
from ledger.book import Book
from ledger.charges import History, charged
from ledger.commands import (
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IssueGrant,
    PlaceHold,
    SettleHold,
    TopUp,
    VoidHold,
)
from ledger.flows import JobFacts, balances_of, flows_of
from ledger.hold_text import Backing, backing_text
from ledger.model import WALLET, Entry, Grant, Line
from ledger.month_statement import FIGURES, MonthStatement, month_statement
from ledger.months import Month
from ledger.periods import AsOf, Close, as_of
from ledger.terms import Rule, Terms

MONTHS = [Month(2026, number) for number in range(1, 7)]
DAY_US = 86_400_000_000
START_US, END_US = MONTHS[0].from_us(UTC), MONTHS[-1].until_us(UTC)
GRANTS = (
    Grant("g-1", "p-1", (("f", 2), ("h", 1)), "acme", "CNY", 60_000, 0, MONTHS[2].until_us(UTC), 0, START_US),
    Grant("g-2", "p-2", (("h", 1),), "acme", "CNY", 40_000, 0, END_US, 1, START_US),
    Grant("g-3", "p-3", (("f", 3), ("h", 4)), "acme", "qpu_ms", 50, 0, END_US, 0, START_US),
)


def lines(qpu_ms: int) -> tuple[Line, ...]:
    return (Line("job", 1, 7), Line("qpu_ms", qpu_ms, 131))


@dataclass
class World:
    """A book, its entries in order, and the closes with the balances that stood when they were made."""

    book: Book = field(default_factory=Book.empty)
    entries: list[Entry] = field(default_factory=list)
    closes: list[Close] = field(default_factory=list)
    stood: list[dict[tuple[str, str], int]] = field(default_factory=list)
    numbers: int = 0

    def post(self, command: Any) -> None:
        answer = core.decide(self.book, command)
        if isinstance(answer, Entry):
            core.apply(self.book, answer)
            self.entries.append(answer)

    def some(self, after: AsOf | None, until: AsOf) -> list[Entry]:
        return [
            entry
            for seq, entry in enumerate(self.entries, 1)
            if until.covers(seq, entry.at_us) and not (after is not None and after.covers(seq, entry.at_us))
        ]

    def state(self, month: Month) -> AsOf:
        return as_of(month, self.closes, UTC)

    def balances(self, state: AsOf) -> dict[tuple[str, str], int]:
        return balances_of(flows_of(self.some(None, state), {}))

    def close(self) -> None:
        """The next month; the last one stays open for what is posted late."""
        if len(self.closes) < len(MONTHS) - 1:
            month = MONTHS[len(self.closes)]
            self.closes.append(Close(month, month.until_us(UTC), len(self.entries), 0, "op", "", ""))
            self.stood.append(self.balances(self.closes[-1].as_of))

    def act(self, act: str, day: int, amount: int) -> None:
        """Something on a day of the half-year; what the book refuses does not happen."""
        at_us = START_US + day * DAY_US
        self.numbers += 1
        jobs = list(self.book.holds)
        job_id = jobs[amount % len(jobs)] if jobs else ""
        match act:
            case "hold":
                self.post(PlaceHold(at_us, f"j{self.numbers}", "acme", "CNY", lines(amount)))
            case "settle":
                self.post(SettleHold(at_us, job_id, lines(amount)))
            case "void":
                self.post(VoidHold(at_us, job_id))
            case "correct":
                self.post(CorrectJob(at_us, f"c{self.numbers}", job_id, lines(amount // 3), "why"))
            case "top_up":
                self.post(TopUp(at_us, f"t{self.numbers}", "acme", "CNY", amount * 100))
            case "expire":
                self.post(ExpireGrant(at_us, "g-1"))
            case "close":
                self.close()

    def histories(self, after: AsOf | None, until: AsOf) -> list[History]:
        found = []
        for job_id, hold in self.book.holds.items():
            own = [e for e in self.some(None, until) if e.job_id == job_id and e.kind in ("settle", "correct")]
            inside = frozenset(entry.id for entry in self.some(after, until) if entry in own)
            if inside:
                text = backing_text(Backing(hold.asset, hold.lines, hold.slices, hold.cuts))
                found.append(History(JobFacts(job_id, "acme"), text, tuple(own), inside))
        return found


def world_of(acts: list[tuple[str, int, int]]) -> World:
    world = World()
    world.book.terms["p-1"] = Terms("p-1", 1, (Rule(330_000),))
    for programme_id, asset in (("p-1", "CNY"), ("p-2", "CNY"), ("p-3", "qpu_ms")):
        world.post(FundProgramme(START_US, programme_id, programme_id, "f", asset, 10**6))
    for grant in GRANTS:
        world.post(IssueGrant(START_US, grant))
    world.post(TopUp(START_US, "first", "acme", "CNY", 20_000))
    for act, day, amount in acts:
        world.act(act, day, amount)
    return world


# Days grow, so that a job is settled after it was held; what is posted after a close may be of an earlier month.
ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["hold", "hold", "settle", "settle", "void", "correct", "correct", "top_up", "expire", "close"]
        ),
        st.integers(0, 179),
        st.integers(1, 60),
    ),
    min_size=10,
    max_size=60,
).map(
    lambda acts: [(act, day, amount) for (act, _, amount), day in zip(acts, sorted(d for _, d, _ in acts), strict=True)]
)


def statement(world: World, month: Month) -> MonthStatement:
    before, until = world.state(month.step(-1)), world.state(month)
    flows = flows_of(world.some(before, until), {})
    return month_statement("acme", "CNY", world.book.grants.values(), world.balances(before), flows)


@settings(max_examples=300)
@given(ACTS)
def test_months_join_and_together_are_the_book(acts: list[tuple[str, int, int]]) -> None:
    world = world_of(acts)
    ended: dict[str, tuple[int, int]] = {}
    sums: dict[str, dict[str, int]] = {}
    for month in MONTHS:
        lines = {line.payer: line for line in statement(world, month).lines}
        for payer, stood in ended.items():
            begun = (lines[payer].opening, lines[payer].held_opening) if payer in lines else (0, 0)
            assert begun == stood
        ended = {payer: (line.closing, line.held_closing) for payer, line in lines.items()}
        for payer, line in lines.items():
            total = sums.setdefault(payer, dict.fromkeys(FIGURES, 0))
            for name in FIGURES:
                total[name] += getattr(line, name)
    whole = month_statement("acme", "CNY", world.book.grants.values(), {}, flows_of(world.entries, {}))
    for line in whole.lines:
        for name in FIGURES:
            if "opening" not in name and "closing" not in name:
                assert sums[line.payer][name] == getattr(line, name), (line.payer, name)
    for grant in GRANTS:
        names = (accounts.available(grant.id), accounts.held(grant.id))
        standing = tuple(world.book.balance(name, grant.asset) for name in names)
        assert ended.get(grant.id, (0, 0)) == (sum(standing), standing[1])


@settings(max_examples=300)
@given(ACTS)
def test_the_balances_of_a_closed_month_stay(acts: list[tuple[str, int, int]]) -> None:
    world = world_of(acts)
    for close, stood in zip(world.closes, world.stood, strict=True):
        assert world.balances(close.as_of) == stood


@settings(max_examples=300)
@given(ACTS)
def test_all_months_together_charge_a_job_what_its_hold_has_captured(acts: list[tuple[str, int, int]]) -> None:
    world = world_of(acts)
    copay: dict[str, int] = {}
    borne: dict[tuple[str, str], int] = {}
    for month in MONTHS:
        for charge in charged(world.histories(world.state(month.step(-1)), world.state(month))):
            job_id = charge.job.job_id
            copay[job_id] = copay.get(job_id, 0) + charge.copay(world.book.grants)
            for credit in charge.credits(world.book.grants):
                key = (job_id, credit.grant_id)
                borne[key] = borne.get(key, 0) + credit.amount
    for job_id, hold in world.book.holds.items():
        if hold.state != "settled":
            assert job_id not in copay
            continue
        paid = dict.fromkeys((part.payer for part in hold.slices), 0)
        prices = {line.resource: line for line in hold.lines}
        for part, amount in zip(hold.slices, hold.captured, strict=True):
            paid[part.payer] += amount if part.asset == "CNY" else prices[part.resource].worth(amount)
        assert copay[job_id] == paid.get(WALLET, 0)
        for payer, amount in paid.items():
            if payer != WALLET:
                assert borne.get((job_id, payer), 0) == amount
        assert borne.get((job_id, ""), 0) == hold.overrun
