"""Amounts as the service counts them: whole micro-units of an asset, never floats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_MICRO = 1_000_000
NATIVE = frozenset({"qpu_ms", "shots", "cpu_ms", "gpu_ms", "storage_mib_h"})
"""Assets that are counted one by one, not in millionths."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in micro-units (`micro`) of `asset`; 1_230_000 micro of CNY are 1.23 yuan.

    Grants may also be given in native units ("qpu_ms", "shots", …): there `micro` is the bare count.
    """

    micro: int
    asset: str = "CNY"

    def __str__(self) -> str:
        return f"{self.figure} {self.asset}"

    @property
    def figure(self) -> str:
        """The number alone, as people read it."""
        return f"{self.micro:,}" if self.asset in NATIVE else decimal(self.micro)

    def to_json(self) -> dict[str, Any]:
        """The wire form: {"micro": int, "asset": str}."""
        return {"micro": self.micro, "asset": self.asset}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Money:
        """Read the wire form."""
        return cls(int(value["micro"]), str(value.get("asset", "CNY")))


def decimal(micro: int) -> str:
    """`micro` as exact decimal text with at least two places: 1230000 -> "1.23", -5 -> "-0.000005"."""
    whole, rest = divmod(abs(micro), _MICRO)
    places = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micro < 0 else ''}{whole:,}.{places}"


def instant(us: int) -> datetime | None:
    """Microseconds since 1970 as a time in UTC; None beyond the calendar."""
    try:
        return datetime.fromtimestamp(us / 1e6, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def parse_amount(text: str) -> int:
    """Micro-units of a decimal text such as "1.5" or "1,000". Raises ValueError beyond six places."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    whole, _, rest = digits.replace(",", "").strip().partition(".")
    if not (whole + rest).isdecimal() or len(rest) > 6:
        raise ValueError(f"{text!r} is not an amount with at most six decimal places")
    return sign * (int(whole or "0") * _MICRO + int(rest.ljust(6, "0")))
