"""Who is watched, decided without anything that runs circuits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from backends.trust.names import on_probation

_LOTS = 2**64


@dataclass(frozen=True, slots=True)
class Oversight:
    """Which share of jobs is run again (of engines on probation, another one), which engines are not to be used, and
    this job's lot from 0 to 1: what is below the share is watched.
    """

    share: float = 0.0
    share_on_probation: float = 0.0
    quarantined: frozenset[str] = frozenset()
    lot: float = 1.0

    def watches(self, engine: str) -> bool:
        """Whether this job is watched where that engine answers."""
        more = self.share > 0 and on_probation(engine)
        return self.lot < (max(self.share, self.share_on_probation) if more else self.share)


UNWATCHED = Oversight()


def lot_of(job_id: str) -> float:
    """A job's lot: the same for every attempt, spread evenly over jobs, and not the sender's to choose."""
    return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:8]) / _LOTS
