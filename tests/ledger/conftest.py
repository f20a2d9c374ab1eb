"""A small world for stories about money: a funder, a programme, terms, and the grants a story asks for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from ledger.book import Book
from ledger.commands import (
    ANYBODY,
    Command,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IssueGrant,
    PlaceHold,
    SettleHold,
    TopUp,
    VoidHold,
)
from ledger.core import apply, decide
from ledger.hold_text import Backing, Capture, backing_text, capture_text, claims_text
from ledger.model import CNY, Entry, Grant, Hold, Line, Refusal
from ledger.past import Past
from ledger.terms import Budget, Claimant, Rule, Terms


@dataclass
class Ledger:
    """A whole book together with the entries that led to it."""

    book: Book = field(default_factory=Book.empty)
    entries: list[Entry] = field(default_factory=list)

    @staticmethod
    def qpu(quantity: int, unit_price: int = 1, quantum: int = 1) -> Line:
        """A line of QPU time."""
        return Line("qpu_ms", quantity, unit_price, quantum, "r-qpu")

    @staticmethod
    def shots(quantity: int, unit_price: int = 1, quantum: int = 1) -> Line:
        """A line of shots."""
        return Line("shots", quantity, unit_price, quantum, "r-shots")

    def do(self, command: Command) -> Entry | Refusal:
        answer = decide(self.book, command)
        if isinstance(answer, Entry):
            apply(self.book, answer)
            self.entries.append(answer)
        return answer

    def post(self, command: Command) -> Entry:
        answer = self.do(command)
        assert isinstance(answer, Entry), answer
        return answer

    def refuse(self, command: Command) -> Refusal:
        before = self.book.copy()
        answer = self.do(command)
        assert isinstance(answer, Refusal), answer
        assert self.book == before, "a refusal changes nothing"
        return answer

    def fund(self, amount: int, *, programme: str = "seed", funder: str = "city", asset: str = CNY) -> Entry:
        return self.post(FundProgramme(0, f"{programme}-{len(self.entries)}", programme, funder, asset, amount))

    def grant(
        self,
        grant_id: str,
        amount: int,
        *,
        programme: str = "seed",
        funders: tuple[tuple[str, int], ...] = (("city", 1),),
        project: str = "acme",
        asset: str = CNY,
        valid: tuple[int, int] = (0, 1000),
        priority: int = 0,
        created_us: int = 0,
        **restrictions: Any,
    ) -> Grant:
        """Fund the programme with just as much, then issue the grant."""
        self.fund(amount, programme=programme, asset=asset)
        subject = (grant_id, programme, funders, project, asset, amount)
        grant = Grant(*subject, *valid, priority, created_us, **restrictions)
        self.post(IssueGrant(0, grant))
        return grant

    def terms(self, programme: str = "seed", share_ppm: int = 1_000_000, *, version: int = 1, **more: Any) -> Terms:
        """Put terms with one rule in force. What a rule knows goes to the rule, the rest to the terms."""
        names = Rule.__dataclass_fields__.keys()
        rule = Rule(share_ppm, **{name: value for name, value in more.items() if name in names})
        rest = {name: value for name, value in more.items() if name not in names}
        self.book.terms[programme] = terms = Terms(programme, version, (rule,), **rest)
        return terms

    def budget(self, kind: str, key: str, limit: int, *, project: str = "acme") -> None:
        self.book.budgets[project] = (*self.book.budgets.get(project, ()), Budget(project, kind, key, limit))

    def top_up(self, amount: int, *, project: str = "acme") -> Entry:
        return self.post(TopUp(0, f"t{len(self.entries)}", project, CNY, amount))

    def hold(
        self,
        job_id: str,
        *lines: Line | int,
        at_us: int = 10,
        project: str = "acme",
        claimant: Claimant = ANYBODY,
        pinned: tuple[Terms, ...] = (),
    ) -> Entry | Refusal:
        return self.do(PlaceHold(at_us, job_id, project, CNY, _lines(lines), claimant, pinned))

    def settle(self, job_id: str, *lines: Line | int, at_us: int = 20) -> Entry | Refusal:
        return self.do(SettleHold(at_us, job_id, _lines(lines)))

    def void(self, job_id: str, *, at_us: int = 20) -> Entry | Refusal:
        return self.do(VoidHold(at_us, job_id))

    def correct(self, job_id: str, *lines: Line | int, at_us: int = 30, reason: str = "metered twice") -> Any:
        return self.do(CorrectJob(at_us, f"c{len(self.entries)}", job_id, _lines(lines), reason))

    def expire(self, grant_id: str, *, at_us: int = 1000) -> Entry | Refusal:
        return self.do(ExpireGrant(at_us, grant_id))

    def on(self, account: str, asset: str = CNY) -> int:
        return self.book.balance(account, asset)

    def of_grant(self, grant_id: str, asset: str = CNY) -> tuple[int, int, int]:
        """(available, held, expired) of a grant."""
        available, held, expired = (
            self.on(f"grant/{grant_id}/{part}", asset) for part in ("available", "held", "expired")
        )
        return available, held, expired

    def of_wallet(self, project: str = "acme") -> tuple[int, int]:
        """(available, held) of a wallet."""
        return self.on(f"wallet/{project}/available"), self.on(f"wallet/{project}/held")

    def paid(self, job_id: str) -> dict[str, int]:
        """What each payer captured of a settled job, in its own asset."""
        found: dict[str, int] = {}
        hold = self.book.holds[job_id]
        for part, amount in zip(hold.slices, hold.captured, strict=True):
            found[part.payer] = found.get(part.payer, 0) + amount
        return found

    def claimed(self) -> dict[str, int]:
        """What stands on each limit that has anything on it."""
        return {scope: change for scope, change in self.book.claims.items() if change}

    def audited(self) -> list[str]:
        """What the audit of rows says of this book, stored as the service would store it."""
        past = Past()
        past.take_entries(map(_row, self.entries, itertools.count(1)))
        closed: dict[str | None, int] = {}
        for entry in self.entries:
            if entry.kind in ("settle", "void"):
                closed.setdefault(entry.job_id, entry.at_us)
        past.take_holds([_hold_row(hold, closed.get(hold.job_id)) for hold in self.book.holds.values()])
        past.compare(self.book.balances, self.book.claims, list(self.book.grants.values()))
        return past.found


def _row(entry: Entry, seq: int) -> Any:
    subjects = (entry.project_id, entry.job_id, entry.grant_id, entry.programme_id)
    postings = [(seq, one.source, one.destination, one.amount, one.asset) for one in entry.postings]
    return (seq, entry.id, entry.kind, entry.at_us, *subjects, claims_text(entry.claims), entry.body), postings


def _hold_row(hold: Hold, closed_us: int | None) -> Any:
    body = backing_text(Backing(hold.asset, hold.lines, hold.slices, hold.cuts))
    capture = capture_text(Capture(hold.settled, hold.captured, hold.overrun)) if hold.state == "settled" else ""
    subject = (hold.job_id, hold.project_id, hold.asset, hold.amount, body, capture, claims_text(hold.claims))
    return (*subject, hold.state, hold.charged, hold.overrun, hold.created_us, closed_us)


def _lines(lines: tuple[Line | int, ...]) -> tuple[Line, ...]:
    """A bare number is so many milliseconds of QPU time at 1 micro-yuan each."""
    return tuple(Ledger.qpu(line) if isinstance(line, int) else line for line in lines if line != 0)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()
