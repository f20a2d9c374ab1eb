"""Work in a child is given back, stopped in time, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from backends.engines.port import GaveUp
from backends.router.trial import RanOut, in_child


def test_what_it_returns_comes_back() -> None:
    assert in_child(lambda: list(range(500_000)), 30) == list(range(500_000))
    assert in_child(os.getpid, 30) != os.getpid()


def test_what_it_raises_comes_back() -> None:
    def gives_up() -> None:
        raise GaveUp("too many terms")

    with pytest.raises(GaveUp, match="too many terms"):
        in_child(gives_up, 30)


def test_it_is_stopped_when_its_time_is_over() -> None:
    with pytest.raises(RanOut, match=r"no answer within 0\.1 s"):
        in_child(lambda: time.sleep(600), 0.1)
    assert not [child for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE]


def test_one_that_dies_has_no_answer() -> None:
    with pytest.raises(RanOut):
        in_child(lambda: os.kill(os.getpid(), signal.SIGKILL), 30)
