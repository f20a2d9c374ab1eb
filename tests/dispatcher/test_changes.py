"""The hub that tells waiting readers to look again."""

from __future__ import annotations

import threading
from typing import Any

from dispatcher.changes import ChangeHub


def test_everybody_who_subscribed_is_told_until_they_leave() -> None:
    hub, told = ChangeHub(), []
    leave_a = hub.subscribe(lambda: told.append("a"))
    hub.subscribe(lambda: told.append("b"))
    hub.publish()
    leave_a()
    leave_a()
    hub.publish()
    assert told == ["a", "b", "b"]


def test_a_callback_may_leave_and_join_while_it_is_told() -> None:
    hub, told = ChangeHub(), []

    def once() -> None:
        told.append("once")
        leave()
        hub.subscribe(lambda: told.append("later"))

    leave = hub.subscribe(once)
    hub.publish()
    hub.publish()
    assert told == ["once", "later"]


def test_threads_may_come_and_go() -> None:
    hub, count = ChangeHub(), 200
    start = threading.Barrier(4)

    def visit() -> None:
        start.wait()
        for _ in range(count):
            hub.subscribe(lambda: None)()
            hub.publish()

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hub._callbacks == {}


def test_a_commit_of_the_room_is_told(zone: Any) -> None:
    told = threading.Event()
    zone.database.listen(zone.ground.changes.publish)
    zone.room.changes.subscribe(told.set)
    zone.startup()
    assert told.wait(5)
