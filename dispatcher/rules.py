"""What the operator decides: prices, ceilings and limits of admission. All money in micro-yuan, all time in µs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.limits import Limits
from ledger.price import Rate

# One QPU second of a simulated backend costs ¥0.50, a job ¥0.001, a thousand shots ¥0.0001.
DEFAULT_RATE = Rate(backend="*", per_job=1_000, per_qpu_ms=500, per_kshot=100, version="2026-1")


@dataclass(frozen=True, slots=True)
class Rules:
    """Admission rules in force.

    A hold covers `ceiling_factor` times the expected run time, at least `ceiling_floor_ms`, at most the time limit:
    a job is never charged more than its hold, so what runs longer is the facility's loss, not the startup's.
    """

    rates: Mapping[str, Rate] = field(default_factory=dict)
    asset: str = "CNY"
    ceiling_factor: int = 10
    ceiling_floor_ms: int = 250
    time_limit_us: int = 60_000_000
    time_limit_max_us: int = 3_600_000_000
    queued_max: int = 100_000
    memory_mib: int = 4_096
    result_max_bytes: int = 256 << 20
    limits: Limits = field(default_factory=Limits)

    def rate(self, backend: str) -> Rate:
        """The rate of `backend`, or the facility's default."""
        return self.rates.get(backend, DEFAULT_RATE)

    def time_limit_of(self, asked_us: int | None, estimate_us: int) -> int:
        """The time limit in force: as asked, else four times the estimate within the default and the longest."""
        if asked_us is not None:
            return asked_us
        return min(self.time_limit_max_us, max(self.time_limit_us, 4 * estimate_us))

    def ceiling_ms(self, estimate_us: int, time_limit_us: int) -> int:
        """Run time in ms that a hold must cover, at least 1."""
        wanted = max(self.ceiling_floor_ms, self.ceiling_factor * -(-estimate_us // 1000))
        return max(1, min(wanted, -(-time_limit_us // 1000)))
