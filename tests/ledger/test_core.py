"""Deciding changes nothing, applying changes all or nothing, and every kind of command finds its room."""

from __future__ import annotations

import typing
from dataclasses import replace
from typing import Any

import pytest

from ledger.commands import (
    ClawBack,
    Command,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IncreaseGrant,
    IssueGrant,
    PayOut,
    PlaceHold,
    SettleHold,
    TopUp,
    TransferGrant,
    VoidHold,
)
from ledger.core import apply, decide
from ledger.model import BrokenInvariant, Claim, Entry, Grant, Line, Posting

Ledger = Any  # the fixture's class lives in conftest.py

LINES = (Line("qpu_ms", 5, 1, 1, "r-qpu"),)
COMMANDS: list[tuple[Command, str]] = [
    (FundProgramme(20, "f", "seed", "city", "CNY", 10), "fund/f"),
    (IssueGrant(20, Grant("new", "seed", (("city", 1),), "acme", "CNY", 5, 0, 1000, 0, 0)), "issue/new"),
    (IncreaseGrant(20, "i", "A", 1, ""), "increase/i"),
    (TransferGrant(20, "t", "A", "B", 1, ""), "transfer/t"),
    (ClawBack(20, "b", "A", 1, ""), "claw_back/b"),
    (ExpireGrant(1000, "A"), "expire/A"),
    (TopUp(20, "u", "acme", "CNY", 1), "top_up/u"),
    (PayOut(20, "o", "acme", "CNY", 1), "pay_out/o"),
    (PlaceHold(20, "new", "acme", "CNY", LINES), "hold/new"),
    (SettleHold(20, "open", LINES), "settle/open"),
    (VoidHold(20, "open"), "void/open"),
    (CorrectJob(20, "c", "settled", LINES, ""), "correct/c"),
]


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """Grants A and B, money in the programme and in the wallet, a job that is open and one that is settled."""
    ledger.grant("A", 100, priority=1)
    ledger.grant("B", 100, priority=2)
    ledger.fund(50)
    ledger.top_up(50)
    ledger.hold("open", 10)
    ledger.hold("settled", 10)
    ledger.settle("settled", 8)
    return ledger


def test_every_command_is_in_the_table() -> None:
    assert {type(command) for command, _ in COMMANDS} == set(typing.get_args(Command))


@pytest.mark.parametrize(("command", "entry_id"), COMMANDS)
def test_deciding_changes_nothing_and_names_the_entry_by_its_subject(
    busy: Ledger, command: Command, entry_id: str
) -> None:
    before = busy.book.copy()
    entry = decide(busy.book, command)
    assert isinstance(entry, Entry)
    assert (entry.id, entry.at_us) == (entry_id, command.at_us)
    assert busy.book == before
    assert decide(busy.book, command) == entry


@pytest.mark.parametrize(("command", "entry_id"), COMMANDS)
def test_applying_keeps_the_sum_of_all_accounts_at_zero(busy: Ledger, command: Command, entry_id: str) -> None:
    entry = busy.post(command)
    assert entry.id == entry_id
    assert sum(busy.book.balances.values()) == 0


def test_an_entry_that_would_overdraw_an_account_leaves_the_book_as_it_was(busy: Ledger) -> None:
    before = busy.book.copy()
    moved = (Posting("grant/A/available", "facility/earned/funder/city", 1_000, "CNY"),)
    with pytest.raises(BrokenInvariant, match="would leave -918 CNY on grant/A/available"):
        apply(busy.book, Entry("fund/x", "fund", 20, moved))
    assert busy.book == before


def test_postings_of_one_entry_count_together(busy: Ledger) -> None:
    """An account may be emptied before it is filled, as long as it is not overdrawn in the end."""
    there = Posting("wallet/poor/available", "wallet/acme/available", 5, "CNY")
    back = Posting("wallet/acme/available", "wallet/poor/available", 5, "CNY")
    apply(busy.book, Entry("fund/x", "fund", 20, (there, back)))
    assert busy.on("wallet/poor/available") == 0


def test_a_limit_is_never_below_nothing(busy: Ledger) -> None:
    before = busy.book.copy()
    with pytest.raises(BrokenInvariant, match="would leave -1 claimed of pool/seed/2026"):
        apply(busy.book, Entry("fund/x", "fund", 20, (), claims=(Claim("pool/seed/2026", -1),)))
    assert busy.book == before


@pytest.mark.parametrize("number", range(3))
def test_what_was_posted_is_not_posted_again(busy: Ledger, number: int) -> None:
    """The entries about holds protect themselves; the store's unique id protects the others too."""
    hold, _, settle = busy.entries[-3:]
    entry = (hold, settle, replace(settle, id="void/settled", kind="void"))[number]
    with pytest.raises(BrokenInvariant, match="does not fit the book"):
        apply(busy.book, entry)
