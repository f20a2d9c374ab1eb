"""The watch: one reader for many waiters, woken by commits, and by looking where nobody wakes it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from api.watch import Tail, Watch
from store.rows import HistoryRow


class Diary:
    """The part of a room that the watch reads: a history that tests write, and whether writing wakes anybody."""

    def __init__(self) -> None:
        self.rows: list[HistoryRow] = []
        self.callbacks: list[Callable[[], None]] = []
        self.reads = 0
        self.broken = False
        self.failed = threading.Event()
        self.left = threading.Event()
        self.changes = self

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.callbacks.append(callback)

        def unsubscribe() -> None:
            self.callbacks.remove(callback)
            self.left.set()

        return unsubscribe

    def history_end(self) -> int:
        return len(self.rows)

    def history_since(self, caller: Any, seq: int, limit: int) -> list[HistoryRow]:
        assert (caller.project_id, caller.role) == (None, "auditor")
        self.reads += 1
        if self.broken:
            self.failed.set()
            raise OSError("the database is away")
        return self.rows[seq : seq + limit]

    def write(self, job_id: str, state: str = "running", project_id: str = "prj", *, wake: bool = True) -> None:
        self.rows.append(HistoryRow(len(self.rows) + 1, job_id, project_id, 0, state, "", 2))  # type: ignore[arg-type]
        for callback in self.callbacks if wake else ():
            callback()


def told(story: Callable[[Diary, Watch], Coroutine[Any, Any, None]], **options: float) -> None:
    async def run() -> None:
        diary = Diary()
        watch = Watch(diary, **{"poll_s": 20.0, **options})  # type: ignore[arg-type]
        async with asyncio.timeout(15):
            await story(diary, watch)
        await watch.close()
        assert diary.callbacks == []

    asyncio.run(run())


def test_a_waiter_gets_what_is_written_after_it_came() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        diary.write("a", "queued")
        async with watch.waiter(job_id="a") as waiter:
            diary.write("a")
            assert [row.state for row in await waiter.take(10)] == ["running"]

    told(story)


def test_a_waiter_gets_only_what_concerns_it() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        async with (
            watch.waiter(job_id="a") as job,
            watch.waiter(project_id="mine") as project,
            watch.waiter() as everything,
        ):
            diary.write("b", project_id="mine")
            diary.write("a", project_id="other")
            assert [row.job_id for row in await job.take(10)] == ["a"]
            await _all(everything, 2)
            assert [row.job_id for row in await project.take(10)] == ["b"]
            assert watch.count == 3
        assert watch.count == 0

    told(story)


async def _all(waiter: Any, count: int) -> list[HistoryRow]:
    rows: list[HistoryRow] = []
    while len(rows) < count:
        rows += await waiter.take(10)
    return rows


def test_a_commit_of_another_thread_wakes() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        async with watch.waiter(job_id="a") as waiter:
            writer = threading.Thread(target=diary.write, args=("a",))
            writer.start()
            assert await waiter.take(10)
            writer.join()

    told(story)


def test_a_commit_of_another_process_is_found_by_looking() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        async with watch.waiter(job_id="a") as waiter:
            diary.write("a", wake=False)
            assert await waiter.take(10)

    told(story, poll_s=0.01)


def test_a_thousand_waiters_cost_one_reader() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        everybody_waits = asyncio.Barrier(1_001)

        async def wait(number: int) -> list[HistoryRow]:
            async with watch.waiter(job_id=f"job {number}") as waiter:
                await everybody_waits.wait()
                return await waiter.take(10)

        waiting = [asyncio.create_task(wait(number)) for number in range(1_000)]
        await everybody_waits.wait()
        before = diary.reads
        for number in range(1_000):
            diary.write(f"job {number}")
        assert all(await asyncio.gather(*waiting))
        assert diary.reads - before < 20
        assert len(diary.callbacks) == 1

    told(story)


def test_waiting_ends_with_its_time() -> None:
    async def story(_diary: Diary, watch: Watch) -> None:
        async with watch.waiter(job_id="a") as waiter:
            began_s = time.monotonic()
            assert await waiter.take(0.02) == []
            assert time.monotonic() - began_s < 5

    told(story)


def test_a_slow_waiter_is_told_that_it_missed_something() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        async with watch.waiter(rows_max=2) as slow, watch.waiter(rows_max=10) as quick:
            for _ in range(3):
                diary.write("a")
            await _all(quick, 3)
            assert (len(await slow.take(10)), slow.overrun, quick.overrun) == (2, True, False)

    told(story)


def test_a_database_that_is_away_for_a_moment_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        async with watch.waiter(job_id="a") as waiter:
            diary.broken = True
            diary.write("a")
            await asyncio.to_thread(diary.failed.wait, 10)
            diary.broken = False
            assert [row.state for row in await waiter.take(10)] == ["running"]

    told(story, poll_s=0.01)
    assert "could not be read" in caplog.text


def test_a_database_that_is_away_at_the_start_fails_the_waiter_and_not_the_next() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        end, diary.history_end = diary.history_end, lambda: 1 // 0  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError):
            async with watch.waiter(job_id="a"):
                pass
        assert watch.count == 0
        diary.history_end = end  # type: ignore[method-assign]
        async with watch.waiter(job_id="a") as waiter:
            diary.write("a")
            assert await waiter.take(10)

    told(story)


def test_the_reader_goes_home_when_nobody_waits_and_comes_again() -> None:
    async def story(diary: Diary, watch: Watch) -> None:
        async with watch.waiter(job_id="a"):
            assert len(diary.callbacks) == 1
        await asyncio.to_thread(diary.left.wait, 10)
        assert diary.callbacks == []
        diary.write("a", "queued")
        async with watch.waiter(job_id="a") as waiter:
            diary.write("a")
            assert [row.state for row in await waiter.take(10)] == ["running"]

    told(story, poll_s=0.005, linger_s=0.01)


def test_release_lets_everybody_go_at_once_and_from_then_on() -> None:
    async def story(_diary: Diary, watch: Watch) -> None:
        async with watch.waiter(job_id="a") as waiter:
            waiting = asyncio.create_task(waiter.take(1_000))
            await asyncio.sleep(0)
            watch.release()
            assert await waiting == []
            assert waiter.released
        async with watch.waiter(job_id="b") as late:
            assert await late.take(1_000) == []

    told(story)


def test_the_tail_reads_page_by_page_to_the_end() -> None:
    diary = Diary()
    for number in range(2_500):
        diary.write(f"job {number}")
    tail = Tail(diary, 100)  # type: ignore[arg-type]
    assert [row.seq for row in tail.read()] == list(range(101, 2_501))
    assert tail.read() == []
    assert diary.reads == 4
