"""Plays many worlds, one seed each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from simulation.run import Outcome, run
from simulation.world import world_named


@dataclass(slots=True)
class Summary:
    """What many worlds came to: sums over their outcomes, and the smallest and largest seed played."""

    world: str
    worlds: int = 0
    submitted: int = 0
    admitted: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    attempts: int = 0
    requeued: int = 0
    old_news: int = 0
    restarts: int = 0
    steps: int = 0
    charged: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one more world in."""
        self.worlds += 1
        self.refused.update(outcome.refused)
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(outcome, name))


_SUMMED = (
    "submitted",
    "admitted",
    "succeeded",
    "failed",
    "cancelled",
    "attempts",
    "requeued",
    "old_news",
    "restarts",
    "steps",
    "charged",
)


def simulate(
    seeds: Iterable[int], world: str = "small", on_outcome: Callable[[Outcome], None] | None = None
) -> Summary:
    """Play the world of this name once per seed; `on_outcome` hears of each as it ends.

    Raises SimulationFailure at the first seed that breaks a law (its text has the command that repeats it), and
    KeyError for a world nobody has named.
    """
    stage = world_named(world)
    summary = Summary(stage.name)
    for seed in seeds:
        outcome = run(seed, stage)
        summary.add(outcome)
        if on_outcome is not None:
            on_outcome(outcome)
    return summary
