"""The ranking always gives the least key, whatever was changed or dropped before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scheduler.ranking import Ranking


def test_least_usage_first_and_ties_by_project_id() -> None:
    ranking = Ranking()
    for project_id, key in [("c", 5), ("b", 5), ("a", 9), ("d", 0)]:
        ranking.put(project_id, key)
    assert [ranking.pop() for _ in range(5)] == ["d", "b", "c", "a", None]


def test_a_changed_key_counts_and_a_dropped_project_does_not() -> None:
    ranking = Ranking()
    ranking.put("a", 1)
    ranking.put("b", 2)
    ranking.put("a", 3)
    ranking.put("c", 0)
    ranking.drop("c")
    assert ("c" in ranking, len(ranking)) == (False, 2)
    assert [ranking.pop() for _ in range(3)] == ["b", "a", None]


def test_stale_entries_do_not_pile_up() -> None:
    ranking = Ranking()
    ranking.put("quiet", 5)
    for key in range(10_000):
        ranking.put("busy", key)
    assert len(ranking._heap) < 100
    assert [ranking.pop(), ranking.pop(), ranking.pop()] == ["quiet", "busy", None]


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "drop", "pop"]), st.sampled_from("abcdef"), st.integers(0, 9)), max_size=400
    )
)
def test_it_does_what_a_plain_dict_and_min_do(moves: list[tuple[str, str, int]]) -> None:
    ranking, model = Ranking(), dict[str, int]()
    for move, project_id, key in moves:
        if move == "put":
            ranking.put(project_id, key)
            model[project_id] = key
        elif move == "drop" and project_id in model:
            ranking.drop(project_id)
            del model[project_id]
        elif move == "pop":
            least = min(model, key=lambda name: (model[name], name), default=None)
            assert ranking.pop() == least
            model.pop(least or "", None)
        assert ranking.standings() == model
        assert len(ranking._heap) <= 2 * len(model) + 64 + 1
