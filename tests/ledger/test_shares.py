"""One line while payers take their shares of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.model import Line
from ledger.shares import OpenLine

HALF, WHOLE = 500_000, 1_000_000


def test_a_share_is_of_what_was_left_in_kind() -> None:
    line = OpenLine.of(Line("qpu_ms", 100, 3), 100)
    assert line.quanta_due(HALF, "kind@1#1") == 50
    assert line.give_quanta(40, "kind@1#1") == 120
    assert (line.units, line.base, line.open) == (60, 180, 180)
    assert line.money_due(HALF, WHOLE, "seed@1#1") == 90
    line.give_money(90, "seed@1#1")
    assert (line.open, line.money_due(WHOLE, WHOLE, "")) == (90, 90)


def test_one_rule_has_one_share_however_it_is_paid() -> None:
    line = OpenLine.of(Line("qpu_ms", 100, 3), 100)
    line.give_quanta(20, "seed@1#1")
    assert line.quanta_due(HALF, "seed@1#1") == 30
    assert line.money_due(HALF, WHOLE, "seed@1#1") == 90, "half of 300 are 150, of which 60 are paid in kind"
    line.give_money(70, "seed@1#1")
    assert line.money_due(HALF, WHOLE, "seed@1#1") == 20
    line.give_money(20, "seed@1#1")
    assert line.money_due(HALF, WHOLE, "seed@1#1") == 0


def test_payers_together_stay_below_the_rules_limit() -> None:
    line = OpenLine.of(Line("shots", 100, 1), 100)
    line.give_money(50, "a@1#1")
    assert line.money_due(400_000, 800_000, "b@1#1") == 30
    assert line.money_due(400_000, 300_000, "b@1#1") == 0, "others have paid more than the limit already"


def test_only_what_was_used_counts() -> None:
    line = OpenLine.of(Line("shots", 100, 2), 30)
    assert (line.quantity, line.units, line.base) == (30, 30, 60)


ppm = st.integers(1, WHOLE)
payers = st.lists(st.tuples(st.booleans(), ppm, ppm, st.sampled_from(["", "a@1#1", "b@1#1"]), st.integers(0, 300)))


@given(st.integers(0, 100), st.integers(0, 9), payers)
def test_nobody_is_asked_for_more_than_is_left(
    quantity: int, unit_price: int, payers: list[tuple[bool, int, int, str, int]]
) -> None:
    line = OpenLine.of(Line("qpu_ms", quantity, unit_price), quantity)
    for in_kind, share_ppm, up_to_ppm, rule, most in sorted(payers, key=lambda payer: not payer[0]):
        if in_kind:
            line.give_quanta(min(most, line.quanta_due(share_ppm, rule)), rule)
        else:
            line.give_money(min(most, line.money_due(share_ppm, up_to_ppm, rule)), rule)
        assert line.units >= 0
        assert 0 <= line.open <= line.base == line.units * unit_price
