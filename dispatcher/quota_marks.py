"""Says in time that a project's grants are running out."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.ground import Ground
from dispatcher.model import Caller
from store.drawn import drawn_of

MARKS = (95, 80)
"""Percent of what was granted, the most urgent first."""


@dataclass(frozen=True, slots=True)
class QuotaWarning:
    """`used` (settled or held) has reached `percent` of what the valid grants of a project gave it."""

    project_id: str
    percent: int
    used: int
    granted: int
    asset: str


class QuotaMarks:
    """Looks at a project's grants after a submission."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def quota_warning(self, caller: Caller, project_id: str) -> QuotaWarning | None:
        """The highest mark that a project's use has reached; None below all, and for what the caller may not see."""
        if not caller.sees(project_id):
            return None
        asset = self._ground.rules.asset
        with self._ground.database.read() as conn:
            found = drawn_of(conn, project_id, asset, self._ground.now_us())
        for percent in MARKS:
            if found.granted and found.used * 100 >= percent * found.granted:
                return QuotaWarning(project_id, percent, found.used, found.granted, asset)
        return None
