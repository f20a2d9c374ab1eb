"""Calendar months of the facility: the periods in which its books are read and closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

_FORM = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of a year: "2026-11"."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (1970 <= self.year <= 9999 and 1 <= self.number <= 12):
            raise ValueError(f"there is no month {self}")

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read "2026-11". Raises ValueError that says what a month looks like."""
        found = _FORM.match(text)
        if found is None:
            raise ValueError(f"a month is written YYYY-MM, like 2026-11, not {text[:20]!r}")
        year, number = int(found[1]), int(found[2])
        if not (1971 <= year <= 9998 and 1 <= number <= 12):
            raise ValueError(f"a month lies in 1971-01 to 9998-12, not at {text}")
        return cls(year, number)

    @classmethod
    def of(cls, at_us: int, zone: tzinfo) -> Month:
        """The month in which an instant lies, by the clocks of `zone`."""
        local = datetime.fromtimestamp(at_us // 1_000_000, zone)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    def step(self, months: int) -> Month:
        """The month so many months later, or earlier."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    def from_us(self, zone: tzinfo) -> int:
        """Its first instant."""
        return int(datetime(self.year, self.number, 1, tzinfo=zone).timestamp()) * 1_000_000

    def until_us(self, zone: tzinfo) -> int:
        """The first instant after it."""
        return self.step(1).from_us(zone)
