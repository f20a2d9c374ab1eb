"""Stories of money: a command in, an exact entry or refusal out, and what the book says afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.book import Book
from ledger.commands import ExpireGrant, FundProgramme, IssueGrant, PlaceHold, SettleHold, VoidHold
from ledger.core import accounts_of, apply, decide
from ledger.model import BrokenInvariant, Entry, Grant, Hold, Posting, Refusal, Slice

Ledger = Any  # the fixture's class lives in conftest.py


def test_money_travels_from_funder_to_programme_to_grant(ledger: Ledger) -> None:
    funded = ledger.post(FundProgramme(1, "2026-01", "seed", "city", "CNY", 500))
    assert funded == Entry(
        id="fund/2026-01",
        kind="fund",
        at_us=1,
        postings=(Posting("funder/city", "programme/seed/available", 500, "CNY"),),
        programme_id="seed",
    )
    grant = Grant("G", "seed", "city", "acme", "CNY", 300, 0, 1000, 0, 2)
    issued = ledger.post(IssueGrant(2, grant))
    assert issued == Entry(
        id="issue/G",
        kind="issue",
        at_us=2,
        postings=(Posting("programme/seed/available", "grant/G/available", 300, "CNY"),),
        project_id="acme",
        grant_id="G",
        programme_id="seed",
    )
    assert ledger.book.grants == {"G": grant}
    assert ledger.book.balances == {
        ("funder/city", "CNY"): -500,
        ("programme/seed/available", "CNY"): 200,
        ("grant/G/available", "CNY"): 300,
    }


def test_a_programme_gives_out_no_more_than_it_was_given(ledger: Ledger) -> None:
    ledger.fund(500)
    answer = ledger.refuse(IssueGrant(2, Grant("G", "seed", "city", "acme", "CNY", 501, 0, 1000, 0, 2)))
    assert answer == Refusal(
        "programme_exhausted",
        "programme seed has 0.000500 CNY left to give, 0.000001 CNY less than this grant",
        (("needed", 501), ("available", 500), ("asset", "CNY")),
    )


def test_a_programme_that_was_given_yuan_gives_out_no_shots(ledger: Ledger) -> None:
    ledger.fund(500)
    answer = ledger.refuse(IssueGrant(2, Grant("G", "seed", "city", "acme", "shots", 1, 0, 1000, 0, 2)))
    assert answer.code == "programme_exhausted"


def test_a_grant_is_issued_once(ledger: Ledger) -> None:
    grant = ledger.grant("G", 300)
    ledger.fund(300)
    assert ledger.refuse(IssueGrant(3, grant)).code == "grant_exists"


def test_a_grant_that_calls_itself_expired_is_not_issued() -> None:
    grant = Grant("G", "seed", "city", "acme", "CNY", 300, 0, 1000, 0, 2, expired=True)
    with pytest.raises(ValueError, match="marked expired"):
        decide(Book.empty(), IssueGrant(3, grant))


def test_a_job_is_admitted_settled_and_the_rest_comes_back(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    held = ledger.hold("j1", 100, at_us=10)
    assert held == Entry(
        id="hold/j1",
        kind="hold",
        at_us=10,
        postings=(Posting("grant/G/available", "grant/G/held", 100, "CNY"),),
        project_id="acme",
        job_id="j1",
    )
    assert ledger.of_grant("G") == (200, 100, 0)
    assert ledger.book.holds["j1"] == Hold("j1", "acme", "CNY", 100, (Slice("G", 100),), "open", 0, 0, 10)

    settled = ledger.settle("j1", 40, at_us=20)
    assert settled == Entry(
        id="settle/j1",
        kind="settle",
        at_us=20,
        postings=(
            Posting("grant/G/held", "facility/earned", 40, "CNY"),
            Posting("grant/G/held", "grant/G/available", 60, "CNY"),
        ),
        project_id="acme",
        job_id="j1",
    )
    assert ledger.of_grant("G") == (260, 0, 0)
    assert ledger.on("facility/earned") == 40
    assert ledger.book.holds["j1"] == Hold("j1", "acme", "CNY", 100, (Slice("G", 100),), "settled", 40, 0, 10)


def test_a_voided_hold_gives_everything_back(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    voided = ledger.void("j1", at_us=21)
    assert voided == Entry(
        id="void/j1",
        kind="void",
        at_us=21,
        postings=(Posting("grant/G/held", "grant/G/available", 100, "CNY"),),
        project_id="acme",
        job_id="j1",
    )
    assert ledger.of_grant("G") == (300, 0, 0)
    assert ledger.book.holds["j1"].state == "voided"


def test_a_charge_of_nothing_settles_and_only_releases(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    assert ledger.settle("j1", 0).postings == (Posting("grant/G/held", "grant/G/available", 100, "CNY"),)
    assert (ledger.book.holds["j1"].state, ledger.book.holds["j1"].charged) == ("settled", 0)


def test_the_facility_absorbs_what_exceeds_the_hold(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    assert ledger.settle("j1", 130).postings == (
        Posting("grant/G/held", "facility/earned", 100, "CNY"),
        Posting("facility/overrun", "facility/earned", 30, "CNY"),
    )
    assert ledger.of_grant("G") == (200, 0, 0), "the grant pays no more than was held"
    assert (ledger.on("facility/earned"), ledger.on("facility/overrun")) == (130, -30)
    assert (ledger.book.holds["j1"].charged, ledger.book.holds["j1"].overrun) == (130, 30)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"priority": 1, "valid": (0, 2000)}, {"priority": 2, "valid": (0, 500)}, id="priority"),
        pytest.param({"valid": (0, 500)}, {"valid": (0, 501), "created_us": -5}, id="earliest expiry"),
        pytest.param({"created_us": 4}, {"created_us": 5}, id="oldest"),
        pytest.param({}, {}, id="id"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_burn_order(ledger: Ledger, first: dict[str, Any], second: dict[str, Any], turned: bool) -> None:
    """Whatever order the grants came in; with all else equal "A" burns before "B"."""
    for grant_id, terms in [("B", second), ("A", first)] if turned else [("A", first), ("B", second)]:
        ledger.grant(grant_id, 10, **terms)
    assert ledger.hold("j1", 1).postings == (Posting("grant/A/available", "grant/A/held", 1, "CNY"),)


def test_a_hold_is_split_over_grants_and_captured_in_the_same_order(ledger: Ledger) -> None:
    ledger.grant("A", 50, priority=1)
    ledger.grant("B", 30, priority=2)
    ledger.grant("C", 100, priority=3)
    assert ledger.hold("j1", 90).postings == (
        Posting("grant/A/available", "grant/A/held", 50, "CNY"),
        Posting("grant/B/available", "grant/B/held", 30, "CNY"),
        Posting("grant/C/available", "grant/C/held", 10, "CNY"),
    )
    assert ledger.book.holds["j1"].slices == (Slice("A", 50), Slice("B", 30), Slice("C", 10))
    assert ledger.settle("j1", 65).postings == (
        Posting("grant/A/held", "facility/earned", 50, "CNY"),
        Posting("grant/B/held", "facility/earned", 15, "CNY"),
        Posting("grant/B/held", "grant/B/available", 15, "CNY"),
        Posting("grant/C/held", "grant/C/available", 10, "CNY"),
    )
    assert [ledger.of_grant(name) for name in "ABC"] == [(0, 0, 0), (15, 0, 0), (100, 0, 0)]


def test_an_empty_grant_makes_no_slice(ledger: Ledger) -> None:
    ledger.grant("A", 50, priority=1)
    ledger.grant("B", 30, priority=2)
    ledger.hold("j1", 50)
    ledger.hold("j2", 5)
    assert ledger.book.holds["j2"].slices == (Slice("B", 5),)


def test_a_hold_pins_its_slices_past_the_expiry(ledger: Ledger) -> None:
    ledger.grant("G", 300, valid=(0, 1000))
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
    assert ledger.book.grants["G"].expired
    assert ledger.of_grant("G") == (0, 100, 200)
    assert ledger.settle("j1", 70, at_us=1500).postings == (
        Posting("grant/G/held", "facility/earned", 70, "CNY"),
        Posting("grant/G/held", "grant/G/expired", 30, "CNY"),
    )
    assert ledger.of_grant("G") == (0, 0, 230)


def test_a_void_after_the_expiry_gives_nothing_usable_back(ledger: Ledger) -> None:
    ledger.grant("A", 30, priority=1, valid=(0, 1000))
    ledger.grant("B", 100, priority=2, valid=(0, 2000))
    ledger.hold("j1", 100)
    ledger.expire("A")
    assert ledger.void("j1", at_us=1500).postings == (
        Posting("grant/A/held", "grant/A/expired", 30, "CNY"),
        Posting("grant/B/held", "grant/B/available", 70, "CNY"),
    )


def test_a_grant_used_up_expires_without_postings_but_is_marked(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    ledger.hold("j1", 100)
    assert ledger.expire("G").postings == ()
    assert ledger.book.grants["G"].expired


def test_refusals_of_a_hold_come_in_a_fixed_order(ledger: Ledger) -> None:
    """Each step takes away the reason before it, so the next one shows."""
    assert ledger.hold("j1", 10, at_us=50) == Refusal(
        "no_grant", "project acme has no grant in CNY", (("asset", "CNY"),)
    )
    ledger.grant("past", 100, valid=(0, 50))
    assert ledger.hold("j1", 10, at_us=50) == Refusal(
        "grant_expired",
        "every grant of project acme in CNY has expired",
        (("asset", "CNY"), ("valid_until_us", 50)),
    )
    ledger.grant("future", 100, valid=(60, 1000))
    assert ledger.hold("j1", 10, at_us=50) == Refusal(
        "grant_not_started",
        "no grant of project acme in CNY has started yet",
        (("asset", "CNY"), ("valid_from_us", 60)),
    )
    ledger.grant("now", 9, valid=(50, 51))
    assert ledger.hold("j1", 10, at_us=50) == Refusal(
        "grant_exhausted",
        "the project's grants have 0.000009 CNY available and this job may cost up to 0.000010 CNY; "
        "ask for fewer shots or parameter sets, or for a larger grant",
        (("needed", 10), ("available", 9), ("asset", "CNY")),
    )
    assert isinstance(ledger.hold("j1", 9, at_us=50), Entry)
    assert ledger.hold("j1", 9, at_us=50).code == "hold_exists"


def test_a_grant_marked_expired_is_used_no_more_even_if_the_clock_runs_back(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    ledger.expire("G", at_us=1000)
    assert ledger.hold("j1", 10, at_us=999).code == "grant_expired"


def test_a_project_does_not_see_another_projects_grant(ledger: Ledger) -> None:
    ledger.grant("G", 100, project="acme")
    assert ledger.hold("j1", 10, project="rival").code == "no_grant"


def test_a_grant_of_shots_pays_no_yuan(ledger: Ledger) -> None:
    ledger.grant("G", 100, asset="shots")
    assert ledger.hold("j1", 10).code == "no_grant"
    assert isinstance(ledger.do(PlaceHold(10, "j1", "acme", "shots", 10)), Entry)
    assert ledger.of_grant("G", "shots") == (90, 10, 0)


def test_a_hold_is_closed_once(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    assert ledger.settle("j1", 5) == Refusal("hold_unknown", "job j1 has no hold", (("job_id", "j1"),))
    assert ledger.void("j1").code == "hold_unknown"
    ledger.hold("j1", 10)
    ledger.hold("j2", 10)
    ledger.settle("j1", 5)
    ledger.void("j2")
    settled, voided = (("job_id", "j1"), ("state", "settled")), (("job_id", "j2"), ("state", "voided"))
    assert ledger.settle("j1", 5) == Refusal(
        "hold_closed", "the hold of job j1 is closed: it has been settled", settled
    )
    assert ledger.void("j1").code == "hold_closed"
    assert ledger.settle("j2", 0) == Refusal("hold_closed", "the hold of job j2 is closed: it has been voided", voided)
    assert ledger.void("j2").code == "hold_closed"


def test_refusals_of_an_expiry(ledger: Ledger) -> None:
    assert ledger.expire("G") == Refusal("grant_unknown", "there is no grant G", (("grant_id", "G"),))
    ledger.grant("G", 100, valid=(0, 1000))
    assert ledger.expire("G", at_us=999) == Refusal(
        "grant_not_due",
        "grant G is valid until 1000 us, now is 999 us",
        (("grant_id", "G"), ("valid_until_us", 1000)),
    )
    ledger.expire("G", at_us=1000)
    assert ledger.expire("G", at_us=1001).code == "grant_expired"


def test_impossible_amounts_are_bugs_of_the_caller(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    with pytest.raises(ValueError, match="a hold is at least 1 unit, not 0"):
        ledger.hold("j1", 0)
    ledger.hold("j1", 1)
    with pytest.raises(ValueError, match="a charge is at least 0, not -1"):
        ledger.settle("j1", -1)
    with pytest.raises(ValueError, match="at least 1 unit"):
        ledger.fund(0)


def test_decide_changes_nothing(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    ledger.hold("j1", 40)
    before = ledger.book.copy()
    for command in (
        FundProgramme(5, "x", "seed", "city", "CNY", 1),
        PlaceHold(10, "j2", "acme", "CNY", 40),
        PlaceHold(10, "j2", "acme", "CNY", 61),
        SettleHold(20, "j1", 50),
        VoidHold(20, "j1"),
        ExpireGrant(1000, "G"),
    ):
        assert decide(ledger.book, command) == decide(ledger.book, command)
        assert ledger.book == before


def test_accounts_of_names_what_to_lock_in_order(ledger: Ledger) -> None:
    grant = ledger.grant("B", 50, priority=1)
    ledger.grant("A", 50, priority=2)
    ledger.hold("j1", 60)
    book = ledger.book
    assert accounts_of(FundProgramme(0, "x", "seed", "city", "CNY", 1), book) == (
        "funder/city",
        "programme/seed/available",
    )
    assert accounts_of(IssueGrant(0, replace(grant, id="C")), book) == ("grant/C/available", "programme/seed/available")
    held = ("grant/A/available", "grant/A/held", "grant/B/available", "grant/B/held")
    assert accounts_of(PlaceHold(0, "j2", "acme", "CNY", 1), book) == held
    closing = tuple(f"grant/{name}/{part}" for name in "AB" for part in ("available", "expired", "held"))
    assert accounts_of(VoidHold(0, "j1"), book) == closing
    assert accounts_of(SettleHold(0, "j1", 1), book) == ("facility/earned", "facility/overrun", *closing)
    assert accounts_of(VoidHold(0, "j9"), book) == ()
    assert accounts_of(ExpireGrant(0, "A"), book) == ("grant/A/available", "grant/A/expired")


def _entries_that_do_not_fit(ledger: Ledger) -> list[tuple[Entry, Grant | None]]:
    """Of a book with grant G, the open hold j1 and the settled hold j2."""
    grant = ledger.grant("G", 100)
    hold = ledger.hold("j1", 40)
    ledger.hold("j2", 10)
    settle = ledger.settle("j2", 5)
    issue = ledger.entries[1]
    overdraft = Posting("grant/G/available", "grant/G/held", 56, "CNY")
    stray = Posting("grant/G/available", "facility/earned", 1, "CNY")
    return [
        (issue, grant),
        (replace(issue, id="issue/H", grant_id="H"), None),
        (replace(issue, id="issue/H", grant_id="H"), replace(grant, id="I")),
        (hold, None),
        (replace(hold, job_id=None), None),
        (replace(hold, job_id="j3", project_id=None), None),
        (replace(hold, job_id="j3", postings=()), None),
        (replace(hold, job_id="j3", postings=(overdraft,)), None),
        (replace(hold, job_id="j3", postings=(stray,)), None),
        (settle, None),
        (replace(settle, job_id="j9"), None),
        (Entry("expire/H", "expire", 1000, (), grant_id="H"), None),
    ]


@pytest.mark.parametrize("case", range(12))
def test_an_entry_that_does_not_fit_is_a_bug_and_leaves_the_book_alone(ledger: Ledger, case: int) -> None:
    entry, grant = _entries_that_do_not_fit(ledger)[case]
    before = ledger.book.copy()
    with pytest.raises(BrokenInvariant):
        apply(ledger.book, entry, grant=grant)
    assert ledger.book == before


def test_an_expired_grant_does_not_expire_again(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    entry = ledger.expire("G")
    with pytest.raises(BrokenInvariant, match="posted before"):
        apply(ledger.book, entry)
