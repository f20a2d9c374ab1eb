"""Runs something in a forked child that can be stopped: for engines whose cost nobody can foretell.

Compiled code does not hear of a deadline. A child does: it is killed, and what it had is given back with it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PIECE = 1 << 20


class RanOut(Exception):  # noqa: N818 - an expected no
    """The child did not answer in time, or died."""


def in_child(work: Callable[[], T], seconds: float) -> T:
    """What `work` returns, computed in a child within so many seconds. Raises RanOut, or what `work` raised.

    Call it from a process with one thread. The value travels as a pickle from our own child.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _answer(work, writing)
    os.close(writing)
    try:
        told = _heard(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if told is None:
        raise RanOut(f"no answer within {seconds:.1f} s")
    found: tuple[bool, T | BaseException] = pickle.loads(told)  # noqa: S301 - written by our own child
    well, value = found
    if not well:
        assert isinstance(value, BaseException)
        raise value
    return value  # type: ignore[return-value]


def _answer(work: Callable[[], object], writing: int) -> None:
    """The child's life. It leaves past every clean-up, which belongs to the parent."""
    try:
        try:
            told = pickle.dumps((True, work()), protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # travels to the parent
            told = pickle.dumps((False, error))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(told)
    finally:
        os._exit(0)


def _heard(reading: int, until_s: float) -> bytes | None:
    """All that the child wrote before it ended; None if it did not end in time or wrote nothing."""
    parts: list[bytes] = []
    while (left := until_s - time.monotonic()) > 0:
        ready, _, _ = select.select([reading], [], [], left)
        if not ready:
            return None
        part = os.read(reading, _PIECE)
        if not part:
            return b"".join(parts) or None
        parts.append(part)
    return None
