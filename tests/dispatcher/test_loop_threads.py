"""The loop with its own threads: it leads, stands by, stops, and outlives what goes wrong around it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dispatcher import recovery
from store import leader
from store.errors import StoreUnavailable


def until(zone: Any, true: Callable[[], bool]) -> None:
    """Wait for something that follows from commits."""
    changed = threading.Event()
    zone.database.listen(changed.set)
    for _ in range(400):
        changed.clear()
        if true():
            return
        changed.wait(0.05)
    raise AssertionError("it did not come to pass")


@pytest.fixture
def threads(zone: Any) -> Any:
    zone.dispatcher.start()
    yield zone
    zone.dispatcher.stop()


def test_the_threads_run_a_job(threads: Any) -> None:
    zone = threads
    until(zone, lambda: zone.dispatcher.leading)
    job = zone.submit(zone.startup())
    order = zone.executor.order(0)
    zone.started(order)
    zone.succeeded(order)
    until(zone, lambda: zone.job(job).state == "succeeded")
    assert zone.dispatcher.why_waiting(job.id) is not None


def test_a_dispatcher_without_workers_leads_all_the_same(zone: Any) -> None:
    alone = zone.new_dispatcher(None)
    alone.start()
    job = zone.submit(zone.startup())
    until(zone, lambda: alone.leading and zone.rows()["inbox"] == 0)
    assert (
        alone.why_waiting(job.id)
        == "no worker offers backend ideal or aer or aer-statevector or aer-stabilizer or aer-mps"
    )
    alone.stop()


def test_a_second_dispatcher_stands_by_and_takes_over(threads: Any) -> None:
    zone = threads
    until(zone, lambda: zone.dispatcher.leading)
    second = zone.new_dispatcher(None, zone.new_ground())
    second.start()
    zone.dispatcher.stop()
    until(zone, lambda: second.leading)
    assert not zone.dispatcher.leading
    second.stop()
    with zone.database.read() as conn:
        assert conn.exec_driver_sql("SELECT epoch FROM leader").scalar_one() == 2


def test_the_loop_outlives_a_store_that_cannot_be_written_when_it_takes_the_lead(zone: Any, monkeypatch: Any) -> None:
    acquire, refusals = leader.acquire, [1]

    def full(*told: Any) -> int:
        if refusals:
            refusals.pop()
            raise StoreUnavailable("disk full")
        return acquire(*told)

    monkeypatch.setattr(leader, "acquire", full)
    zone.dispatcher.start()
    until(zone, lambda: zone.dispatcher.leading)
    zone.dispatcher.stop()
    assert refusals == []


def test_the_loop_starts_over_after_a_bug(zone: Any, monkeypatch: Any) -> None:
    rebuild, stumbles = recovery.rebuild, [1]

    def stumble(*told: Any) -> Any:
        if stumbles:
            stumbles.pop()
            raise RuntimeError("a bug")
        return rebuild(*told)

    monkeypatch.setattr(recovery, "rebuild", stumble)
    zone.dispatcher.start()
    until(zone, lambda: zone.dispatcher.leading)
    zone.dispatcher.stop()


def test_the_loop_outlives_an_executor_that_raises(zone: Any, monkeypatch: Any) -> None:
    observe, stumbles = zone.executor.observe, [1]

    def stumble(timeout_s: float) -> Any:
        if stumbles:
            stumbles.pop()
            raise OSError("a broken pipe")
        return observe(timeout_s)

    monkeypatch.setattr(zone.executor, "observe", stumble)
    zone.dispatcher.start()
    job = zone.submit(zone.startup())
    zone.succeeded(zone.executor.order(0))
    until(zone, lambda: zone.job(job).state == "succeeded")
    zone.dispatcher.stop()
