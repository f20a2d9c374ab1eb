"""What the tests of this room share: odd children by name, and a census of processes and descriptors."""

from __future__ import annotations

import contextlib
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
    """Afterwards nothing is open that was not open before, and there is no child of ours, dead or alive.

    What the descriptors lead to is compared, not their number: the interpreter may close something of an earlier test
    meanwhile, which would look like a loss, or hide a leak.
    """
    before, children = _opened(), {one.pid for one in psutil.Process().children(recursive=True)}
    yield
    assert _until(lambda: _opened() <= before), _opened() - before
    assert [one for one in psutil.Process().children(recursive=True) if one.pid not in children] == []


def _opened() -> set[str]:
    """What our descriptors lead to: a path, or a pipe or a socket by its own number."""
    opened = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        # The descriptor that lists the folder is gone by now.
        with contextlib.suppress(FileNotFoundError):
            opened.add(f"{descriptor.name} {descriptor.readlink()}")
    return opened
