"""Every way a book can be wrong is planted once by hand and must be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.invariants import audit, check, fold
from ledger.model import BrokenInvariant, Entry, Posting, Slice

Ledger = Any  # the fixture's class lives in conftest.py


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """Grant A (100, used up), grant B (200), grant E (7, expired); jobs settled, over, void and open."""
    ledger.grant("A", 100, priority=1)
    ledger.grant("B", 200, priority=2)
    ledger.grant("E", 7, priority=3)
    ledger.expire("E")
    ledger.hold("settled", 110)
    ledger.settle("settled", 105)
    ledger.hold("over", 5)
    ledger.settle("over", 9)
    ledger.hold("void", 10)
    ledger.void("void")
    ledger.hold("open", 20)
    return ledger


def _audit(ledger: Ledger) -> list[str]:
    return audit(iter(ledger.entries), ledger.book.balances, ledger.book.grants.values(), ledger.book.holds.values())


def test_a_sound_book_has_nothing_to_tell(busy: Ledger) -> None:
    check(busy.book)
    assert _audit(busy) == []


def test_an_empty_book_is_sound(ledger: Ledger) -> None:
    check(ledger.book)
    assert _audit(ledger) == []


def test_fold_leads_to_the_balances(busy: Ledger) -> None:
    assert fold(busy.entries) == busy.book.balances
    assert fold(()) == {}


def test_an_audit_reads_entries_in_any_order(busy: Ledger) -> None:
    busy.entries.reverse()
    assert _audit(busy) == []


def _overdraw(ledger: Ledger) -> None:
    ledger.book.balances["grant/A/available", "CNY"] = -3


def _enrich_a_funder(ledger: Ledger) -> None:
    ledger.book.balances["funder/city", "CNY"] = 3


def _lose_money(ledger: Ledger) -> None:
    ledger.book.balances["facility/earned", "CNY"] -= 1


def _forget_a_hold(ledger: Ledger) -> None:
    del ledger.book.holds["open"]


def _forget_a_grant(ledger: Ledger) -> None:
    del ledger.book.grants["A"]


def _cut_a_slice(ledger: Ledger) -> None:
    ledger.book.holds["open"] = replace(ledger.book.holds["open"], slices=(Slice("B", 19),))


def _hold_another_projects_grant(ledger: Ledger) -> None:
    ledger.book.holds["open"] = replace(ledger.book.holds["open"], project_id="rival")


def _charge_an_open_hold(ledger: Ledger) -> None:
    ledger.book.holds["open"] = replace(ledger.book.holds["open"], charged=1)


def _hide_an_overrun(ledger: Ledger) -> None:
    ledger.book.holds["over"] = replace(ledger.book.holds["over"], overrun=0)


def _charge_otherwise_than_posted(ledger: Ledger) -> None:
    ledger.book.holds["settled"] = replace(ledger.book.holds["settled"], charged=104)


def _open_a_closed_hold(ledger: Ledger) -> None:
    ledger.book.holds["settled"] = replace(ledger.book.holds["settled"], state="open", charged=0)


def _expire_by_hand(ledger: Ledger) -> None:
    ledger.book.grants["B"] = replace(ledger.book.grants["B"], expired=True)


def _revive_a_grant(ledger: Ledger) -> None:
    ledger.book.grants["E"] = replace(ledger.book.grants["E"], expired=False)


def _swell_a_grant(ledger: Ledger) -> None:
    ledger.book.grants["B"] = replace(ledger.book.grants["B"], amount=201)


PLANTED_IN_STATE: list[tuple[Callable[[Ledger], None], str]] = [
    (_overdraw, "account grant/A/available stands at -3 CNY; only funders and facility/overrun may be negative"),
    (_enrich_a_funder, "account funder/city stands at 3 CNY; money only ever comes from it"),
    (_lose_money, "all accounts in CNY add up to -1 instead of 0"),
    (_forget_a_hold, "grant B has 20 CNY held, its open holds add up to 0"),
    (_forget_a_grant, "the hold of job settled stands on grant A, which is not in the book"),
    (_cut_a_slice, "the hold of job open is over 20 CNY, its slices add up to 19"),
    (
        _hold_another_projects_grant,
        "the hold of job open (project rival, CNY) stands on grant B of project acme in CNY",
    ),
    (_charge_an_open_hold, "the hold of job open is open and yet charged 1"),
    (_hide_an_overrun, "job over was charged 9 CNY against a hold of 5, its overrun is 0 instead of 4"),
    (_charge_otherwise_than_posted, "grant B of 200 CNY: settled, held, available and expired add up to 199"),
    (_open_a_closed_hold, "grant A has 0 CNY held, its open holds add up to 100"),
    (_expire_by_hand, "grant B has expired and still has 170 CNY available"),
    (_swell_a_grant, "grant B of 201 CNY: settled, held, available and expired add up to 200"),
]


@pytest.mark.parametrize(("plant", "sentence"), PLANTED_IN_STATE, ids=lambda value: getattr(value, "__name__", ""))
def test_check_and_audit_find_what_is_wrong_with_the_state(
    busy: Ledger, plant: Callable[[Ledger], None], sentence: str
) -> None:
    plant(busy)
    assert sentence in _audit(busy)
    with pytest.raises(BrokenInvariant):
        check(busy.book)


def _drop(entry_id: str) -> Callable[[Ledger], None]:
    def drop(ledger: Ledger) -> None:
        ledger.entries = [entry for entry in ledger.entries if entry.id != entry_id]

    return drop


def _repeat(entry_id: str) -> Callable[[Ledger], None]:
    def repeat(ledger: Ledger) -> None:
        ledger.entries += [entry for entry in ledger.entries if entry.id == entry_id]

    return repeat


def _close_twice(ledger: Ledger) -> None:
    posting = Posting("grant/B/held", "grant/B/available", 1, "CNY")
    ledger.entries.append(Entry("void/settled", "void", 30, (posting,), project_id="acme", job_id="settled"))


PLANTED_IN_HISTORY: list[tuple[Callable[[Ledger], None], str]] = [
    (_drop("hold/open"), "account grant/B/held stands at 20 CNY, its entries add up to 0"),
    (_drop("hold/open"), "the hold of job open is over 20, its entry says nothing"),
    (_drop("hold/void"), "job void was closed by void/void without ever having a hold"),
    (_drop("settle/settled"), "the hold of job settled is settled, its entries say open"),
    (_drop("expire/E"), "grant E is marked expired, its entries say otherwise"),
    (_drop("issue/B"), "grant B is over 200, its entry says nothing"),
    (_repeat("settle/settled"), "entry settle/settled was posted 2 times"),
    (_repeat("settle/settled"), "the hold of job settled was closed by settle/settled, settle/settled"),
    (_close_twice, "the hold of job settled was closed by settle/settled, void/settled"),
    (_forget_a_hold, "entry hold/open was posted, the hold is not in the book"),
    (_forget_a_grant, "entry issue/A was posted, the grant is not in the book"),
    (_revive_a_grant, "grant E is not marked expired, its entries say otherwise"),
    (_charge_otherwise_than_posted, "job settled is charged 104, entry settle/settled charges 105"),
    (_swell_a_grant, "grant B is over 201, its entry says 200"),
]


@pytest.mark.parametrize(("plant", "sentence"), PLANTED_IN_HISTORY)
def test_audit_finds_what_is_wrong_with_the_history(
    busy: Ledger, plant: Callable[[Ledger], None], sentence: str
) -> None:
    plant(busy)
    assert sentence in _audit(busy)


def test_part_of_a_book_is_not_blamed_for_what_was_not_loaded(busy: Ledger) -> None:
    del busy.book.holds["open"]
    del busy.book.balances["facility/earned", "CNY"]
    check(busy.book, whole=False)


def test_part_of_a_book_is_blamed_for_what_it_shows(busy: Ledger) -> None:
    busy.book.balances["grant/B/held", "CNY"] = 19
    with pytest.raises(BrokenInvariant, match="grant B has 19 CNY held, its open holds add up to 20"):
        check(busy.book, whole=False)
