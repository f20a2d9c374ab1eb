"""Would the simulator notice? Realistic bugs are put into the ledger, one at a time, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger import accounts, allocation, capturing, holds, screening
from ledger.book import Book
from ledger.model import FULL_PPM, WALLET, Entry, Hold
from ledger.shares import OpenLine
from ledger.terms import Budget

Patch = pytest.MonkeyPatch


def a_settlement_keeps_the_remainder_held(patch: Patch) -> None:
    settle = holds.settle

    def keep(book: Book, command: Any) -> Any:
        entry = settle(book, command)
        if not isinstance(entry, Entry):
            return entry
        kept = tuple(posting for posting in entry.postings if accounts.is_earned(posting.destination))
        return replace(entry, postings=kept)

    patch.setattr(holds, "settle", keep)


def refunds_to_an_expired_grant_become_available_again(patch: Patch) -> None:
    def release(book: Book, hold: Hold, payer: str) -> str:
        return accounts.wallet(hold.project_id) if payer == WALLET else accounts.available(payer)

    patch.setattr(holds, "_back_to", release)


def an_overrun_is_forgotten(patch: Patch) -> None:
    capture = capturing.capture
    patch.setattr(holds, "capture", lambda hold, lines, limits: (capture(hold, lines, limits)[0], 0))


def a_hold_is_closed_as_often_as_one_likes(patch: Patch) -> None:
    after = holds.after

    def lenient(book: Book, entry: Entry) -> Any:
        hold = book.holds.get(entry.job_id or "")
        closed = entry.kind in ("settle", "void") and hold is not None and hold.state != "open"
        return hold if closed else after(book, entry)

    patch.setattr(holds, "_open_hold", lambda book, job_id: book.holds[job_id])
    patch.setattr(holds, "after", lenient)


def grants_pay_after_their_end(patch: Patch) -> None:
    barred = allocation._barred
    patch.setattr(allocation, "_barred", lambda grant, command: barred(replace(grant, valid_until_us=10**18), command))


def grants_burn_in_the_wrong_order(patch: Patch) -> None:
    grants_of = Book.grants_of
    patch.setattr(Book, "grants_of", lambda book, project_id: grants_of(book, project_id)[::-1])


def a_void_costs_the_whole_hold(patch: Patch) -> None:
    void = holds.void

    def capture(book: Book, command: Any) -> Any:
        entry = void(book, command)
        if not isinstance(entry, Entry):
            return entry
        earned = accounts.EARNED_OF_WALLETS
        return replace(entry, postings=tuple(replace(each, destination=earned) for each in entry.postings))

    patch.setattr(holds, "void", capture)


def shares_are_ignored_at_the_settlement(patch: Patch) -> None:
    """Whoever comes first pays all that its slice has."""
    capture = capturing.capture

    def greedy(hold: Hold, lines: Any, limits: Any) -> Any:
        slices = tuple(replace(part, share_ppm=FULL_PPM, up_to_ppm=FULL_PPM, rule="") for part in hold.slices)
        return capture(replace(hold, slices=slices), lines, limits)

    patch.setattr(holds, "capture", greedy)


def shares_of_two_grants_are_counted_apart(patch: Patch) -> None:
    give_money = OpenLine.give_money
    patch.setattr(OpenLine, "give_money", lambda line, amount, rule: give_money(line, amount, ""))


def caps_count_only_what_is_settled(patch: Patch) -> None:
    """Nothing is claimed by a hold; the settlement claims what it captured."""
    place = holds.place

    def unclaimed(book: Book, command: Any) -> Any:
        entry = place(book, command)
        if not isinstance(entry, Entry):
            return entry
        return replace(entry, claims=tuple(replace(claim, change=0) for claim in entry.claims))

    patch.setattr(holds, "place", unclaimed)


def caps_are_not_looked_at(patch: Patch) -> None:
    limit = allocation._limit

    def unlimited(book: Book, command: Any, terms: Any, offered: Any, available: int, claimed: Any) -> Any:
        if terms is not None:
            terms = replace(terms, cap_project_year=None, pool_year=None)
        return limit(book, command, terms, offered, available, claimed)

    patch.setattr(allocation, "_limit", unlimited)


def the_cap_for_one_job_is_one_for_each_grant(patch: Patch) -> None:
    limit = allocation._limit

    def for_each(book: Book, command: Any, terms: Any, offered: Any, available: int, claimed: Any) -> Any:
        return limit(book, command, terms, offered, available, {})

    patch.setattr(allocation, "_limit", for_each)


def a_use_is_claimed_in_two_programmes_of_a_group(patch: Patch) -> None:
    draw = allocation._draw

    def forgetful(book: Book, command: Any, grant: Any, terms: Any, lines: Any, groups: Any, found: Any) -> None:
        draw(book, command, grant, terms, lines, {}, found)

    patch.setattr(allocation, "_draw", forgetful)


def the_wallet_is_drained_before_the_grants(patch: Patch) -> None:
    allocate = allocation.allocate

    def wallet_first(book: Book, command: Any) -> Any:
        alone = allocate(replace(book, grants={}), command)
        return allocate(book, command) if alone.missing else alone

    patch.setattr(holds, "allocate", wallet_first)


def what_is_paid_in_kind_is_paid_in_money_too(patch: Patch) -> None:
    def forget(line: OpenLine, quanta: int, rule: str) -> int:
        line.units -= quanta
        return quanta * line.line.unit_price

    patch.setattr(OpenLine, "give_quanta", forget)


def a_correction_gives_all_back_to_the_wallet(patch: Patch) -> None:
    back_to = holds._back_to

    def to_the_wallet(book: Book, hold: Hold, payer: str) -> str:
        return accounts.wallet(hold.project_id) if hold.state == "settled" else back_to(book, hold, payer)

    patch.setattr(holds, "_back_to", to_the_wallet)


def a_correction_is_paid_back_by_the_last_to_pay(patch: Patch) -> None:
    """The sum is right, every line is paid, and yet it is the wrong one who gets the money."""
    capture = capturing.capture

    def turned(hold: Hold, lines: Any, limits: Any) -> Any:
        if hold.state == "open":
            return capture(hold, lines, limits)
        slices = tuple(replace(part, share_ppm=FULL_PPM, up_to_ppm=FULL_PPM, rule="") for part in hold.slices)
        return capture(replace(hold, slices=slices), lines, limits)

    patch.setattr(holds, "capture", turned)


def a_void_does_not_give_claims_back(patch: Patch) -> None:
    void = holds.void

    def keep(book: Book, command: Any) -> Any:
        entry = void(book, command)
        return replace(entry, claims=()) if isinstance(entry, Entry) else entry

    patch.setattr(holds, "void", keep)


def a_settlement_gives_all_claims_back(patch: Patch) -> None:
    def all_of_it(book: Book, hold: Hold, captured: Any) -> Any:
        return [replace(claim, change=-claim.change) for claim in hold.claims if claim.change]

    patch.setattr(holds, "_given_back", all_of_it)


def the_split_among_funders_loses_the_remainder(patch: Patch) -> None:
    def lossy(amount: int, funders: Any) -> dict[str, int]:
        total = sum(weight for _, weight in funders)
        return {funder_id: amount * weight // total for funder_id, weight in funders}

    patch.setattr(holds, "split", lossy)
    patch.setattr(screening, "split", lossy)


def the_first_funder_pays_everything(patch: Patch) -> None:
    def unfair(amount: int, funders: Any) -> dict[str, int]:
        return {funder_id: 0 for funder_id, _ in funders} | {funders[0][0]: amount}

    patch.setattr(holds, "split", unfair)
    patch.setattr(screening, "split", unfair)


def budgets_are_not_counted(patch: Patch) -> None:
    patch.setattr(Budget, "concerns", lambda budget, claimant: False)


BUGS: list[Callable[[Patch], None]] = [
    a_settlement_keeps_the_remainder_held,
    refunds_to_an_expired_grant_become_available_again,
    an_overrun_is_forgotten,
    a_hold_is_closed_as_often_as_one_likes,
    grants_pay_after_their_end,
    grants_burn_in_the_wrong_order,
    a_void_costs_the_whole_hold,
    shares_are_ignored_at_the_settlement,
    shares_of_two_grants_are_counted_apart,
    caps_count_only_what_is_settled,
    caps_are_not_looked_at,
    the_cap_for_one_job_is_one_for_each_grant,
    a_use_is_claimed_in_two_programmes_of_a_group,
    the_wallet_is_drained_before_the_grants,
    what_is_paid_in_kind_is_paid_in_money_too,
    a_correction_gives_all_back_to_the_wallet,
    a_correction_is_paid_back_by_the_last_to_pay,
    a_void_does_not_give_claims_back,
    a_settlement_gives_all_claims_back,
    the_split_among_funders_loses_the_remainder,
    the_first_funder_pays_everything,
    budgets_are_not_counted,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_the_simulator_catches(bug: Callable[[Patch], None], is_caught: Callable[[Any], None]) -> None:
    is_caught(bug)
