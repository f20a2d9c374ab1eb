"""A lane is a sorted list with a cheap front."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.lane import Lane, rank_of


def test_higher_priority_goes_first_then_who_came_first() -> None:
    ranked = sorted([(0, 1), (0, 2), (5, 3), (-5, 0), (5, 4)], key=lambda pair: rank_of(*pair))
    assert ranked == [(5, 3), (5, 4), (0, 1), (0, 2), (-5, 0)]


def test_removing_what_is_not_there_is_a_bug() -> None:
    lane: Lane[str] = Lane()
    lane.push(3, "three")
    with pytest.raises(KeyError):
        lane.remove(4)
    with pytest.raises(KeyError):
        lane.remove(2)


@given(st.lists(st.tuples(st.sampled_from(["push", "push", "pop", "remove"]), st.integers(0, 200)), max_size=300))
def test_it_does_what_a_plain_sorted_list_does(moves: list[tuple[str, int]]) -> None:
    lane: Lane[str] = Lane()
    model: list[int] = []
    for move, number in moves:
        if move == "push" and number not in model:
            lane.push(number, str(number))
            model = sorted([*model, number])
        elif move == "pop" and model:
            assert (lane.first_rank(), lane.first()) == (model[0], str(model[0]))
            assert lane.pop() == str(model.pop(0))
        elif move == "remove" and number in model:
            lane.remove(number)
            model.remove(number)
        assert (len(lane), lane.ranks()) == (len(model), model)
        assert lane.tasks() == [str(rank) for rank in model]
        assert lane.ahead_of(number) == sum(1 for rank in model if rank < number)


def test_the_front_is_swept_away() -> None:
    lane: Lane[int] = Lane()
    for number in range(1_000):
        lane.push(number, number)
    assert [lane.pop() for _ in range(1_000)] == list(range(1_000))
    assert len(lane._ranks) < 100
