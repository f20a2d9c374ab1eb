"""What the tests of this room share: odd children by name, and a census of processes and descriptors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest


def _until(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Wait for a condition that another process brings about; False when it does not come true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _gone(pid: int) -> bool:
    """Ended; a zombie that only waits to be collected has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def until() -> Callable[..., bool]:
    """`until(condition, timeout_s=10)`: wait for what another process brings about; False when it does not come."""
    return _until


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """`gone(pid)`: whether that process has ended."""
    return _gone


@pytest.fixture
def oddities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children can import `oddities`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
def leaves_nothing() -> Iterator[None]:
    """Afterwards there are as many descriptors as before, and no child of ours, dead or alive."""
    before, children = _descriptors(), {one.pid for one in psutil.Process().children(recursive=True)}
    yield
    assert _until(lambda: _descriptors() == before), (before, _descriptors())
    assert [one for one in psutil.Process().children(recursive=True) if one.pid not in children] == []


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
