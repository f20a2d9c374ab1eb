"""What each slice pays in the end, when less was used than was held, or more."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.allocation import allocate
from ledger.book import Book
from ledger.capturing import capture
from ledger.commands import PlaceHold
from ledger.model import CNY, WALLET, BrokenInvariant, Grant, Hold, Line, Resource, Slice
from ledger.terms import Rule, Terms

HALF, WHOLE = 500_000, 1_000_000


def hold(*slices: Slice, quantity: int = 100, unit_price: int = 1, quantum: int = 1) -> Hold:
    return Hold("j", "acme", CNY, (Line("qpu_ms", quantity, unit_price, quantum),), slices, "open", 0)


def used(quantity: int, unit_price: int = 1, quantum: int = 1) -> list[Line]:
    return [Line("qpu_ms", quantity, unit_price, quantum)]


def money(payer: str, amount: int, share_ppm: int = WHOLE, up_to_ppm: int = WHOLE, rule: str = "") -> Slice:
    return Slice(payer, "qpu_ms", amount, CNY, amount, share_ppm, up_to_ppm, rule)


def kind(payer: str, amount: int, worth: int, share_ppm: int = WHOLE, rule: str = "") -> Slice:
    return Slice(payer, "qpu_ms", amount, "qpu_ms", worth, share_ppm, WHOLE, rule)


def settle(held: Hold, lines: list[Line]) -> tuple[tuple[int, ...], int]:
    return capture(held, lines, [part.amount for part in held.slices])


def test_payers_pay_in_burn_order() -> None:
    assert settle(hold(money("A", 50), money("B", 30), money("C", 20)), used(65)) == ((50, 15, 0), 0)


def test_payers_keep_their_shares_of_the_smaller_price() -> None:
    held = hold(money("A", 30, 300_000, rule="a@1#1"), money(WALLET, 70))
    assert settle(held, used(50)) == ((15, 35), 0)
    assert settle(held, used(0)) == ((0, 0), 0)
    assert settle(held, []) == ((0, 0), 0)


def test_a_slice_that_a_cap_had_cut_pays_up_to_its_share() -> None:
    """The cap left 10 of a share of 50; of 60 used the share is 30, the slice 10. Of 12 used the share is 6."""
    held = hold(money("A", 10, HALF, rule="a@1#1"), money(WALLET, 90))
    assert settle(held, used(60)) == ((10, 50), 0)
    assert settle(held, used(12)) == ((6, 6), 0)


def test_what_exceeds_the_hold_is_overrun() -> None:
    assert settle(hold(money("A", 100)), used(130)) == ((100,), 30)
    other = [*used(100), Line("shots", 5, 3)]
    assert settle(hold(money("A", 100)), other) == ((100,), 15)


def test_units_lost_to_rounding_are_paid_by_the_first_with_room() -> None:
    """Two halves and no wallet: of 1 the shares are 0 and 0."""
    held = hold(money("A", 50, HALF, rule="a@1#1"), money("B", 50, HALF, rule="b@1#1"))
    assert settle(held, used(1)) == ((1, 0), 0)
    assert settle(held, used(3)) == ((2, 1), 0)


def test_quanta_lost_to_rounding_are_paid_in_kind_where_there_is_no_money() -> None:
    """Two programmes pay half of two quanta each; of the one that was used their shares are 0 and 0."""
    held = hold(kind("A", 10, 7, HALF, "a@1#1"), kind("B", 10, 7, HALF, "b@1#1"), quantity=2, unit_price=7, quantum=10)
    assert settle(held, used(1, 7, 10)) == ((10, 0), 0)
    assert settle(held, used(2, 7, 10)) == ((10, 10), 0)


def test_in_kind_keeps_its_share_and_money_pays_the_rest() -> None:
    held = hold(kind("K", 200, 60, 200_000, "k@1#1"), money("G", 240), quantity=100, unit_price=3, quantum=10)
    assert settle(held, used(50, 3, 10)) == ((100, 120), 0)
    assert settle(held, used(4, 3, 10)) == ((0, 12), 0)


def test_one_rules_share_in_kind_and_in_money_is_one_at_the_end_too() -> None:
    """20 ms in kind and 120 in money were half of 400. Half of 200 are 80 in kind and 20 in money."""
    rule = "seed@1#1"
    held = hold(kind("K", 20, 80, HALF, rule), money("G", 120, HALF, rule=rule), money(WALLET, 200), unit_price=4)
    assert settle(held, used(50, 4)) == ((20, 20, 100), 0)


def test_a_correction_never_takes_more_from_anybody() -> None:
    """Of three quanta two were paid in kind and one in money; two cost no money at all, one only what they paid."""
    kinds = (kind("A", 1, 1, HALF, "a@1#1"), kind("B", 1, 1, HALF, "b@1#1"))
    held = hold(*kinds, money("G", 1), quantity=3)
    assert settle(held, used(2)) == ((1, 1, 0), 0)
    assert capture(held, used(1), (1, 1, 0)) == ((1, 0, 0), 0)
    assert settle(held, used(1)) == ((0, 0, 1), 0), "settled at once, the money pays what the shares leave"


@pytest.mark.parametrize("line", [Line("qpu_ms", 5, 2), Line("qpu_ms", 5, 1, 10)])
def test_another_price_than_the_holds_is_a_bug(line: Line) -> None:
    with pytest.raises(BrokenInvariant, match="is not at the price of its hold"):
        settle(hold(money("A", 100)), [line])


def test_a_hold_without_enough_slices_is_a_bug() -> None:
    with pytest.raises(BrokenInvariant, match="do not pay what lies within its hold"):
        settle(hold(money("A", 99)), used(100))


ppm = st.sampled_from([1, 100_000, 333_333, HALF, 600_000, 999_999, WHOLE])
grants = st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(1, 300)), min_size=1, max_size=5)


@given(
    grants,
    st.lists(st.tuples(ppm, ppm), min_size=4, max_size=4),
    st.integers(1, 40),
    st.integers(1, 9),
    st.integers(1, 4),
    st.lists(st.integers(0, 45), min_size=1, max_size=4),
)
def test_whatever_the_shares_each_line_is_paid_exactly(
    grants: list[tuple[bool, int, int]],
    shares: list[tuple[int, int]],
    quantity: int,
    unit_price: int,
    quantum: int,
    quantities: list[int],
) -> None:
    """Settled, then corrected again and again: paid within the hold to the last unit, nobody more than before."""
    book = Book.empty()
    for number, (in_kind, programme, amount) in enumerate(grants):
        asset = "qpu_ms" if in_kind else CNY
        subject = (f"G{number}", f"P{programme}", (("city", 1),), "acme", asset, amount)
        book.put_grant(Grant(*subject, 0, 1000, 0, number))
        book.balances[f"grant/G{number}/available", asset] = amount
        share_ppm, up_to_ppm = shares[programme]
        book.terms[f"P{programme}"] = Terms(f"P{programme}", 1, (Rule(share_ppm, up_to_ppm),))
    book.balances["wallet/acme/available", CNY] = 10_000
    line = Line("qpu_ms", quantity, unit_price, quantum)
    found = allocate(book, PlaceHold(5, "j", "acme", CNY, (line,)))
    assert sum(part.worth for part in found.slices) == line.amount
    held = Hold("j", "acme", CNY, (line,), tuple(found.slices), "open", 5)
    paid = tuple(part.amount for part in held.slices)
    first, *rest = quantities
    for now in [first, *(min(first, one) for one in sorted(rest, reverse=True))]:
        before = paid
        paid, overrun = capture(held, used(now, unit_price, quantum), before)
        assert held.worth_of(paid) == min(now, quantity) * unit_price
        assert overrun == max(0, now - quantity) * unit_price
        assert all(0 <= amount <= most for amount, most in zip(paid, before, strict=True))


def test_a_cap_is_free_again_where_its_line_cost_less() -> None:
    """30 % and at most 20 of a ceiling of 146, time first: in the end 3 of time and 20 of shots; of these 6 are due."""
    rule = (300_000, WHOLE, "a@1#1")
    lines = (Line("qpu_ms", 120, 1), Line("shots", 26, 1))
    slices = (
        Slice("A", "qpu_ms", 20, CNY, 20, *rule),
        Slice("A", "shots", 0, CNY, 0, *rule),
        Slice(WALLET, "qpu_ms", 100, CNY, 100),
        Slice(WALLET, "shots", 26, CNY, 26),
    )
    held = Hold("j", "acme", CNY, lines, slices, "open", 0)
    assert settle(held, [Line("qpu_ms", 3, 1), Line("shots", 20, 1)]) == ((0, 6, 3, 14), 0)
    assert settle(held, [Line("qpu_ms", 60, 1), Line("shots", 20, 1)]) == ((18, 2, 42, 18), 0), "20 together"
    paid = settle(held, [Line("qpu_ms", 60, 1), Line("shots", 20, 1)])[0]
    assert capture(held, [Line("qpu_ms", 10, 1), Line("shots", 20, 1)], paid) == ((3, 6, 7, 14), 0)


def test_each_line_is_paid_from_its_own_where_the_room_left_may_not_pay_it() -> None:
    """A could pay all shots with what it holds for the time; then nobody would be left to pay the time."""
    slices = (
        Slice("A", "shots", 0, CNY, 0),
        Slice("A", "qpu_ms", 4, CNY, 4),
        Slice("B", "shots", 4, CNY, 4),
    )
    held = Hold("j", "acme", CNY, (Line("qpu_ms", 4, 1), Line("shots", 4, 1)), slices, "open", 0)
    assert settle(held, [Line("qpu_ms", 4, 1), Line("shots", 4, 1)]) == ((0, 4, 4), 0)


ten_percents = st.integers(1, 10).map(lambda tenths: tenths * 100_000)
RESOURCES: tuple[Resource, ...] = ("job", "qpu_ms", "shots")
funds = st.tuples(
    st.integers(1, 3_000),
    st.sets(st.sampled_from(RESOURCES), max_size=2),
    ten_percents,
    ten_percents,
    st.none() | st.integers(1, 2_000),
)
quantities = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))


@given(st.lists(funds, min_size=1, max_size=4), quantities, quantities)
def test_a_settlement_pays_as_if_the_use_had_been_known(
    found: list[tuple[int, set[Resource], int, int, int | None]], most: tuple[int, ...], use: tuple[int, ...]
) -> None:
    """Whatever the shares, caps and restrictions of programmes: a ceiling above the use changes nobody's part of it."""
    book = Book.empty()
    for number, (amount, resources, share_ppm, up_to_ppm, cap) in enumerate(found):
        subject = (f"G{number}", f"P{number}", (("city", 1),), "acme", CNY, amount)
        book.put_grant(Grant(*subject, 0, 1000, 0, number, resources=tuple(sorted(resources))))
        book.balances[f"grant/G{number}/available", CNY] = amount
        book.terms[f"P{number}"] = Terms(f"P{number}", 1, (Rule(share_ppm, up_to_ppm, cap_per_job=cap),))
    book.balances["wallet/acme/available", CNY] = 10_000
    ceiling, used = (
        tuple(Line(resource, quantity, 100) for resource, quantity in zip(RESOURCES, amounts, strict=True))
        for amounts in (map(max, most, use), use)
    )
    held = Hold("j", "acme", CNY, ceiling, _slices(book, ceiling), "open", 5)
    captured, overrun = settle(held, list(used))
    known = {(part.payer, part.resource): part.amount for part in _slices(book, used) if part.amount}
    paid = zip(held.slices, captured, strict=True)
    assert {(part.payer, part.resource): amount for part, amount in paid if amount} == known
    assert overrun == 0


def _slices(book: Book, lines: tuple[Line, ...]) -> tuple[Slice, ...]:
    found = allocate(book, PlaceHold(5, "j", "acme", CNY, lines))
    assert not found.missing
    return tuple(found.slices)


def test_more_use_never_costs_the_wallet_less() -> None:
    held = hold(money("A", 10, HALF, rule="a@1#1"), money("B", 40, HALF, rule="b@1#1"), money(WALLET, 50))
    wallet = [settle(held, used(quantity))[0][2] for quantity in range(101)]
    assert all(less <= more + 1 for less, more in pairwise(wallet)), "but for a unit of rounding"
