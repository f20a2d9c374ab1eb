"""A project's month adds up: the figures of acme and zeta in an autumn, worked out by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from ledger.flows import Flow, balances_of, flows_of
from ledger.model import WALLET, BrokenInvariant
from ledger.month_statement import MonthStatement, PayerLine, UsageLine, month_statement
from ledger.months import Month
from ledger.periods import AsOf, Close, as_of


@pytest.fixture(scope="module")
def told(bookstory: Any) -> Any:
    """October and what came after; October was closed before its last settlement was posted."""
    story = bookstory.Story()
    story.october()
    until = bookstory.OCTOBER.until_us(bookstory.ZONE)
    story.closes = [Close(bookstory.OCTOBER, until, len(story.entries), 0, "op", "{}", "")]
    story.november()
    story.december()
    return story


def statement(told: Any, bookstory: Any, month: Month, project_id: str) -> MonthStatement:
    before, until = (as_of(each, told.closes, bookstory.ZONE) for each in (month.step(-1), month))
    numbered = list(enumerate(told.entries, 1))

    def some(state: AsOf) -> list[Any]:
        return [entry for seq, entry in numbered if state.covers(seq, entry.at_us)]

    earlier = some(before)
    inside = [entry for entry in some(until) if entry not in earlier]
    opening = balances_of(flows_of(earlier, {}))
    grants = told.book.grants.values()
    return month_statement(project_id, "CNY", grants, opening, flows_of(inside, told.facts))


def test_october_of_acme(told: Any, bookstory: Any) -> None:
    found = statement(told, bookstory, bookstory.OCTOBER, "acme")
    # Job a: 1,000 + 101 * 500 = 51,500, of which 60 % are 30,900. Three holds of 201,000: 120,600 and 80,400 each.
    assert found.lines == [
        PayerLine(
            "g-acme", "CNY", "vouchers", issued=1_000_000, settled=30_900, closing=969_100,
            held=361_800, released=89_700, held_closing=241_200,
        ),
        PayerLine(
            WALLET, "CNY", issued=300_000, settled=20_600, closing=279_400,
            held=241_200, released=59_800, held_closing=160_800,
        ),
    ]  # fmt: skip
    assert found.usage == [
        UsageLine("g-acme", "CNY", "acme-ann", "chemistry", "aer", settled=30_900),
        UsageLine(WALLET, "CNY", "acme-ann", "chemistry", "aer", settled=20_600),
    ]
    assert found.absorbed == 0


def test_november_of_acme_has_the_late_settlement_and_the_corrections(told: Any, bookstory: Any) -> None:
    found = statement(told, bookstory, bookstory.NOVEMBER, "acme")
    # Settled: b 90,600, c 3,600, d 120,600. Corrected: a by 15,000, b by 30,000. 50,000 went to zeta.
    assert found.lines == [
        PayerLine(
            "g-acme", "CNY", "vouchers", opening=969_100, transferred_out=50_000, settled=214_800, corrected=45_000,
            closing=749_300, held_opening=241_200, held=120_600, released=147_000,
        ),
        PayerLine(
            WALLET, "CNY", opening=279_400, settled=143_200, corrected=30_000, closing=166_200,
            held_opening=160_800, held=80_400, released=98_000,
        ),
    ]  # fmt: skip
    assert found.usage == [
        UsageLine("g-acme", "CNY", "acme-ann", "chemistry", "aer", settled=120_600, corrected=15_000),
        UsageLine("g-acme", "CNY", "acme-bob", "general", "aer", settled=94_200, corrected=30_000),
        UsageLine(WALLET, "CNY", "acme-ann", "chemistry", "aer", settled=80_400, corrected=10_000),
        UsageLine(WALLET, "CNY", "acme-bob", "general", "aer", settled=62_800, corrected=20_000),
    ]
    assert found.absorbed == 50_000


def test_november_of_zeta_has_a_grant_in_kind_and_what_came_from_another_project(told: Any, bookstory: Any) -> None:
    found = statement(told, bookstory, bookstory.NOVEMBER, "zeta")
    assert found.lines == [
        PayerLine(
            "g-kind", "qpu_ms", "kind", issued=1_000, settled=40, closing=960, held=100, released=60,
        ),
        PayerLine(
            "g-zeta", "CNY", "vouchers", issued=100_000, transferred_in=50_000, withdrawn=9_400, settled=600,
            closing=140_000, held=600,
        ),
        PayerLine(WALLET, "CNY", issued=10_000, settled=400, closing=9_600, held=400),
    ]  # fmt: skip
    assert found.totals()["qpu_ms"]["closing"] == 960
    assert found.totals()["CNY"]["closing"] == 149_600


def test_december_of_acme_is_the_end_of_its_grant(told: Any, bookstory: Any) -> None:
    found = statement(told, bookstory, bookstory.DECEMBER, "acme")
    assert found.lines == [
        PayerLine("g-acme", "CNY", "vouchers", opening=749_300, expired=749_300),
        PayerLine(WALLET, "CNY", opening=166_200, closing=166_200),
    ]
    assert found.usage == []


def test_each_month_begins_where_the_last_one_ended(told: Any, bookstory: Any) -> None:
    ended: dict[str, tuple[int, int]] = {}
    for month in (bookstory.OCTOBER, bookstory.NOVEMBER, bookstory.DECEMBER):
        lines = {line.payer: line for line in statement(told, bookstory, month, "acme").lines}
        for payer, figures in ended.items():
            assert (lines[payer].opening, lines[payer].held_opening) == figures
        ended = {payer: (line.closing, line.held_closing) for payer, line in lines.items()}


def test_what_comes_back_to_an_expired_grant_is_breakage_at_once() -> None:
    from ledger.model import Grant

    grant = Grant("g", "p", (("f", 1),), "acme", "CNY", 100, 0, 9, 0, 0, expired=True)
    opening = {("grant/g/held", "CNY"): 30, ("grant/g/expired", "CNY"): 20}
    flows = [
        Flow("settle", "grant/g/held", "facility/earned/funder/f", "CNY", 10, "acme"),
        Flow("settle", "grant/g/held", "grant/g/expired", "CNY", 20, "acme"),
        Flow("correct", "facility/earned/funder/f", "grant/g/expired", "CNY", 4, "acme"),
    ]
    (line,) = month_statement("acme", "CNY", [grant], opening, flows).lines
    assert line == PayerLine(
        "g", "CNY", "p", opening=30, held_opening=30, settled=10, corrected=4, expired=24, released=20
    )


def test_what_rolls_over_is_not_breakage() -> None:
    from ledger.model import Grant

    grant = Grant("g", "p", (("f", 1),), "acme", "CNY", 100, 0, 9, 0, 0)
    flows = [
        Flow("expire", "grant/g/available", "grant/g/expired", "CNY", 60, "acme"),
        Flow("expire", "grant/g/available", "programme/p/available", "CNY", 40, "acme"),
    ]
    (line,) = month_statement("acme", "CNY", [grant], {("grant/g/available", "CNY"): 100}, flows).lines
    assert (line.opening, line.expired, line.rolled_over, line.closing) == (100, 60, 40, 0)


def test_a_payment_back_is_withdrawn() -> None:
    flows = [Flow("pay_out", "wallet/acme/available", "payer/acme", "CNY", 7, "acme")]
    (line,) = month_statement("acme", "CNY", [], {("wallet/acme/available", "CNY"): 10}, flows).lines
    assert (line.opening, line.withdrawn, line.closing) == (10, 7, 3)


def test_a_flow_that_no_statement_can_explain_is_a_bug(told: Any, bookstory: Any) -> None:
    held = [Flow("hold", "programme/p/available", "grant/g-acme/held", "CNY", 5, "acme")]
    with pytest.raises(BrokenInvariant, match="g-acme"):
        month_statement("acme", "CNY", told.book.grants.values(), {}, held)


def test_the_order_of_the_flows_does_not_matter(told: Any, bookstory: Any) -> None:
    flows = flows_of(told.entries, told.facts)
    whole = month_statement("acme", "CNY", told.book.grants.values(), {}, flows).to_json()
    shuffled = [replace(flow) for flow in flows]
    random.Random(5).shuffle(shuffled)
    assert month_statement("acme", "CNY", told.book.grants.values(), {}, shuffled).to_json() == whole
    assert whole["totals"]["CNY"]["closing"] == 166_200
