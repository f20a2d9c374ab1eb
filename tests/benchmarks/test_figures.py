"""The figures are what their names say, by numbers small enough to work out by hand."""

from __future__ import annotations

import pytest

from benchmarks.contest.figures import Case, Told, family_table, figures_of
from benchmarks.contest.losses import loss_table, losses
from benchmarks.contest.rows import Row


def case(
    name: str,
    aer_s: float | None,
    router_s: float | None,
    *,
    honest_s: float | None = None,
    best_s: float | None = None,
) -> Case:
    """None is unsolved after 60 s."""

    def told(seconds: float | None) -> Told:
        return Told(False, 60.0) if seconds is None else Told(True, seconds, 0.5 * seconds)

    honest = told(honest_s if aer_s is None else aer_s)
    engines = {} if best_s is None else {"stim": told(best_s), "sparse": told(2 * best_s)}
    return Case(name, name[0], told(aer_s), honest, told(router_s), engines)


CASES = [
    case("a1", 0.4, 0.1),
    case("a2", 0.1, 0.1, best_s=0.05),
    case("b1", None, 1.2, honest_s=12.0),
    case("b2", None, None),
    case("b3", None, None, best_s=0.6),
]


def test_ratios_count_where_both_solve() -> None:
    figures = figures_of(CASES)
    assert figures.geomean == pytest.approx(2.0)
    assert figures.geomean_untranspiled == pytest.approx(1.0)
    assert figures.geomean_floor5ms == pytest.approx((0.405 / 0.105) ** 0.5)
    assert figures.hindsight_geomean == pytest.approx((4 * 2) ** 0.5)


def test_what_is_unsolved_counts_twice_the_limit() -> None:
    figures = figures_of(CASES)
    assert figures.par2 == pytest.approx((4 * 1 * 100 * 1 * 1) ** 0.2)
    assert figures.par2_honest == pytest.approx((4 * 1 * 10 * 1 * 1) ** 0.2)
    assert figures.hindsight_par2 == pytest.approx((4 * 2 * 100 * 1 * 200) ** 0.2)
    assert (figures.solved, figures.solvable, figures.automatic_solved, figures.honest_solved) == (3, 4, 2, 3)


def test_the_worst_is_looked_for_above_twenty_milliseconds() -> None:
    slow = case("slow", 0.1, 0.2)
    quick = case("quick", 0.001, 0.01)
    figures = figures_of([slow, quick])
    assert (figures.worst, figures.worst_ratio) == ("slow", pytest.approx(2.0))
    assert figures.worst_ms == pytest.approx(90)
    missed = figures_of([slow, quick, case("missed", 1.0, None)])
    assert (missed.worst, missed.worst_ratio, missed.worst_ms) == ("missed", pytest.approx(120), pytest.approx(118_900))


def test_the_line_names_every_figure_that_is_asked_for() -> None:
    words = dict(word.split("=") for word in figures_of(CASES).line().removeprefix("figures: ").split())
    asked = "geomean geomean_floor5ms par2 par2_honest solved solvable worst_ratio worst_ms"
    assert set(asked.split()) <= words.keys()
    assert (words["geomean"], words["solved"], words["solvable"], words["circuits"]) == ("2.00", "3", "4", "5")


def test_every_family_has_its_line() -> None:
    head, first, second = family_table(CASES).splitlines()
    assert head.split()[:3] == ["family", "circuits", "geomean"]
    assert first.split()[:3] == ["a", "2", "2.00"]
    assert second.split()[:2] == ["b", "3"]


def test_losses_are_failures_first_and_then_by_time() -> None:
    chosen = losses([*CASES, case("c1", 1.0, 0.9, best_s=0.1)], 10)
    assert [one.name for one in chosen] == ["b3", "c1", "a2"]
    row = Row("b3", "d", "router", "1", "timeout", 60.0, 60.0, note="stopped")
    table = loss_table(chosen[:1], {"b3": {"router": row}}, lambda name: f"plan of {name}", {"b3": "no"})
    assert table.splitlines() == [
        "1. b3 (b): router UNSOLVED (timeout) by nothing, hindsight 600 ms, lost 1.194e+05 ms",
        "   engines, ms: stim 600, sparse 1200; Aer automatic –, then MPS –",
        "   predicted, ms: plan of b3",
        "   told: stopped",
        "   judged: no",
    ]
