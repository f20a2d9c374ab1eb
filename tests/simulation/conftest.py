"""Seeded bugs: one is put in, small worlds are played until one objects; without it that world is in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from simulation.run import SimulationFailure, run
from simulation.world import WORLDS

SEEDS = range(60)
"""Every bug has to show within so many small worlds; most show in the first few."""

Bug = Callable[[pytest.MonkeyPatch], None]


def _is_caught(bug: Bug) -> None:
    world = WORLDS["small"]
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        caught = _first_failure(SEEDS)
    assert caught is not None, f"{bug.__name__} went unnoticed in {len(SEEDS)} worlds"
    assert f"qubatord simulate --seed {caught.seed} --world small" in str(caught)
    run(caught.seed, world)  # without the bug the same world is in order


def _first_failure(seeds: Iterable[int]) -> SimulationFailure | None:
    for seed in seeds:
        try:
            run(seed, WORLDS["small"])
        except SimulationFailure as failure:
            print(seed, failure.reason[:200])
            return failure
    return None


@pytest.fixture
def is_caught() -> Callable[[Bug], None]:
    """Fails unless the simulator notices the bug."""
    return _is_caught
