"""A project's own money comes in, pays, and goes out again."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.book import Book
from ledger.commands import PayOut, TopUp
from ledger.core import decide
from ledger.model import Entry, Posting, Refusal

Ledger = Any  # the fixture's class lives in conftest.py


def test_money_comes_in_and_goes_out(ledger: Ledger) -> None:
    entry = ledger.post(TopUp(1, "bank-17", "acme", "CNY", 500))
    assert entry == Entry(
        "top_up/bank-17", "top_up", 1, (Posting("payer/acme", "wallet/acme/available", 500, "CNY"),), project_id="acme"
    )
    entry = ledger.post(PayOut(2, "bank-18", "acme", "CNY", 200))
    assert entry == Entry(
        "pay_out/bank-18",
        "pay_out",
        2,
        (Posting("wallet/acme/available", "payer/acme", 200, "CNY"),),
        project_id="acme",
    )
    assert (ledger.of_wallet(), ledger.on("payer/acme")) == ((300, 0), -300)


def test_what_is_held_is_not_paid_out(ledger: Ledger) -> None:
    ledger.top_up(500)
    ledger.hold("j1", 400)
    assert ledger.of_wallet() == (100, 400)
    assert ledger.refuse(PayOut(2, "p", "acme", "CNY", 101)) == Refusal(
        "wallet_short",
        "the wallet has 0.000100 CNY available, 0.000001 CNY less than is to be paid out",
        (("needed", 101), ("available", 100), ("asset", "CNY")),
    )
    ledger.post(PayOut(2, "p", "acme", "CNY", 100))


def test_another_projects_wallet_is_another_wallet(ledger: Ledger) -> None:
    ledger.top_up(500, project="rival")
    assert ledger.refuse(PayOut(2, "p", "acme", "CNY", 1)).code == "wallet_short"
    assert ledger.hold("j1", 1).code == "no_grant"


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_not_paid_in_or_out(amount: int) -> None:
    for command in (TopUp(1, "x", "acme", "CNY", amount), PayOut(1, "x", "acme", "CNY", amount)):
        with pytest.raises(ValueError, match="a posting moves at least 1 unit"):
            decide(Book.empty(), command)
