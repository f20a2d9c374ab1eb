"""Wakes everybody who waits for a job: one reader of the job history per process, however many wait.

A commit wakes the reader (from any thread); it reads the new history rows once and hands each to the waiters it
concerns. Where commits of other processes cannot wake it, it looks every `poll_s`. Waiting costs no thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread

from api.port import JobsPort
from dispatcher.model import Caller
from store.rows import HistoryRow, NoticeRow

_LOG = logging.getLogger("api")
_EVERYBODY = Caller(member_id="api", project_id=None, role="auditor", token_id="")
_PAGE = 1_000
Row = HistoryRow | NoticeRow


@dataclass(eq=False, slots=True)
class Waiter:
    """One long poll or event stream: the rows it has not taken yet. None for a job or project means any."""

    job_id: str | None
    project_id: str | None
    rows_max: int
    rows: deque[Row] = field(default_factory=deque)
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    overrun: bool = False
    """Rows were dropped: the waiter is too slow and has to come back and resume."""
    released: bool = False
    """The service is stopping or the client is gone: nothing is worth waiting for."""

    def offer(self, row: Row) -> None:
        """Take a row if it concerns this waiter."""
        if self.project_id is not None and row.project_id != self.project_id:
            return
        if len(self.rows) >= self.rows_max:
            self.overrun = True
        else:
            self.rows.append(row)
        self.fresh.set()

    def dismiss(self) -> None:
        """Have it stop waiting."""
        self.released = True
        self.fresh.set()

    async def take(self, timeout_s: float) -> list[Row]:
        """The rows since the last call, after at most `timeout_s`; empty when nothing happened."""
        if not self.rows and not self.overrun and not self.released:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.fresh.wait(), timeout_s)
        self.fresh.clear()
        taken = list(self.rows)
        self.rows.clear()
        return taken


class Tail:
    """Follows the job history by number; numbers grow in the order of the commits, so nothing is passed over."""

    def __init__(self, room: JobsPort, head: int) -> None:
        self._room, self._head = room, head

    def read(self) -> list[Row]:
        """The rows that appeared since the last call. Blocks."""
        rows: list[Row] = []
        while True:
            page = self._room.history_since(_EVERYBODY, self._head, _PAGE)
            rows.extend(page)
            if page:
                self._head = page[-1].seq
            if len(page) < _PAGE:
                return rows


class Watch:
    """The waiters of this process and the task that feeds them; the task lives while somebody waits."""

    def __init__(self, room: JobsPort, *, poll_s: float, linger_s: float = 10.0) -> None:
        self._room, self._poll_s, self._linger_s = room, poll_s, linger_s
        self._by_job: dict[str, set[Waiter]] = {}
        self._wide: set[Waiter] = set()
        self._reader = CapacityLimiter(1)
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._following: asyncio.Future[None] | None = None
        self._stopping = False

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self._wide) + sum(map(len, self._by_job.values()))

    @asynccontextmanager
    async def waiter(
        self, *, job_id: str | None = None, project_id: str | None = None, rows_max: int = 10_000
    ) -> AsyncIterator[Waiter]:
        """A waiter that gets every row committed from now on: read the state inside the block, then wait for more."""
        one = Waiter(job_id, project_id, rows_max, released=self._stopping)
        group = self._wide if job_id is None else self._by_job.setdefault(job_id, set())
        group.add(one)
        try:
            await self._follow()
            yield one
        finally:
            group.discard(one)
            if job_id is not None and not group and self._by_job.get(job_id) is group:
                del self._by_job[job_id]

    def release(self) -> None:
        """Let every waiter go, now and from now on; for the shutdown. Call it on the event loop."""
        self._stopping = True
        for one in self._everybody():
            one.dismiss()

    async def close(self) -> None:
        """Release the waiters and end the task."""
        self.release()
        if self._task is not None and self._loop is asyncio.get_running_loop():
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._task = None

    def _everybody(self) -> list[Waiter]:
        return [*self._wide, *(one for group in self._by_job.values() for one in group)]

    async def _follow(self) -> None:
        """Have the task running, and past the point from which it misses nothing."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._loop is not loop:
            self._loop = loop
            self._following = loop.create_future()
            self._task = loop.create_task(self._run(self._following), name="api-watch")
        assert self._following is not None
        await asyncio.shield(self._following)

    async def _run(self, following: asyncio.Future[None]) -> None:
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        unsubscribe = self._room.changes.subscribe(lambda: _call_soon(loop, wake.set))
        try:
            head = await to_thread.run_sync(self._room.history_end, limiter=self._reader)
            tail = Tail(self._room, head)
            following.set_result(None)
            idle_since = loop.time()
            while not self._stopping:
                if self.count:
                    idle_since = loop.time()
                elif loop.time() - idle_since > self._linger_s:
                    return
                wake.clear()
                await self._deliver(tail)
                with suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), self._poll_s)
        except Exception as fault:
            if following.done():
                raise
            following.set_exception(fault)
        finally:
            unsubscribe()

    async def _deliver(self, tail: Tail) -> None:
        try:
            rows = await to_thread.run_sync(tail.read, limiter=self._reader)
        except Exception:
            # The database may be away for a moment; the rows are still there when it is back.
            _LOG.exception("the job history could not be read; trying again in %s s", self._poll_s)
            return
        for row in rows:
            if isinstance(row, HistoryRow):
                for one in self._by_job.get(row.job_id, ()):
                    one.offer(row)
            for one in self._wide:
                one.offer(row)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the loop may be closed by the time a last commit comes
        loop.call_soon_threadsafe(callback)
