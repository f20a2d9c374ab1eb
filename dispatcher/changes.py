"""Tells waiting readers that something was committed. Carries no content: readers look at the store."""

from __future__ import annotations

import threading
from collections.abc import Callable


class ChangeHub:
    """A set of callbacks, called after each commit; a callback must be quick and must not raise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next = 0

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after commits, from any thread, until the returned function is called."""
        with self._lock:
            key = self._next
            self._next += 1
            self._callbacks[key] = callback

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return unsubscribe

    def publish(self) -> None:
        """Wake every subscriber."""
        with self._lock:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            callback()
