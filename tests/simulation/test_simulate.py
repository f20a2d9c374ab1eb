"""Many worlds: none breaks a law, and together they have seen every trouble."""

from __future__ import annotations

import pytest

from scheduler import endings
from simulation.run import Outcome, SimulationFailure
from simulation.simulate import simulate

SEEDS = range(1_000, 1_150)


def test_many_small_worlds_break_no_law_and_have_seen_everything() -> None:
    heard: list[Outcome] = []
    summary = simulate(SEEDS, on_outcome=heard.append)
    assert summary.worlds == len(SEEDS) == len(heard)
    assert [outcome.seed for outcome in heard] == list(SEEDS)
    assert summary.admitted == summary.succeeded + summary.failed + summary.cancelled
    assert summary.admitted > 20 * len(SEEDS)
    assert summary.attempts > summary.admitted
    for name in ("failed", "cancelled", "requeued", "old_news", "restarts", "charged"):
        assert getattr(summary, name) > len(SEEDS) // 3, name
    want_of_means = {"grant_exhausted", "grant_expired", "grant_not_started", "wallet_short", "budget_exhausted"}
    assert set(summary.refused) == {"hold_exists"} | want_of_means


def test_the_first_seed_that_breaks_a_law_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "_backoff_us", lambda task, policy: 0)
    heard: list[Outcome] = []
    with pytest.raises(SimulationFailure) as caught:
        simulate(range(100), on_outcome=heard.append)
    assert [outcome.seed for outcome in heard] == list(range(caught.value.seed))


def test_a_world_nobody_has_named_is_refused() -> None:
    with pytest.raises(KeyError, match="no world named 'nowhere'"):
        simulate([1], world="nowhere")
