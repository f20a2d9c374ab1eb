"""The virtual clock: what happens when, in one list. Time jumps from one entry to the next."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

START_US = 1_700_000_000_000_000
"""Worlds begin at an ordinary moment of the epoch, not at 0, so that numbers have the size they have in life."""

Act = Callable[[], None]


class Agenda:
    """Acts by moment, in the order in which they were put down when the moment is the same."""

    __slots__ = ("_acts", "_count", "now_us")

    def __init__(self) -> None:
        self.now_us = START_US
        self._acts: list[tuple[int, int, Act]] = []
        self._count = 0

    def at(self, at_us: int, act: Act) -> None:
        """Do `act` at `at_us`, or now if that has passed."""
        self._count += 1
        heappush(self._acts, (max(at_us, self.now_us), self._count, act))

    def after(self, delay_us: int, act: Act) -> None:
        """Do `act` in `delay_us`."""
        self.at(self.now_us + delay_us, act)

    def step(self) -> bool:
        """Jump to the next act and do it; False when there is none left."""
        if not self._acts:
            return False
        self.now_us, _, act = heappop(self._acts)
        act()
        return True
