"""The ground every part of the dispatcher stands on: database, blobs, clock, ids, rules, inspector, change hub."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from backends.findings import Findings
from backends.rejected import Rejection
from dispatcher.changes import ChangeHub
from dispatcher.notary import Notary
from dispatcher.rules import Rules
from store.blobs import Blobs
from store.database import Database
from workers.questions import Routes


class Inspector(Protocol):
    """Measures work documents in killable children (workers.inspector.InspectorPool)."""

    def inspect(self, works: Sequence[bytes]) -> list[Findings | Rejection]: ...

    def routes(self, work: bytes) -> Routes | Rejection: ...

    def ready(self) -> bool: ...


class Recent:
    """The newest byte strings by key, bounded by their total size: saves a read per started order."""

    def __init__(self, max_bytes: int = 64 << 20) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: str, content: bytes) -> None:
        """Keep `content`, dropping the oldest past the size limit."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return
            self._kept[key] = content
            self._size += len(content)
            while self._size > self._max_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped)

    def get(self, key: str) -> bytes | None:
        """What was kept under `key`, or None."""
        with self._lock:
            return self._kept.get(key)


@dataclass(frozen=True)
class Ground:
    """What the parts share. `now_us` is steady within a process; `new_id(prefix)` sorts by time."""

    database: Database
    blobs: Blobs
    inspector: Inspector
    rules: Rules
    now_us: Callable[[], int]
    new_id: Callable[[str], str]
    changes: ChangeHub = field(default_factory=ChangeHub)
    works: Recent = field(default_factory=Recent)
    notary: Notary | None = None
