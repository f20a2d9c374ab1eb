"""A crew stays complete whatever happens to its children, and says so when it cannot."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from workers import frames
from workers.crew import Crew, Gone, News, Ready, Said


class Watch:
    """A crew and the loop its owner would run."""

    def __init__(self, count: int, main: str, preload: str = "oddities") -> None:
        self.crew = Crew(count, (preload,), f"oddities:{main}", {}, file_bytes_max=0, frame_bytes_max=1 << 20)
        self.news: list[News] = []

    def turn(self) -> list[News]:
        now_us = time.monotonic_ns() // 1000
        self.crew.replenish(now_us)
        poll = select.poll()
        self.crew.watched(poll)
        due_us = self.crew.due_us()
        wait_us = 100_000 if due_us is None else min(100_000, max(0, due_us - now_us))
        ready = {descriptor for descriptor, _ in poll.poll(wait_us / 1000)}
        news = self.crew.collect(ready, time.monotonic_ns() // 1000)
        self.news += news
        return news

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, self.news
            self.turn()


@pytest.fixture
def watch(oddities: None, leaves_nothing: None) -> Iterator[Callable[..., Watch]]:
    watches: list[Watch] = []

    def open_watch(*arguments: Any, **options: Any) -> Watch:
        watches.append(Watch(*arguments, **options))
        return watches[-1]

    yield open_watch
    for one in watches:
        one.crew.close()
        one.crew.close()


def test_a_crew_becomes_complete(watch: Callable[..., Watch]) -> None:
    echo = watch(2, "echo")
    assert not echo.crew.complete
    echo.until(lambda: echo.crew.complete)
    assert sorted(news.number for news in echo.news if isinstance(news, Ready)) == [1, 2]
    assert len(set(echo.crew.pids())) == 2
    assert echo.crew.pid_of(1) in echo.crew.pids()
    assert echo.crew.birth_weight(1) > 1 << 20
    assert echo.crew.growth_bytes(1) < 64 << 20


def test_what_children_say_is_passed_on(watch: Callable[..., Watch]) -> None:
    echo = watch(1, "echo")
    echo.until(lambda: echo.crew.complete)
    assert echo.crew.post(1, frames.encode({"is": "pong"}, b"x"))
    echo.until(lambda: any(isinstance(news, Said) for news in echo.news))
    assert echo.news[-1] == Said(1, frames.Frame({"is": "pong"}, b"x"))


def test_a_second_introduction_is_only_something_said(watch: Callable[..., Watch]) -> None:
    echo = watch(1, "echo")
    echo.until(lambda: echo.crew.complete)
    echo.crew.post(1, frames.encode({"is": "hello", "pid": 1, "rss": 0}))
    echo.until(lambda: any(isinstance(news, Said) for news in echo.news))
    assert echo.crew.pid_of(1) != 1
    assert len([news for news in echo.news if isinstance(news, Ready)]) == 1


def test_what_does_not_fit_is_sent_when_there_is_room(watch: Callable[..., Watch]) -> None:
    echo = watch(1, "echo")
    echo.until(lambda: echo.crew.complete)
    assert not echo.crew.post(1, frames.encode({"is": "pong"}, b"x" * 900_000))
    echo.until(lambda: any(isinstance(news, Said) for news in echo.news))


def test_a_killed_child_is_replaced_each_time(watch: Callable[..., Watch]) -> None:
    stall = watch(1, "stall")
    stall.until(lambda: stall.crew.complete)
    for _ in range(5):
        [pid] = stall.crew.pids()
        number = max(news.number for news in stall.news if isinstance(news, Ready))
        stall.crew.kill(number)
        stall.until(lambda: stall.crew.complete)
        assert stall.crew.pids() != (pid,)


def test_a_child_that_dies_by_itself_is_told_with_its_cause(watch: Callable[..., Watch]) -> None:
    echo = watch(2, "echo")
    echo.until(lambda: echo.crew.complete)
    psutil.Process(echo.crew.pid_of(1)).send_signal(signal.SIGSEGV)
    echo.until(lambda: any(isinstance(news, Gone) for news in echo.news) and echo.crew.complete)
    [gone] = [news for news in echo.news if isinstance(news, Gone)]
    assert gone.number == 1
    assert gone.death.reason == "the process was ended by SIGSEGV"
    assert sorted(news.number for news in echo.news if isinstance(news, Ready)) == [1, 2, 3]


def test_a_dead_fork_server_is_replaced_with_all_its_children(watch: Callable[..., Watch]) -> None:
    echo = watch(2, "echo")
    echo.until(lambda: echo.crew.complete)
    parent = psutil.Process(echo.crew.pids()[0]).parent()
    assert parent is not None
    parent.kill()
    echo.until(lambda: len([news for news in echo.news if isinstance(news, Gone)]) == 2 and echo.crew.complete)
    assert echo.crew.trouble is None


def test_one_dead_fork_server_is_one_misfortune_however_many_were_to_be_born(watch: Callable[..., Watch]) -> None:
    echo = watch(4, "echo")
    others = set(psutil.Process().children())
    echo.turn()
    [server] = set(psutil.Process().children()) - others
    server.kill()
    troubles = []

    def complete() -> bool:
        troubles.append(echo.crew.trouble)
        return echo.crew.complete

    echo.until(complete)
    assert set(troubles) == {None}


def test_children_that_are_never_ready_are_tried_with_growing_pauses(watch: Callable[..., Watch]) -> None:
    never = watch(1, "never_ready")
    never.until(lambda: never.crew.trouble is not None)
    assert never.crew.trouble == "the worker processes end before they are ready"
    assert never.news == []
    due_us = never.crew.due_us()
    assert due_us is not None
    assert due_us - time.monotonic_ns() // 1000 > 500_000


def test_a_module_that_cannot_be_imported_is_named(watch: Callable[..., Watch]) -> None:
    broken = watch(1, "echo", preload="no_such_module")
    broken.until(lambda: broken.crew.trouble is not None)
    assert broken.crew.trouble == "ModuleNotFoundError: No module named 'no_such_module'"


def test_without_descriptors_it_waits(watch: Callable[..., Watch], monkeypatch: pytest.MonkeyPatch) -> None:
    echo = watch(1, "echo")
    for number in (1, 2, 3):
        with monkeypatch.context() as patched:
            patched.setattr("socket.socketpair", _no_descriptors)
            echo.turn()
        assert echo.crew.pids() == ()
        echo.until(lambda: echo.crew.complete)
        assert echo.crew.trouble is None  # luck in between makes up for it
        echo.crew.kill(number)


def _no_descriptors() -> None:
    raise OSError(24, "Too many open files")
