"""What the HTTP face bounds by itself, before anybody else is asked. Sizes in bytes, times in seconds or ms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """Upper bounds of requests and waiting; all inclusive."""

    body_bytes: int = 8_000_000
    batch_jobs: int = 1_000
    waiters: int = 2_000
    """Long polls and event streams open at once, in this process."""
    waiters_of_member: int = 200
    heartbeat_s: float = 15.0
    """Between two comments on a quiet event stream; the token is checked again as often."""
    poll_ms: int = 250
    """How late a change committed by another process is noticed, where it cannot wake this one."""
    read_threads: int = 40
    submit_threads: int = 32
    counts_bytes: int = 64_000_000
    """What the conversion of a result to counts may grow to."""
    token_days: int = 365
    """The life of a token whose expiry was not given."""
