"""The audit of rows names what is wrong, row by row, and goes on after rows that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.hold_text import Backing, backing_text
from ledger.model import Claim, Line, Posting, Slice
from ledger.past import Past
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """Two settled jobs, one corrected, one void, one open; a grant with terms, one that has expired, and a wallet."""
    ledger.terms("green")
    ledger.grant("A", 100, priority=1)
    ledger.grant("B", 200, priority=2, programme="green", funders=(("bank", 3), ("city", 1)))
    ledger.top_up(50)
    for job_id, used in (("one", 30), ("two", 40)):
        ledger.hold(job_id, ledger.qpu(40), claimant=Claimant(member_id="ann", year=2026))
        ledger.settle(job_id, ledger.qpu(used))
    ledger.correct("one", ledger.qpu(20), reason="")
    ledger.hold("void", 10)
    ledger.void("void")
    ledger.hold("open", 60, claimant=Claimant(member_id="ann", year=2026))
    return ledger


def body_of(payer: str) -> str:
    """A hold over 5 ms of one payer."""
    lines = (Line("qpu_ms", 5, 1),)
    return backing_text(Backing("CNY", lines, (Slice(payer, "qpu_ms", 5, "CNY", 5),), ()))


def change(ledger: Ledger, entry_id: str, **changes: Any) -> None:
    ledger.entries = [replace(one, **changes) if one.id == entry_id else one for one in ledger.entries]


def test_sound_rows_have_nothing_to_tell_and_are_counted(told: Ledger) -> None:
    assert told.audited() == []
    past = Past()
    past.take_entries([((1, "fund/x", "fund", 0, None, None, None, "seed", "", ""), [(1, "funder/a", "b", 1, "CNY")])])
    assert (past.entries, past.holds, past.found) == (1, 0, [])


def test_an_account_is_overdrawn_in_between(told: Ledger) -> None:
    told.entries = [entry for entry in told.entries if entry.kind != "issue" or entry.grant_id != "A"]
    assert "entry hold/one can't have been posted: it leaves -40 CNY on grant/A/available" in told.audited()


def test_a_limit_is_given_back_more_than_was_claimed(told: Ledger) -> None:
    change(told, "settle/one", claims=(Claim("pool/green/2026", -1),))
    assert "entry settle/one can't have been posted: it leaves -1 claimed of pool/green/2026" in told.audited()


@pytest.mark.parametrize("amount", [0, -5, "7", 1.5, None])
def test_a_posting_that_moves_nothing(told: Ledger, amount: object) -> None:
    broken = object.__new__(Posting)
    for name, value in (("source", "a"), ("destination", "b"), ("amount", amount), ("asset", "CNY")):
        object.__setattr__(broken, name, value)
    change(told, "settle/two", postings=(broken,))
    assert f"entry settle/two: a posting moves at least 1 unit, not {amount!r}" in told.audited()


def test_entries_out_of_order_and_twice(told: Ledger) -> None:
    settle = next(entry for entry in told.entries if entry.id == "settle/one")
    issue = next(entry for entry in told.entries if entry.kind == "issue")
    hold = next(entry for entry in told.entries if entry.id == "hold/open")
    told.entries = [settle, *told.entries, settle, issue, hold]
    found = told.audited()
    assert "entry settle/one does not fit what came before it: its hold is None" in found
    assert "entry settle/one does not fit what came before it: its hold is settled" in found
    assert f"entry {issue.id} was posted twice" in found
    assert "entry hold/open was posted twice" in found


def test_an_entry_under_another_name(told: Ledger) -> None:
    change(told, "settle/two", id="settle/one-more")
    change(told, "hold/open", id="hold/other")
    found = told.audited()
    assert "entry settle/one-more does not name its subject" in found
    assert "entry hold/other does not name its subject" in found


def test_units_leave_held_accounts_that_were_never_held(told: Ledger) -> None:
    change(told, "settle/two", postings=(Posting("grant/A/held", "facility/earned/funder/city", 39, "CNY"),))
    assert "entry settle/two: 39 units leave the held accounts, the hold is over 40" in told.audited()


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("state", {"state": "voided", "settled": (), "captured": ()}),
        ("body, project or time", {"created_us": 77}),
        ("capture", {"overrun": 1}),
        ("claims", {"claims": (Claim("pool/green/2026", 1),)}),
    ],
)
def test_a_stored_hold_that_its_entries_do_not_lead_to(told: Ledger, column: str, changes: dict[str, Any]) -> None:
    told.book.holds["two"] = replace(told.book.holds["two"], **changes)
    found = [sentence for sentence in told.audited() if sentence.startswith("the hold of job two has another ")]
    assert len(found) == 1
    assert column in found[0]


def test_a_hold_of_nobody_and_entries_without_a_hold(told: Ledger) -> None:
    told.book.holds["ghost"] = replace(told.book.holds["two"], job_id="ghost")
    del told.book.holds["void"]
    found = told.audited()
    assert "the hold of job ghost has no entry that placed it" in found
    assert "job void has entries and no hold" in found


def test_rows_that_cannot_be_read_are_named_and_the_rest_goes_on(told: Ledger) -> None:
    past = Past()
    past.take_entries(
        [
            ((1, "top_up/1", "top_up", 0, "acme", None, None, None, "not json", ""), []),
            ((2, "issue/A", "issue", 0, "acme", None, "A", "seed", "", "{"), []),
            (
                (3, "hold/j", "hold", 5, "acme", "j", None, None, "", body_of("A")),
                [(3, "payer/x", "grant/A/held", 5, "CNY")],
            ),
        ]
    )
    past.take_holds(
        [
            ("j", "acme", "CNY", 5, body_of("A"), "", "", "open", 0, 0, 5, None),
            ("k", "acme", "CNY", 5, "[", "", "", "open", 0, 0, 5, None),
            ("l", "acme", "CNY", 5, body_of("A"), "[]", "", "settled", 0, 0, 5, 9),
        ]
    )
    beginnings = [
        "entry top_up/1 can't have been posted: JSONDecodeError",
        "entry issue/A can't have been posted: JSONDecodeError",
        "the hold of job j stands on grant A, which is not in the book",
        "the hold of job k has no entry that placed it",
        "the hold of job k cannot be read: JSONDecodeError",
        "the hold of job l has no entry that placed it",
        "the hold of job l cannot be read: TypeError",
    ]
    assert len(past.found) == len(beginnings)
    for sentence, beginning in zip(past.found, beginnings, strict=True):
        assert sentence.startswith(beginning)


def test_what_is_written_beside_the_texts_must_follow_from_them(told: Ledger) -> None:
    past = Past()
    moved = [(1, "payer/acme", "wallet/acme/held", 5, "CNY")]
    past.take_entries([((1, "hold/j", "hold", 5, "acme", "j", None, None, "", body_of("wallet")), moved)])
    past.take_holds([("j", "acme", "CNY", 6, body_of("wallet"), "", "", "open", 0, 0, 5, None)])
    assert past.found == ["the hold of job j is written down as 6, charged 0; its lines make 5, charged 0"]


def test_a_hold_over_other_units_than_its_entry_moved(told: Ledger) -> None:
    past = Past()
    moved = [(1, "payer/acme", "wallet/acme/held", 4, "CNY")]
    past.take_entries([((1, "hold/j", "hold", 5, "acme", "j", None, None, "", body_of("wallet")), moved)])
    past.take_holds([("j", "acme", "CNY", 5, body_of("wallet"), "", "", "open", 0, 0, 5, None)])
    assert past.found == ["the hold of job j is not what its entry moved"]
