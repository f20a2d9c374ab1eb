"""When to try again: exponential back-off with jitter, the server's Retry-After before our own guess, a total limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRY_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds throughout. `total_s` counts from the first failure; 0 means one try only."""

    total_s: float = 60.0
    base_s: float = 0.1
    cap_s: float = 8.0

    def delay_s(self, failures: int, retry_after_s: float | None, draw: Callable[[], float]) -> float:
        """How long to wait after the `failures`-th failure (from 1). `draw` gives a number in [0, 1).

        A Retry-After is kept as the least wait, with up to a quarter on top so that many clients that were sent away
        together do not come back together. Without one: full jitter under a doubling ceiling.
        """
        if retry_after_s is not None:
            return retry_after_s + draw() * min(0.25 * retry_after_s + 0.05, self.cap_s)
        ceiling = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 30))
        return draw() * ceiling


def parse_retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds from a Retry-After header (a number or an HTTP date); None when absent or unreadable."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
