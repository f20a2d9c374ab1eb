"""Which project goes next: the one with the least usage for its weight; ties go by project id."""

from __future__ import annotations

from heapq import heapify, heappop, heappush


class Ranking:
    """A heap of (key, project id) in which a changed key simply gets a second entry; stale entries are passed over."""

    __slots__ = ("_heap", "_keys")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._keys: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, project_id: str) -> bool:
        return project_id in self._keys

    def put(self, project_id: str, key: int) -> None:
        """Rank the project at `key`, whether or not it was ranked before."""
        if self._keys.get(project_id) == key:
            return
        self._keys[project_id] = key
        heappush(self._heap, (key, project_id))
        if len(self._heap) > 2 * len(self._keys) + 64:
            self._heap = [(key, project_id) for project_id, key in self._keys.items()]
            heapify(self._heap)

    def drop(self, project_id: str) -> None:
        """Rank the project no longer; KeyError when it was not ranked."""
        del self._keys[project_id]

    def pop(self) -> str | None:
        """Take out and return the project that goes next; None when no project is ranked."""
        heap = self._heap
        while heap:
            key, project_id = heappop(heap)
            if self._keys.get(project_id) == key:
                del self._keys[project_id]
                return project_id
        return None

    def standings(self) -> dict[str, int]:
        """Every ranked project and its key, for inspection."""
        return dict(self._keys)
