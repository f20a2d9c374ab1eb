"""A second opinion on fair shares: the same law, written again in floating point and without any index."""

from __future__ import annotations

from scheduler.policy import DEFAULT_WEIGHT

TOLERANCE_US = 20
"""The scheduler rounds usage to whole numbers at a restart and in its scores; closer than this is a tie."""


class Shares:
    """What each project has used, at its worth at `start_us`; usage halves along straight lines per half-life."""

    def __init__(self, start_us: int, half_life_us: int) -> None:
        self._half_life_us = half_life_us
        self._start_phase = start_us // half_life_us
        self._worth: dict[str, float] = {}
        self._weights: dict[str, int] = {}

    def set_weight(self, project_id: str, weight: int) -> None:
        """From now on the project's usage is compared over this weight."""
        self._weights[project_id] = weight

    def worth(self, usage: int, at_us: int) -> float:
        """What `usage` at `at_us` is worth at the start."""
        phase, rest = divmod(at_us, self._half_life_us)
        return usage * 2.0 ** (phase - self._start_phase) / (1 - rest / (2 * self._half_life_us))

    def add(self, project_id: str, worth: float) -> None:
        """Charge the project, or give back."""
        self._worth[project_id] = max(0.0, self._worth.get(project_id, 0.0) + worth)

    def has_used_less(self, one: str, other: str, at_us: int) -> bool:
        """Whether `one` clearly has a stronger claim to the next place than `other`."""
        margin = self.worth(TOLERANCE_US, at_us)
        return self._share(one) + margin < self._share(other) * (1 - 1e-6) - margin

    def _share(self, project_id: str) -> float:
        return self._worth.get(project_id, 0.0) * DEFAULT_WEIGHT / self._weights.get(project_id, DEFAULT_WEIGHT)
