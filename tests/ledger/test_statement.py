"""A statement adds up to the last unit or is not shown."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.commands import ClawBack, TransferGrant
from ledger.model import BrokenInvariant
from ledger.statement import Figures, settled_by_grant, statement, statement_from_totals

Ledger = Any  # the fixture's class lives in conftest.py


def _busy(ledger: Ledger) -> None:
    ledger.grant("late", 500, priority=2, valid=(0, 2000))
    ledger.grant("soon", 100, priority=1, valid=(0, 1000))
    ledger.grant("shots", 9, asset="shots")
    ledger.hold("paid", 120)
    ledger.settle("paid", 110)
    ledger.hold("over", 10)
    ledger.settle("over", 15)
    ledger.hold("running", 30)
    ledger.hold("void", 10)
    ledger.void("void")


def test_where_a_projects_grants_stand(ledger: Ledger) -> None:
    _busy(ledger)
    ledger.expire("shots")
    shown = statement(ledger.book.grants.values(), ledger.book.balances, ledger.entries)
    assert [(line.grant.id, line.figures) for line in shown.lines] == [
        ("shots", Figures(granted=9, expired=9)),
        ("soon", Figures(granted=100, settled=100)),
        ("late", Figures(granted=500, settled=20, held=30, available=450)),
    ]
    assert shown.totals == (
        ("CNY", Figures(granted=600, settled=120, held=30, available=450)),
        ("shots", Figures(granted=9, expired=9)),
    )
    assert shown.total() == Figures(600, 120, 30, 450, 0)
    assert shown.total("gpu_ms") == Figures()


def test_a_correction_takes_back_what_was_settled(ledger: Ledger) -> None:
    """110 paid 100 and 10; 95 are paid by the first alone."""
    _busy(ledger)
    ledger.correct("paid", 95)
    assert settled_by_grant(ledger.entries) == {"soon": 95, "late": 10}
    ledger.expire("soon")
    ledger.correct("paid", 60, at_us=1500)
    shown = statement(ledger.book.grants.values(), ledger.book.balances, ledger.entries)
    assert shown.lines[1].figures == Figures(granted=100, settled=60, expired=40)


def test_what_operators_move_is_granted_more_or_less(ledger: Ledger) -> None:
    _busy(ledger)
    ledger.post(TransferGrant(50, "t", "late", "soon", 50, ""))
    ledger.post(ClawBack(50, "b", "late", 100, ""))
    shown = statement(ledger.book.grants.values(), ledger.book.balances, ledger.entries)
    assert [line.figures.granted for line in shown.lines] == [9, 150, 350]


def test_what_rolls_over_was_not_granted(ledger: Ledger) -> None:
    ledger.terms(rollover_ppm=250_000, rollover_days=30)
    ledger.grant("G", 100)
    ledger.expire("G")
    (line,) = statement(ledger.book.grants.values(), ledger.book.balances, ledger.entries).lines
    assert line.figures == Figures(granted=75, expired=75)


def test_neither_the_facilitys_loss_nor_the_wallets_money_is_a_grants_payment(ledger: Ledger) -> None:
    _busy(ledger)
    ledger.top_up(1_000)
    ledger.hold("large", 500)
    ledger.settle("large", 500)
    assert settled_by_grant(ledger.entries) == {"soon": 100, "late": 470}
    assert (ledger.on("facility/earned/overrun"), ledger.on("facility/earned/copay")) == (5, 50)


def test_sums_from_elsewhere_give_the_same_statement(ledger: Ledger) -> None:
    _busy(ledger)
    grants, balances = ledger.book.grants.values(), ledger.book.balances
    assert statement_from_totals(grants, balances, {"soon": 100, "late": 20}) == statement(
        grants, balances, ledger.entries
    )


def test_figures_that_do_not_add_up_are_not_shown(ledger: Ledger) -> None:
    _busy(ledger)
    ledger.entries = [entry for entry in ledger.entries if entry.id != "settle/paid"]
    with pytest.raises(BrokenInvariant, match="grant soon: granted 100, accounted for 0"):
        statement(ledger.book.grants.values(), ledger.book.balances, ledger.entries)


def test_no_grants_no_lines() -> None:
    shown = statement((), {}, ())
    assert (shown.lines, shown.totals, shown.total()) == ((), (), Figures())
