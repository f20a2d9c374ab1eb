"""What the operator decides: prices, ceilings and limits of admission. All money in micro-units, all time in µs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from backends.limits import Limits
from ledger.model import CNY
from ledger.rates import RateLine

# One QPU second of a simulated backend costs ¥0.50, a job ¥0.001, a thousand shots ¥0.0001.
DEFAULT_RATES = (
    RateLine("built-in/job", "job", 1_000),
    RateLine("built-in/qpu_ms", "qpu_ms", 500),
    RateLine("built-in/shots", "shots", 1, 10),
)
"""In force from the first day; a line that an operator adds wins over the one built in, from its own first day on."""

TIME_LIMIT_US = 60_000_000
"""Of a job that asks for none and needs no more."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Admission rules in force.

    A hold covers `ceiling_factor` times the expected run time, at least `ceiling_floor_ms`, at most the time limit:
    a job is never charged more than its hold, so what runs longer is the facility's loss, not the startup's. Hours of
    rate cards and years of caps are those of `zone`. Where stored results are priced, `result_hours` are. `facility` is
    the name that stands on exports; `devices` are the snapshots offered beside the fleet.
    """

    rates: tuple[RateLine, ...] = DEFAULT_RATES
    asset: str = CNY
    zone: tzinfo = UTC
    facility: str = "Qubator"
    quote_valid_us: int = 900_000_000
    result_hours: int = 720
    ceiling_factor: int = 10
    ceiling_floor_ms: int = 250
    time_limit_us: int = TIME_LIMIT_US
    time_limit_max_us: int = 3_600_000_000
    queued_max: int = 100_000
    memory_mib: int = 4_096
    result_max_bytes: int = 256 << 20
    devices: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def local(self, at_us: int) -> datetime:
        """An instant as the facility's clocks show it."""
        return datetime.fromtimestamp(at_us // 1_000_000, self.zone)

    def time_limit_of(self, asked_us: int | None, estimate_us: int) -> int:
        """The time limit in force: as asked, else four times the estimate within the default and the longest."""
        if asked_us is not None:
            return asked_us
        return min(self.time_limit_max_us, max(self.time_limit_us, 4 * estimate_us))

    def ceiling_ms(self, estimate_us: int, time_limit_us: int) -> int:
        """Run time in ms that a hold must cover, at least 1."""
        wanted = max(self.ceiling_floor_ms, self.ceiling_factor * -(-estimate_us // 1000))
        return max(1, min(wanted, -(-time_limit_us // 1000)))

    def storage_mib_h(self, result_bytes: int) -> int:
        """What keeping a result takes, in started MiB-hours."""
        return -(-result_bytes * self.result_hours // (1 << 20))
