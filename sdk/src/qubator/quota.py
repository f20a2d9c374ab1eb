"""Where a project stands: what it was granted, has spent, has in flight, has committed, and how long that lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qubator.money import Money, instant

FIGURES = ("granted", "settled", "held", "available", "expired")


@dataclass(frozen=True, slots=True)
class Figures:
    """One grant, or several in one asset: granted = settled + held + available + expired, always.

    `settled` is spent, `held` is set aside for open jobs, `available` can be spent now, `expired` was not used in time.
    """

    granted: Money
    settled: Money
    held: Money
    available: Money
    expired: Money
    record: Mapping[str, Any] = field(repr=False)

    @property
    def asset(self) -> str:
        """What is counted: CNY, or a native unit such as qpu_ms."""
        return self.granted.asset

    def __str__(self) -> str:
        return f"settled {self.settled}, held {self.held}, available {self.available}"


@dataclass(frozen=True, slots=True)
class InKind(Figures):
    """The sums of the grants in one native unit, and when nothing is left of them."""

    runs_out: datetime | None


@dataclass(frozen=True, slots=True)
class Quota(Figures):
    """Where a project stands, its grants in money summed up, and each grant.

    Open jobs hold `in_flight` while they run and `committed` while they wait, from grants and wallet together. The
    project's own `wallet` pays what grants do not. `in_kind` has the sums of grants in native units, by asset.
    `runs_out` is when nothing is left of the grants in money (in that unit), by the pace of the last month; None where
    that is beyond any calendar.
    """

    in_flight: Money
    committed: Money
    wallet: Money
    wallet_held: Money
    in_kind: Mapping[str, InKind]
    runs_out: datetime | None
    grants: tuple[Figures, ...]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Quota:
        """Read the balance document."""
        asset = str(record["asset"])
        wallet = record["wallet"]
        return cls(
            **_figures(record, asset),
            record=record,
            in_flight=Money(int(record["in_flight"]), asset),
            committed=Money(int(record["committed"]), asset),
            wallet=Money(int(wallet["available"]), asset),
            wallet_held=Money(int(wallet["held"]), asset),
            in_kind={
                name: InKind(**_figures(told, name), record=told, runs_out=instant(told["runs_out_us"]))
                for name, told in record["in_kind"].items()
            },
            runs_out=instant(record["runs_out_us"]),
            grants=tuple(Figures(**_figures(told, told["asset"]), record=told) for told in record["grants"]),
        )


def _figures(told: Mapping[str, Any], asset: str) -> dict[str, Money]:
    return {word: Money(int(told[word]), asset) for word in FIGURES}
