"""One project's waiting tasks of one demand, in the order they go: higher priority first, then who came first."""

from __future__ import annotations

from bisect import bisect_left
from typing import Generic, TypeVar

T = TypeVar("T")

_RANK_SHIFT = 44


def rank_of(priority: int, sequence: int) -> int:
    """One number to sort by: higher priority before lower, then submission order. `sequence` < 2**44."""
    return (-priority << _RANK_SHIFT) + sequence


class Lane(Generic[T]):
    """A sorted list with a cheap front: append and pop cost O(1), elsewhere O(log n) and one block move."""

    __slots__ = ("_first", "_ranks", "_tasks")

    def __init__(self) -> None:
        self._ranks: list[int] = []
        self._tasks: list[T] = []
        self._first = 0  # what lies before it has been popped and is swept away now and then

    def __len__(self) -> int:
        return len(self._ranks) - self._first

    def push(self, rank: int, task: T) -> None:
        """Put `task` in its place; ranks are unique."""
        ranks = self._ranks
        if not ranks or rank > ranks[-1]:
            ranks.append(rank)
            self._tasks.append(task)
            return
        place = bisect_left(ranks, rank, self._first)
        ranks.insert(place, rank)
        self._tasks.insert(place, task)

    def first_rank(self) -> int:
        """The rank of who goes next; the lane must not be empty."""
        return self._ranks[self._first]

    def first(self) -> T:
        """Who goes next; the lane must not be empty."""
        return self._tasks[self._first]

    def pop(self) -> T:
        """Take who goes next; the lane must not be empty."""
        first = self._first
        task = self._tasks[first]
        self._first = first + 1
        if first > 32 and first * 2 > len(self._ranks):
            del self._ranks[: first + 1]
            del self._tasks[: first + 1]
            self._first = 0
        return task

    def remove(self, rank: int) -> None:
        """Take out the task of this rank; KeyError when it is not here."""
        place = bisect_left(self._ranks, rank, self._first)
        if place == len(self._ranks) or self._ranks[place] != rank:
            raise KeyError(rank)
        del self._ranks[place]
        del self._tasks[place]

    def ahead_of(self, rank: int) -> int:
        """How many here go before `rank` (which need not be in this lane)."""
        return bisect_left(self._ranks, rank, self._first) - self._first

    def ranks(self) -> list[int]:
        """All ranks in order, for inspection."""
        return self._ranks[self._first :]

    def tasks(self) -> list[T]:
        """All tasks in order, for inspection."""
        return self._tasks[self._first :]
