"""The rate card: immutable lines of prices, and which of them is in force for a backend at an instant.

Nobody changes a line. A price changes by a later line, which wins from its `valid_from_us` on; a quote pins the lines
it was made from, so a change never touches what has been quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.model import RESOURCES, Resource

EVERY_BACKEND = "*"
WHOLE_DAY = (0, 24)


@dataclass(frozen=True, slots=True)
class RateLine:
    """The price of one resource: `unit_price` micro-units for each started `quantum` of native units.

    `backend` is a backend's name, its class ("simulator"), or "*". `hours` (from, until) is the band of the day, in the
    facility's time zone, in which it holds; until <= from goes over midnight. Valid in [valid_from_us, valid_until_us).
    """

    id: str
    resource: Resource
    unit_price: int
    quantum: int = 1
    backend: str = EVERY_BACKEND
    hours: tuple[int, int] = WHOLE_DAY
    valid_from_us: int = 0
    valid_until_us: int | None = None
    created_us: int = 0

    def __post_init__(self) -> None:
        if self.resource not in RESOURCES:
            raise ValueError(f"rate {self.id}: {self.resource!r} is none of {', '.join(RESOURCES)}")
        if self.unit_price < 0:
            raise ValueError(f"rate {self.id}: a price is at least 0, not {self.unit_price}")
        if self.quantum < 1:
            raise ValueError(f"rate {self.id}: a quantum is at least 1, not {self.quantum}")
        if self.resource == "job" and self.quantum != 1:
            raise ValueError(f"rate {self.id}: a job is one, its quantum is 1, not {self.quantum}")
        if not (0 <= self.hours[0] <= 23 and 0 <= self.hours[1] <= 24 and self.hours[0] != self.hours[1]):
            raise ValueError(f"rate {self.id}: hours go from 0-23 to 0-24 and are not empty, not {self.hours}")
        if self.valid_until_us is not None and self.valid_until_us <= self.valid_from_us:
            raise ValueError(f"rate {self.id}: valid_until_us must lie after valid_from_us")

    def holds(self, at_us: int, hour: int) -> bool:
        """Whether it is in force at that instant, which is in that hour of the facility's day."""
        if at_us < self.valid_from_us or (self.valid_until_us is not None and at_us >= self.valid_until_us):
            return False
        start, end = self.hours
        return start <= hour < end if start < end else hour >= start or hour < end


def rates_in_force(
    lines: Iterable[RateLine], backend: str, backend_class: str, at_us: int, hour: int
) -> tuple[RateLine, ...]:
    """The line in force for each resource, in the order of `RESOURCES`; resources nobody prices are left out.

    Of several, the line for the backend itself wins over its class and that over every backend; then the one for a band
    of hours over the whole day; then the later `valid_from_us`, the later `created_us`, the greater id.
    """
    best: dict[Resource, tuple[tuple[int, int, int, int, str], RateLine]] = {}
    ranks: Mapping[str, int] = {EVERY_BACKEND: 0, backend_class: 1, backend: 2}
    for line in lines:
        rank = ranks.get(line.backend)
        if rank is None or not line.holds(at_us, hour):
            continue
        key = (rank, int(line.hours != WHOLE_DAY), line.valid_from_us, line.created_us, line.id)
        if line.resource not in best or key > best[line.resource][0]:
            best[line.resource] = (key, line)
    return tuple(best[resource][1] for resource in RESOURCES if resource in best)
