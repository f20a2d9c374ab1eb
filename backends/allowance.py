"""What the run at hand may use: the memory that its process may still allocate, and the time that its job has."""

from __future__ import annotations

import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from backends.engines.port import Budget

_MIB = 1 << 20
_ELSEWHERE_BYTES = 4 << 30
"""The memory that is planned with where nothing limits the process."""
_LEAST_BYTES = 64 * _MIB

_seconds: ContextVar[float] = ContextVar("seconds", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Everything inside plans with so much time, from its own start: nobody looks at a clock meanwhile."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def budget() -> Budget:
    """What may still be used."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return Budget(_ELSEWHERE_BYTES, _seconds.get())
    mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    return Budget(max(_LEAST_BYTES, limit - mapped), _seconds.get())
