"""A fixed number of warm children kept alive: forked, listened to, killed, replaced.

Not thread-safe: its owner holds a lock, and waits outside of it on what `watched` names.
"""

from __future__ import annotations

import logging
import select
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from workers.child import Child, Death, ForkServer, cause_of_death
from workers.frames import Frame

logger = logging.getLogger(__name__)

_CODE_WAIT_US = 200_000
_BIRTH_US_MAX = 120_000_000
_BACKOFF_US = (50_000, 200_000, 1_000_000, 5_000_000)
_MISBIRTHS_MAX = 3


@dataclass(frozen=True, slots=True)
class Ready:
    """A child has introduced itself."""

    number: int


@dataclass(frozen=True, slots=True)
class Said:
    """A child said something."""

    number: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class Gone:
    """A child has ended; everything it said has been passed on."""

    number: int
    death: Death


News = Ready | Said | Gone


@dataclass(slots=True)
class _Place:
    child: Child
    born_us: int
    weight_bytes: int | None = None
    ended_us: int | None = None
    killed: bool = False

    @property
    def stays(self) -> bool:
        return self.ended_us is None and not self.killed


class Crew:
    """`count` children of one fork server. Children are named by numbers that are never used twice."""

    def __init__(
        self,
        count: int,
        preload: tuple[str, ...],
        main: str,
        options: Mapping[str, Any],
        *,
        file_bytes_max: int,
        frame_bytes_max: int,
    ) -> None:
        """`preload`: modules imported before forking; `main`, `options`: what a child runs (see ForkServer.spawn)."""
        self._count = count
        self._main = main
        self._options = options
        self._file_bytes_max = file_bytes_max
        self._frame_bytes_max = frame_bytes_max
        self._server = ForkServer(preload)
        self._places: dict[int, _Place] = {}
        self._born = 0
        self._misbirths = 0
        self._birth_after_us = 0
        self._codes: dict[int, int] = {}

    @property
    def complete(self) -> bool:
        """All children there and ready."""
        return sum(place.weight_bytes is not None and place.stays for place in self._places.values()) >= self._count

    @property
    def trouble(self) -> str | None:
        """Why no child can be had, once several tries in a row have failed."""
        if self._misbirths < _MISBIRTHS_MAX:
            return None
        return self._server.failure or "the worker processes end before they are ready"

    def replenish(self, now_us: int) -> None:
        """Fork what is missing. Call it from the thread that lives as long as the crew (see ForkServer)."""
        if now_us < self._birth_after_us:
            return
        for _ in range(self._missing()):
            try:
                child = self._server.spawn(
                    self._main,
                    self._options,
                    file_bytes_max=self._file_bytes_max,
                    frame_bytes_max=self._frame_bytes_max,
                )
            except OSError as error:
                logger.warning("no further worker process can be started: %s", error)
                self._misbirth(now_us)
                return
            self._born += 1
            self._places[self._born] = _Place(child, now_us)

    def watched(self, poll: select.poll) -> None:
        """Register every descriptor that may bring news."""
        if self._server.descriptor is not None:
            poll.register(self._server.descriptor, select.POLLIN)
        for place in self._places.values():
            child = place.child
            if place.ended_us is None:
                poll.register(child.connection, select.POLLIN | (select.POLLOUT if child.unsent else 0))
            if child.errors >= 0:
                poll.register(child.errors, select.POLLIN)

    def due_us(self) -> int | None:
        """When to come back even without news, on the steady clock."""
        dues = [place.ended_us + _CODE_WAIT_US for place in self._places.values() if place.ended_us is not None]
        if self._missing():
            dues.append(self._birth_after_us)
        return min(dues, default=None)

    def collect(self, ready: set[int], now_us: int) -> list[News]:
        """Read what has arrived on the descriptors in `ready`, and close the books of those that ended."""
        news: list[News] = []
        for number, place in self._places.items():
            child = place.child
            if child.errors in ready:
                child.receive_errors()
            if place.ended_us is None and child.connection.fileno() in ready:
                child.flush()
                news += self._hear(number, place, now_us)
            if place.weight_bytes is None and place.stays and now_us - place.born_us > _BIRTH_US_MAX:
                self._abandon(place, now_us)
        if self._server.descriptor in ready or any(place.ended_us is not None for place in self._places.values()):
            self._codes |= self._server.listen()
        news += self._bury(now_us)
        return news

    def post(self, number: int, message: bytes) -> bool:
        """Send to a child; False when a part has to wait until its descriptor is writable."""
        child = self._places[number].child
        child.post(message)
        return not child.unsent

    def kill(self, number: int) -> None:
        """End a child; its place is free for another at once."""
        place = self._places[number]
        place.killed = True
        place.child.kill()

    def pid_of(self, number: int) -> int | None:
        """The process of that child."""
        return self._places[number].child.pid

    def pids(self) -> tuple[int, ...]:
        """The processes that are ready and have not ended."""
        living = (place.child.pid for place in self._places.values() if place.stays)
        return tuple(pid for pid in living if pid is not None)

    def growth_bytes(self, number: int) -> int:
        """How much more memory a child occupies now than when it was born."""
        place = self._places[number]
        try:
            return int(psutil.Process(place.child.pid).memory_info().rss) - (place.weight_bytes or 0)
        except psutil.Error:
            return 0

    def birth_weight(self, number: int) -> int:
        """The memory a child occupied when it was born."""
        return self._places[number].weight_bytes or 0

    def close(self) -> None:
        """End all. Returns when every process is gone and every descriptor free."""
        for place in self._places.values():
            place.child.kill()
            place.child.close()
        self._places.clear()
        self._server.close()

    def _missing(self) -> int:
        return self._count - sum(place.stays for place in self._places.values())

    def _abandon(self, place: _Place, now_us: int) -> None:
        """A birth that takes for ever: the fork server hangs. If nobody lives by it, another one is started."""
        place.child.connection.close()
        place.ended_us = now_us
        if all(other.weight_bytes is None for other in self._places.values()):
            self._server.close()

    def _hear(self, number: int, place: _Place, now_us: int) -> list[News]:
        arrived = place.child.receive()
        if arrived is None:
            place.ended_us = now_us
            return []
        news: list[News] = []
        for frame in arrived:
            if frame.header["is"] == "hello" and place.weight_bytes is None:
                place.child.met(frame.header["pid"])
                place.weight_bytes = frame.header["rss"]
                self._misbirths = 0
                news.append(Ready(number))
            else:
                news.append(Said(number, frame))
        return news

    def _bury(self, now_us: int) -> list[News]:
        news: list[News] = []
        for number, place in tuple(self._places.items()):
            if place.ended_us is None:
                continue
            child = place.child
            code = None if child.pid is None else self._codes.get(child.pid)
            if code is None and not place.killed and child.pid and now_us < place.ended_us + _CODE_WAIT_US:
                continue
            child.receive_errors()
            death = cause_of_death(code, child.error_tail)
            if not place.killed:
                printed = child.error_tail.decode("utf-8", "replace").strip()
                logger.warning("worker process %s: %s%s", child.pid, death.reason, f"\n{printed}" if printed else "")
            if place.weight_bytes is None:
                self._misbirth(now_us)
            else:
                news.append(Gone(number, death))
            child.close()
            del self._places[number]
        living = {place.child.pid for place in self._places.values()}
        self._codes = {pid: code for pid, code in self._codes.items() if pid in living}
        return news

    def _misbirth(self, now_us: int) -> None:
        """Children that fail together count once: one dead fork server is one misfortune."""
        if now_us < self._birth_after_us:
            return
        self._birth_after_us = now_us + _BACKOFF_US[min(self._misbirths, len(_BACKOFF_US) - 1)]
        self._misbirths += 1
