"""The service's clock and ids: steady while a process lives, whatever happens to the machine's wall clock."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_SHIFTS = tuple(range(120, -1, -10))


class SteadyClock:
    """Microseconds since the epoch, read once from the wall clock and then carried on by the monotonic one.

    A jump of the wall clock (an operator's hand, a virtual machine that wakes) would otherwise end every lease at once.
    `not_before_us` keeps a restarted service from going back behind what it has already written.
    """

    def __init__(self, not_before_us: int = 0) -> None:
        start_us = max(time.time_ns() // 1000, not_before_us)
        self._offset_us = start_us - time.monotonic_ns() // 1000

    def now_us(self) -> int:
        """Now."""
        return time.monotonic_ns() // 1000 + self._offset_us


def new_id(prefix: str) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, then 82 random bits, so that ids sort by time."""
    number = (time.time_ns() // 1_000_000) << 82 | secrets.randbits(82)
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"
