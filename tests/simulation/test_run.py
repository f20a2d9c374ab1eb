"""Whole worlds: they end well, they repeat exactly, and they are not trivial."""

from __future__ import annotations

import pytest

from scheduler.state import State
from simulation.run import SimulationFailure, run
from simulation.world import WORLDS

SMALL, LARGE = WORLDS["small"], WORLDS["large"]


def test_the_same_seed_plays_the_same_world() -> None:
    assert run(11, SMALL) == run(11, SMALL)
    assert run(11, SMALL).digest != run(12, SMALL).digest


def test_a_small_world_accounts_for_every_job() -> None:
    outcome = run(3, SMALL)
    refused = sum(count for code, count in outcome.refused.items() if code != "hold_exists")
    assert outcome.submitted <= outcome.admitted + refused
    assert outcome.admitted == outcome.succeeded + outcome.failed + outcome.cancelled


def test_a_large_world_ends_well() -> None:
    outcome = run(1, LARGE)
    assert outcome.admitted >= 100


def test_a_broken_law_tells_what_led_to_it_and_how_to_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "due_sleeper", lambda state, now_us: 1 // 0)
    with pytest.raises(SimulationFailure) as caught:
        run(5, SMALL)
    text = str(caught.value)
    assert text.startswith("ZeroDivisionError: ")
    assert "The last steps:\n  " in text
    assert text.endswith("Repeat with: qubatord simulate --seed 5 --world small")
    assert (caught.value.seed, caught.value.world) == (5, "small")


def test_a_job_that_never_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.auditor.Auditor._judge_round", lambda auditor, at_us: None)
    monkeypatch.setattr("scheduler.rounds.place", lambda state, policy, decisions: None)
    with pytest.raises(SimulationFailure, match="never ended: position"):
        run(0, SMALL)


def test_the_trail_ends_with_the_step_that_broke_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.placing._emptiest", lambda room, backend, slots: room[0])
    with pytest.raises(SimulationFailure) as caught:
        run(0, SMALL)
    blamed = caught.value.reason[caught.value.reason.index("StartAttempt(") :]
    steps = str(caught.value).partition("The last steps:\n")[2].partition("\n\nRepeat")[0].splitlines()
    last_event = max(number for number, line in enumerate(steps) if not line.startswith("    ->"))
    assert steps[last_event].startswith("  PlanRound(")
    assert f"    -> {blamed}" in steps[last_event:]
