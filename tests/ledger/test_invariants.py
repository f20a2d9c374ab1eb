"""Every way a book can be wrong is planted once by hand and must be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.commands import CorrectJob
from ledger.invariants import audit, check, fold, replay
from ledger.model import BrokenInvariant, Claim, Entry, Posting
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py

ANN = Claimant(member_id="ann", year=2026)
Plant = Callable[[Ledger], None]


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """Grant A (100, used up), B (200, two funders, with terms), K (9 shots), E (7, expired), a wallet, and a budget;
    jobs settled, over, corrected, void and open.
    """
    ledger.terms("green")
    ledger.grant("A", 100, priority=1)
    ledger.grant("B", 200, priority=2, programme="green", funders=(("bank", 3), ("city", 1)))
    ledger.grant("K", 9, asset="shots", programme="kind")
    ledger.grant("E", 7, priority=3)
    ledger.expire("E")
    ledger.top_up(300)
    ledger.budget("member", "ann", 1_000)
    ledger.hold("settled", ledger.qpu(110), claimant=ANN)
    ledger.settle("settled", ledger.qpu(105))
    ledger.hold("over", ledger.shots(5, 2), claimant=ANN)
    ledger.settle("over", ledger.shots(9, 2))
    ledger.hold("corrected", ledger.qpu(15), claimant=ANN)
    ledger.settle("corrected", ledger.qpu(15))
    ledger.post(CorrectJob(30, "c1", "corrected", (ledger.qpu(11),), ""))
    ledger.hold("void", 10)
    ledger.void("void")
    ledger.hold("open", 250, claimant=ANN)
    return ledger


def test_a_sound_book_has_nothing_to_tell(busy: Ledger) -> None:
    check(busy.book)
    check(busy.book, whole=False)
    assert audit(iter(busy.entries), busy.book) == []
    assert busy.audited() == []


def test_an_empty_book_is_sound(ledger: Ledger) -> None:
    check(ledger.book)
    assert audit([], ledger.book) == []
    assert ledger.audited() == []


def test_fold_leads_to_the_balances(busy: Ledger) -> None:
    assert fold(busy.entries) == busy.book.balances
    assert fold(()) == {}


def test_a_replay_leads_to_the_book(busy: Ledger) -> None:
    replayed, found = replay(busy.entries)
    assert found == []
    assert (replayed.balances, replayed.holds, replayed.grants) == (
        busy.book.balances,
        busy.book.holds,
        busy.book.grants,
    )
    assert replayed.claims == busy.book.claims


def _balance(account: str, change: int, asset: str = "CNY") -> Plant:
    def plant(ledger: Ledger) -> None:
        key = (account, asset)
        ledger.book.balances[key] = ledger.book.balances.get(key, 0) + change

    return plant


def _hold(job_id: str, **changes: Any) -> Plant:
    def plant(ledger: Ledger) -> None:
        ledger.book.holds[job_id] = replace(ledger.book.holds[job_id], **changes)

    return plant


def _slice(job_id: str, number: int, **changes: Any) -> Plant:
    def plant(ledger: Ledger) -> None:
        slices = list(ledger.book.holds[job_id].slices)
        slices[number] = replace(slices[number], **changes)
        ledger.book.holds[job_id] = replace(ledger.book.holds[job_id], slices=tuple(slices))

    return plant


def _grant(grant_id: str, **changes: Any) -> Plant:
    def plant(ledger: Ledger) -> None:
        ledger.book.grants[grant_id] = replace(ledger.book.grants[grant_id], **changes)

    return plant


def _both(*plants: Plant) -> Plant:
    def plant(ledger: Ledger) -> None:
        for one in plants:
            one(ledger)

    return plant


def _forget_a_hold(ledger: Ledger) -> None:
    del ledger.book.holds["open"]


def _forget_a_grant(ledger: Ledger) -> None:
    del ledger.book.grants["A"]


def _forget_what_is_claimed(ledger: Ledger) -> None:
    ledger.book.claims["pool/green/2026"] = 0


def _count_a_claim_twice(ledger: Ledger) -> None:
    hold = ledger.book.holds["settled"]
    claims = tuple(Claim(claim.scope, 2 * claim.change) for claim in hold.claims)
    ledger.book.holds["settled"] = replace(hold, claims=claims)


PLANTED_IN_STATE: list[tuple[Plant, str]] = [
    (
        _balance("grant/A/available", -3),
        "account grant/A/available stands at -3 CNY; only payers and facility/overrun may be negative",
    ),
    (_balance("funder/city", 1_000), "account funder/city stands at 693 CNY; money only ever comes from it"),
    (_balance("payer/acme", 301), "account payer/acme stands at 1 CNY; money only ever comes from it"),
    (_balance("facility/earned/copay", -1), "all accounts in CNY add up to -1 instead of 0"),
    (
        _both(_balance("facility/earned/funder/bank", -2), _balance("facility/earned/funder/city", 2)),
        "facility/earned/funder/bank stands at 11 CNY, the settled holds lead to 13",
    ),
    (
        _both(_balance("facility/overrun", -2), _balance("facility/earned/overrun", 2)),
        "facility/overrun stands at -10 CNY, the settled holds lead to -8",
    ),
    (_forget_a_hold, "grant/B/held has 184 CNY, the open holds on it add up to 0"),
    (_forget_a_hold, "wallet/acme/held has 66 CNY, the open holds on it add up to 0"),
    (_forget_a_grant, "the hold of job settled stands on grant A, which is not in the book"),
    (
        _slice("open", 0, amount=183, worth=183),
        "the hold of job open is over 250 CNY of qpu_ms, its slices are worth 249",
    ),
    (_slice("open", 0, worth=183), "the hold of job open has a slice of 184 CNY worth 184, not 183"),
    (_slice("open", 0, share_ppm=0), "the hold of job open has a slice with a share of 0 ppm"),
    (_slice("open", 0, resource="shots"), "the hold of job open has a slice for shots, of which it has no line"),
    (
        _hold("open", project_id="rival"),
        "the hold of job open (project rival, CNY) stands on grant B of project acme in CNY",
    ),
    (_hold("open", overrun=1), "the hold of job open is open and yet charged 0"),
    (_hold("over", overrun=0), "the hold of job over: the facility absorbed 0 CNY instead of 8"),
    (_hold("over", captured=()), "the hold of job over has 1 slices and captured 0"),
    (_hold("over", captured=(6,)), "the hold of job over captured 1 shots more than K holds"),
    (_hold("over", captured=(-1,)), "the hold of job over captured -1 shots of K"),
    (_hold("over", captured=(4,)), "the hold of job over was paid 8 CNY for shots, due were 10"),
    (_hold("settled", captured=(99, 5)), "the hold of job settled was paid 104 CNY for qpu_ms, due were 105"),
    (_hold("settled", captured=(99, 6)), "grant A of 100 CNY: captured, held, available and expired add up to 99"),
    (
        _hold("settled", state="open", settled=(), captured=()),
        "grant/A/held has 0 CNY, the open holds on it add up to 100",
    ),
    (_grant("K", expired=True), "grant K has expired and still has 4 shots available"),
    (_grant("B", amount=201), "grant B of 201 CNY: captured, held, available and expired add up to 200"),
    (_forget_what_is_claimed, "0 are claimed of pool/green/2026, its holds add up to 200"),
    (_count_a_claim_twice, "the hold of job settled counts 10 on pool/green/2026 instead of 5"),
    (_count_a_claim_twice, "the hold of job settled counts 210 on budget/acme/2026/member/ann instead of 105"),
]


@pytest.mark.parametrize(("plant", "sentence"), PLANTED_IN_STATE)
def test_check_and_audit_find_what_is_wrong_with_the_state(busy: Ledger, plant: Plant, sentence: str) -> None:
    plant(busy)
    assert sentence in audit(busy.entries, busy.book)
    assert busy.audited(), "the audit of rows finds it too"
    with pytest.raises(BrokenInvariant):
        check(busy.book)


def _drop(entry_id: str) -> Plant:
    def drop(ledger: Ledger) -> None:
        ledger.entries = [entry for entry in ledger.entries if entry.id != entry_id]

    return drop


def _repeat(entry_id: str) -> Plant:
    def repeat(ledger: Ledger) -> None:
        ledger.entries += [entry for entry in ledger.entries if entry.id == entry_id]

    return repeat


def _change(entry_id: str, **changes: Any) -> Plant:
    def change(ledger: Ledger) -> None:
        ledger.entries = [replace(one, **changes) if one.id == entry_id else one for one in ledger.entries]

    return change


def _close_twice(ledger: Ledger) -> None:
    posting = Posting("grant/B/held", "grant/B/available", 1, "CNY")
    ledger.entries.append(Entry("void/settled", "void", 30, (posting,), project_id="acme", job_id="settled"))


CAPTURE_LESS = '{"captured":[100,4],"lines":[["qpu_ms",105,1,1,"r-qpu"]],"overrun":0}'
PLANTED_IN_HISTORY: list[tuple[Plant, str]] = [
    (_drop("hold/open"), "account grant/B/held stands at 184 CNY, its entries add up to 0"),
    (_drop("hold/open"), "200 are claimed of pool/green/2026, its entries add up to 16"),
    (
        _drop("hold/void"),
        "entry void/void can't have been posted: entry void/void does not fit the book: its hold is None",
    ),
    (_drop("expire/E"), "account grant/E/expired stands at 7 CNY, its entries add up to 0"),
    (
        _drop("issue/B"),
        "entry hold/settled can't have been posted: entry hold/settled would leave -10 CNY on grant/B/available",
    ),
    (_repeat("settle/settled"), "entry settle/settled was posted twice"),
    (
        _close_twice,
        "entry void/settled can't have been posted: entry void/settled does not fit the book: its hold is settled",
    ),
    (_change("settle/over", postings=()), "entry settle/over: 0 units leave the held accounts, the hold is over 5"),
    (
        _change("correct/c1", postings=(Posting("grant/B/held", "grant/B/available", 4, "CNY"),)),
        "entry correct/c1: 4 units leave the held accounts, the hold is over 0",
    ),
    (_change("hold/open", body="{"), "entry hold/open can't have been posted: Expecting property name"),
    (_change("settle/settled", body=CAPTURE_LESS), "the hold of job settled is Hold("),
    (_grant("B", priority=9), "grant B is Grant("),
    (_grant("E", expired=False), "grant E is Grant("),
]


@pytest.mark.parametrize(("plant", "sentence"), PLANTED_IN_HISTORY)
def test_audit_finds_what_is_wrong_with_the_history(busy: Ledger, plant: Plant, sentence: str) -> None:
    plant(busy)
    found = audit(busy.entries, busy.book)
    assert any(one.startswith(sentence) for one in found), found
    assert busy.audited(), "the audit of rows finds it too"


def test_part_of_a_book_is_not_blamed_for_what_was_not_loaded(busy: Ledger) -> None:
    del busy.book.holds["open"]
    del busy.book.balances["facility/earned/funder/city", "CNY"]
    busy.book.claims.clear()
    check(busy.book, whole=False)


def test_part_of_a_book_is_blamed_for_what_it_shows(busy: Ledger) -> None:
    busy.book.balances["grant/B/held", "CNY"] = 183
    with pytest.raises(BrokenInvariant, match="grant/B/held has 183 CNY, the open holds on it add up to 184"):
        check(busy.book, whole=False)
