"""A small world for stories about money: a funder, a programme and the grants a story asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ledger.book import Book
from ledger.commands import Command, ExpireGrant, FundProgramme, IssueGrant, PlaceHold, SettleHold, VoidHold
from ledger.core import apply, decide
from ledger.model import Entry, Grant, Refusal


@dataclass
class Ledger:
    """A whole book together with the entries that led to it."""

    book: Book = field(default_factory=Book.empty)
    entries: list[Entry] = field(default_factory=list)

    def do(self, command: Command) -> Entry | Refusal:
        answer = decide(self.book, command)
        if isinstance(answer, Entry):
            apply(self.book, answer, grant=command.grant if isinstance(command, IssueGrant) else None)
            self.entries.append(answer)
        return answer

    def post(self, command: Command) -> Entry:
        answer = self.do(command)
        assert isinstance(answer, Entry), answer
        return answer

    def refuse(self, command: Command) -> Refusal:
        answer = self.do(command)
        assert isinstance(answer, Refusal), answer
        return answer

    def fund(self, amount: int, *, programme: str = "seed", funder: str = "city", asset: str = "CNY") -> Entry:
        return self.post(FundProgramme(0, f"{programme}-{len(self.entries)}", programme, funder, asset, amount))

    def grant(
        self,
        grant_id: str,
        amount: int,
        *,
        project: str = "acme",
        asset: str = "CNY",
        valid: tuple[int, int] = (0, 1000),
        priority: int = 0,
        created_us: int = 0,
    ) -> Grant:
        """Fund the programme with just as much, then issue the grant."""
        self.fund(amount, asset=asset)
        grant = Grant(grant_id, "seed", "city", project, asset, amount, *valid, priority, created_us)
        self.post(IssueGrant(0, grant))
        return grant

    def hold(self, job_id: str, amount: int, *, at_us: int = 10, project: str = "acme") -> Entry | Refusal:
        return self.do(PlaceHold(at_us, job_id, project, "CNY", amount))

    def settle(self, job_id: str, charge: int, *, at_us: int = 20) -> Entry | Refusal:
        return self.do(SettleHold(at_us, job_id, charge))

    def void(self, job_id: str, *, at_us: int = 20) -> Entry | Refusal:
        return self.do(VoidHold(at_us, job_id))

    def expire(self, grant_id: str, *, at_us: int = 1000) -> Entry | Refusal:
        return self.do(ExpireGrant(at_us, grant_id))

    def on(self, account: str, asset: str = "CNY") -> int:
        return self.book.balance(account, asset)

    def of_grant(self, grant_id: str, asset: str = "CNY") -> tuple[int, int, int]:
        """(available, held, expired) of a grant."""
        available, held, expired = (
            self.on(f"grant/{grant_id}/{part}", asset) for part in ("available", "held", "expired")
        )
        return available, held, expired


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()
