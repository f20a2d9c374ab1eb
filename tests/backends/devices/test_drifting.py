"""Figures wander, and every day can be asked for again."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from backends.devices.drifting import calibrated_on, draw
from backends.devices.model import Device
from backends.devices.reading import device_of

DAY = date(2026, 11, 20)


def guadalupe() -> Device:
    found = device_of("guadalupe-snapshot")
    assert found is not None
    return found


def logs(figure: str, days: int) -> list[list[float]]:
    """For every qubit its figure's deviation from the stated one, day by day."""
    stated = guadalupe()
    series: list[list[float]] = [[] for _ in stated.qubits]
    for number in range(days):
        today = calibrated_on(stated, DAY + timedelta(number))
        for qubit, (now, then) in enumerate(zip(today.qubits, stated.qubits, strict=True)):
            series[qubit].append(math.log(getattr(now, figure) / getattr(then, figure)))
    return series


def test_a_day_is_the_same_whenever_it_is_asked_for() -> None:
    first = calibrated_on(guadalupe(), DAY)
    fresh = calibrated_on(replace(guadalupe()), DAY)
    assert first is not fresh
    assert (first.qubits, first.gates, first.calibrated) == (fresh.qubits, fresh.gates, "2026-11-20")
    assert calibrated_on(guadalupe(), None) is guadalupe()
    other = replace(guadalupe(), drift=replace(guadalupe().drift, seed=1))
    assert calibrated_on(other, DAY).qubits != first.qubits
    assert draw(0, "a figure", 739_575) == pytest.approx(-0.347124371), "on every machine"


def test_figures_wander_as_far_as_is_said_and_remember_yesterday() -> None:
    """16 series of 60 days: the spread and the correlation of neighbouring days. The bounds are five standard errors,
    and the draws are fixed by their seed: this cannot fail by chance twice."""
    series = logs("t1_ns", 60)
    values = [value for one in series for value in one]
    assert abs(statistics.fmean(values)) < 0.12
    assert 0.07 < statistics.pstdev(values) < 0.17
    steps = [after - before for one in series for before, after in pairwise(one)]
    # The step of an autoregressive process with memory m has standard deviation σ·sqrt(2(1 - m)).
    assert abs(statistics.pstdev(steps) - 0.12 * math.sqrt(2 * 0.1)) < 0.01


def test_what_physics_and_couplings_need_stays() -> None:
    for number in range(0, 400, 7):
        today = calibrated_on(guadalupe(), DAY + timedelta(number))
        assert all(qubit.t2_ns <= 2 * qubit.t1_ns for qubit in today.qubits)
        assert today.edges == guadalupe().edges
        assert all(gate.error < 0.3 for gate in today.gates)
        assert all(today.gate("cx", edge).error == today.gate("cx", edge[::-1]).error for edge in today.edges or ())  # type: ignore[union-attr]
        assert all(gate.error == 0 for gate in today.gates if gate.name == "rz")
