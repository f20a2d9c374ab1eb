"""When grants run out: by hand, with figures that can be checked in the head."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.forecast import Spell, runs_out


def test_at_ten_a_day_a_hundred_last_ten_days() -> None:
    assert runs_out([Spell(0, 1_000, 100)], spent=10, over_us=1, now_us=5) == 15


def test_the_end_of_a_grant_comes_first_when_the_pace_is_slow() -> None:
    assert runs_out([Spell(0, 12, 100)], spent=10, over_us=1, now_us=5) == 12


def test_the_earliest_to_end_is_used_first_and_what_it_has_left_is_lost() -> None:
    spells = [Spell(0, 100, 50), Spell(0, 8, 1_000)]
    assert runs_out(spells, spent=10, over_us=1, now_us=5) == 8 + 5


def test_a_grant_of_the_future_waits_for_its_day() -> None:
    assert runs_out([Spell(0, 50, 10), Spell(20, 50, 10)], spent=10, over_us=1, now_us=5) == 21


def test_without_use_they_last_to_their_ends() -> None:
    assert runs_out([Spell(0, 50, 10), Spell(0, 90, 1)], spent=0, over_us=1, now_us=5) == 90


def test_what_is_used_up_or_over_lasts_no_longer_than_now() -> None:
    assert runs_out([], spent=10, over_us=1, now_us=5) == 5
    assert runs_out([Spell(0, 50, 0), Spell(0, 4, 100)], spent=10, over_us=1, now_us=5) == 5


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100), st.integers(0, 500)), max_size=5),
    st.integers(0, 50),
    st.integers(1, 50),
)
def test_more_never_ends_sooner(parts: list[tuple[int, int, int]], spent: int, over_us: int) -> None:
    spells = [Spell(start, start + lasts, amount) for start, lasts, amount in parts]
    more = [Spell(one.from_us, one.until_us, one.available + 1) for one in spells]
    until = runs_out(spells, spent, over_us, 10)
    assert 10 <= until <= runs_out(more, spent, over_us, 10)
    assert until <= max([10, *(one.until_us for one in spells)])
