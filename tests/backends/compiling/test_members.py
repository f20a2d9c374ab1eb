"""Who is in a portfolio: by options, size, budget and what is installed, never by the clock."""

from __future__ import annotations

import sys

import pytest

from backends.compiling import members
from backends.compiling.calibrated import Calibrated
from backends.compiling.members import Member, passes_for, portfolio, pre_passes


def test_the_first_is_plain_level_three_with_the_asked_seed() -> None:
    for budget_ms in (0, 10_000):
        kept, _ = portfolio(7, 100, budget_ms, foreign=True)
        assert kept[0] == Member(3, 7)


def test_no_member_is_there_twice_and_cut_ones_are_told() -> None:
    whole, none = portfolio(0, 200, 60_000, foreign=True)
    assert none == []
    assert len({member.name for member in whole}) == len(whole)
    kept, cut = portfolio(0, 200, 300, foreign=True)
    assert kept
    assert cut
    assert {*kept, *cut} == set(whole)


def test_a_larger_circuit_gets_fewer_runs_in_the_same_time() -> None:
    sizes = [len(portfolio(0, gates, 1_000, foreign=True)[0]) for gates in (10, 200, 1_000, 20_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1


def test_a_pre_pass_is_paid_for_once() -> None:
    first = members.expected(Member(3, 0, "pyzx"), 100, set())
    assert first > members.expected(Member(3, 1, "pyzx"), 100, {"pyzx"}) == members.expected(Member(3, 0), 100, set())


def test_what_a_portfolio_takes_is_told_beforehand_and_stays_within_its_budget() -> None:
    kept, _ = portfolio(0, 100, 60_000, foreign=True)
    assert len(kept) == 23
    routing, first_tket, first_pyzx = 12 + 0.08 * 100, 5 + 0.4 * 100, 5 + 0.5 * 100
    assert members.portfolio_ms(100, 60_000) == pytest.approx(23 * routing + first_tket + first_pyzx)
    assert members.portfolio_ms(100, 200) <= 200
    assert members.portfolio_ms(100_000, 0) == pytest.approx(12 + 0.08 * 100_000)  # plain level 3 is always tried


def test_circuits_that_decide_on_their_way_have_qiskit_only() -> None:
    assert {member.pre_pass for member in portfolio(0, 10, 60_000, foreign=False)[0]} == {None}


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(pre_passes()) == {"tket", "pyzx"}
    for name in ("backends.compiling.on_tket", "backends.compiling.on_pyzx"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr("backends.compiling." + name.rpartition(".")[2], raising=False)
    monkeypatch.setitem(sys.modules, "pytket.circuit", None)
    pre_passes.cache_clear()
    try:
        assert set(pre_passes()) == {"pyzx"}
        assert {member.pre_pass for member in portfolio(0, 10, 60_000, foreign=True)[0]} == {None, "pyzx"}
        monkeypatch.setitem(sys.modules, "pyzx", None)
        monkeypatch.delitem(sys.modules, "backends.compiling.on_pyzx", raising=False)
        monkeypatch.delattr("backends.compiling.on_pyzx", raising=False)
        pre_passes.cache_clear()
        assert pre_passes() == {}
    finally:
        pre_passes.cache_clear()


def test_passes_are_made_once_for_equal_calibrations(calibrated: Calibrated) -> None:
    again = Calibrated(calibrated.target)
    assert passes_for(calibrated, 1, 0, None) is passes_for(again, 1, 0, None)
    assert passes_for(calibrated, 1, 0, None) is not passes_for(calibrated, 1, 1, None)
