"""Stories of grants: pledged, issued, changed by hand, and ended."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.book import Book
from ledger.commands import ClawBack, FundProgramme, IncreaseGrant, IssueGrant, TransferGrant
from ledger.core import apply, decide
from ledger.grants import rolled_id, rolled_over
from ledger.model import BrokenInvariant, Entry, Grant, Posting, Refusal

Ledger = Any  # the fixture's class lives in conftest.py

CITY = (("city", 1),)


def test_money_travels_from_funder_to_programme_to_grant(ledger: Ledger) -> None:
    funded = ledger.post(FundProgramme(1, "2026-01", "seed", "city", "CNY", 500))
    assert funded == Entry(
        id="fund/2026-01",
        kind="fund",
        at_us=1,
        postings=(Posting("funder/city", "programme/seed/available", 500, "CNY"),),
        programme_id="seed",
    )
    grant = Grant("G", "seed", CITY, "acme", "CNY", 300, 0, 1000, 0, 2)
    issued = ledger.post(IssueGrant(2, grant))
    assert issued.postings == (Posting("programme/seed/available", "grant/G/available", 300, "CNY"),)
    assert (issued.id, issued.project_id, issued.grant_id, issued.programme_id) == ("issue/G", "acme", "G", "seed")
    assert ledger.book.grants == {"G": grant}
    assert ledger.book.balances == {
        ("funder/city", "CNY"): -500,
        ("programme/seed/available", "CNY"): 200,
        ("grant/G/available", "CNY"): 300,
    }


def test_a_programme_gives_out_no_more_than_it_was_given(ledger: Ledger) -> None:
    ledger.fund(500)
    answer = ledger.refuse(IssueGrant(2, Grant("G", "seed", CITY, "acme", "CNY", 501, 0, 1000, 0, 2)))
    assert answer == Refusal(
        "programme_exhausted",
        "programme seed has 0.000500 CNY left to give, 0.000001 CNY less than is asked for",
        (("needed", 501), ("available", 500), ("asset", "CNY")),
    )


def test_a_programme_that_was_given_yuan_gives_out_no_shots(ledger: Ledger) -> None:
    ledger.fund(500)
    answer = ledger.refuse(IssueGrant(2, Grant("G", "seed", CITY, "acme", "shots", 1, 0, 1000, 0, 2)))
    assert answer.code == "programme_exhausted"


def test_a_grant_is_issued_once(ledger: Ledger) -> None:
    grant = ledger.grant("G", 300)
    ledger.fund(300)
    assert ledger.refuse(IssueGrant(3, grant)).code == "grant_exists"


@pytest.mark.parametrize(("amount", "expired"), [(300, True), (0, False)])
def test_a_grant_that_calls_itself_expired_or_is_empty_is_not_issued(amount: int, expired: bool) -> None:
    grant = Grant("G", "seed", CITY, "acme", "CNY", amount, 0, 1000, 0, 2, expired=expired)
    with pytest.raises(ValueError, match="grant G can't be issued"):
        decide(Book.empty(), IssueGrant(3, grant))


def test_a_grant_is_increased_out_of_its_programme(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    answer = ledger.refuse(IncreaseGrant(5, "i1", "G", 1, "they asked"))
    assert answer.code == "programme_exhausted"
    ledger.fund(80)
    entry = ledger.post(IncreaseGrant(5, "i1", "G", 80, "they asked"))
    assert entry.postings == (Posting("programme/seed/available", "grant/G/available", 80, "CNY"),)
    assert (entry.id, entry.body) == ("increase/i1", '{"reason":"they asked"}')
    assert ledger.book.grants["G"].amount == 380
    assert ledger.of_grant("G") == (380, 0, 0)


def test_what_is_clawed_back_can_be_given_to_others(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    answer = ledger.refuse(ClawBack(5, "b1", "G", 201, "idle"))
    assert answer == Refusal(
        "grant_exhausted",
        "grant G has 0.000200 CNY available, 0.000001 CNY less than is to be taken",
        (("needed", 201), ("available", 200), ("asset", "CNY"), ("grant_id", "G")),
    )
    entry = ledger.post(ClawBack(5, "b1", "G", 200, "idle"))
    assert entry.postings == (Posting("grant/G/available", "programme/seed/available", 200, "CNY"),)
    assert (ledger.book.grants["G"].amount, ledger.of_grant("G")) == (100, (0, 100, 0))
    ledger.post(IssueGrant(6, Grant("H", "seed", CITY, "rival", "CNY", 200, 0, 1000, 0, 6)))


def test_a_transfer_moves_the_amount_of_both_grants(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.grant("H", 50, project="rival")
    entry = ledger.post(TransferGrant(5, "t1", "G", "H", 120, "a merger"))
    assert entry.postings == (Posting("grant/G/available", "grant/H/available", 120, "CNY"),)
    assert (entry.project_id, entry.grant_id) == ("acme", "G")
    assert [ledger.book.grants[name].amount for name in "GH"] == [180, 170]
    assert [ledger.of_grant(name) for name in "GH"] == [(180, 0, 0), (170, 0, 0)]


def test_refusals_of_a_transfer_come_in_a_fixed_order(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.grant("other programme", 50, programme="green")
    ledger.grant("other asset", 50, asset="shots")
    ledger.grant("over", 50, valid=(0, 500))
    ledger.expire("over", at_us=500)

    def code(source: str, destination: str, amount: int = 999) -> str:
        return str(ledger.refuse(TransferGrant(600, "t1", source, destination, amount, "")).code)

    assert [code("G", "nobody"), code("nobody", "G")] == ["grant_unknown"] * 2
    assert [code("G", name) for name in ("G", "other programme", "other asset")] == ["transfer_mismatch"] * 3
    assert [code("G", "over"), code("over", "G")] == ["grant_expired"] * 2
    ledger.grant("H", 1)
    assert code("G", "H") == "grant_exhausted"


@pytest.mark.parametrize("amount", [0, -5])
def test_amounts_that_move_nothing_are_the_callers_bug(ledger: Ledger, amount: int) -> None:
    ledger.grant("G", 300)
    ledger.grant("H", 300)
    for command in (
        FundProgramme(0, "x", "seed", "city", "CNY", amount),
        IncreaseGrant(0, "x", "G", amount, ""),
        ClawBack(0, "x", "G", amount, ""),
        TransferGrant(0, "x", "G", "H", amount, ""),
    ):
        with pytest.raises(ValueError, match="a posting moves at least 1 unit"):
            decide(ledger.book, command)


def test_an_expired_grant_is_neither_increased_nor_expired_again(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    ledger.fund(100)
    ledger.expire("G")
    assert ledger.refuse(IncreaseGrant(1001, "i", "G", 1, "")).code == "grant_expired"
    assert ledger.expire("G", at_us=1001).code == "grant_expired"
    assert ledger.refuse(IncreaseGrant(1001, "i", "H", 1, "")).code == "grant_unknown"
    assert ledger.refuse(ClawBack(1001, "i", "H", 1, "")).code == "grant_unknown"


def test_refusals_of_an_expiry(ledger: Ledger) -> None:
    assert ledger.expire("G") == Refusal("grant_unknown", "there is no grant G", (("grant_id", "G"),))
    ledger.grant("G", 100, valid=(0, 1000))
    assert ledger.expire("G", at_us=999) == Refusal(
        "grant_not_due",
        "grant G is valid until 1000 us, now is 999 us",
        (("grant_id", "G"), ("valid_until_us", 1000)),
    )


def test_what_is_left_at_the_end_is_breakage(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100, at_us=999)
    expired = ledger.expire("G", at_us=1000)
    assert expired == Entry(
        id="expire/G",
        kind="expire",
        at_us=1000,
        postings=(Posting("grant/G/available", "grant/G/expired", 200, "CNY"),),
        project_id="acme",
        grant_id="G",
        programme_id="seed",
    )
    assert (ledger.book.grants["G"].expired, ledger.book.grants["G"].amount) == (True, 300)
    assert ledger.of_grant("G") == (0, 100, 200)
    assert rolled_over(expired) == 0


def test_a_grant_used_up_expires_without_postings_but_is_marked(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    ledger.hold("j1", 100)
    assert ledger.expire("G").postings == ()
    assert ledger.book.grants["G"].expired


def test_a_part_of_what_is_left_rolls_over(ledger: Ledger) -> None:
    """30 % of 333 - 100 held = 233 is 69 (rounded down); 164 are breakage, and the held 100 stay held."""
    ledger.terms(rollover_ppm=300_000, rollover_days=90)
    ledger.grant("G", 333)
    ledger.hold("j1", 100)
    entry = ledger.expire("G")
    assert entry.postings == (
        Posting("grant/G/available", "grant/G/expired", 164, "CNY"),
        Posting("grant/G/available", "programme/seed/available", 69, "CNY"),
    )
    assert rolled_over(entry) == 69
    assert (ledger.book.grants["G"].amount, ledger.of_grant("G")) == (264, (0, 100, 164))
    ledger.post(IssueGrant(1001, Grant("G2", "seed", CITY, "acme", "CNY", 69, 1000, 2000, 0, 1001)))


def test_what_has_rolled_over_is_breakage_in_the_end(ledger: Ledger) -> None:
    """Once is enough: with all of it rolling over for ever, a grant would never end."""
    ledger.terms(rollover_ppm=300_000, rollover_days=90)
    ledger.grant(rolled_id("G"), 333)
    entry = ledger.expire(rolled_id("G"))
    assert rolled_over(entry) == 0
    assert ledger.of_grant(rolled_id("G")) == (0, 0, 333)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(Entry("expire/G", "expire", 5, (), grant_id="H"), id="a grant nobody knows"),
        pytest.param(Entry("expire/G", "expire", 5, (), grant_id="over"), id="expired twice"),
        pytest.param(
            Entry(
                "transfer/t",
                "transfer",
                5,
                (Posting("grant/G/available", "grant/H/available", 1, "CNY"),),
                grant_id="G",
            ),
            id="to a grant nobody knows",
        ),
    ],
)
def test_an_entry_that_does_not_fit_the_grants_is_a_bug(ledger: Ledger, entry: Entry) -> None:
    ledger.grant("G", 10)
    ledger.grant("over", 10)
    ledger.expire("over")
    before = ledger.book.copy()
    with pytest.raises(BrokenInvariant):
        apply(ledger.book, entry)
    assert ledger.book == before


def test_an_issue_is_applied_once(ledger: Ledger) -> None:
    ledger.grant("G", 10)
    with pytest.raises(BrokenInvariant, match="its grant is another, or known"):
        apply(ledger.book, ledger.entries[-1])
