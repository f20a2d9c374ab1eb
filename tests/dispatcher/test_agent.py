"""A worker process of its own: orders from the store, reports into the inbox, no word to the dispatcher but those."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dispatcher import inbox as letters
from dispatcher.agent import Agent
from store import inbox, workers
from store.errors import StoreUnavailable
from workers.port import Failed, Started, Stopped, Succeeded


class Apart:
    """An agent with an executor of its own, beside a dispatcher without workers."""

    def __init__(self, zone: Any) -> None:
        self.zone = zone
        zone.dispatcher = zone.new_dispatcher(None)
        zone.lead()
        self.executor = type(zone.executor)(slots=1)
        self.agent = Agent(zone.new_ground(), self.executor, worker_id="agent-1", host="there", pid=7)

    def turn(self) -> None:
        """What the executor saw is heard, and one round of the agent's loop is done."""
        self.agent._hear(0)
        self.agent._turn()

    def both(self) -> None:
        """The agent speaks, the dispatcher decides, the agent fetches."""
        self.turn()
        self.zone.turn()
        self.turn()

    def letters(self) -> list[str]:
        with self.zone.database.read() as conn:
            return [row.kind for row in inbox.read(conn, 100)]

    def worker(self) -> Any:
        with self.zone.database.read() as conn:
            return next(row for row in workers.list_workers(conn) if row.id == "agent-1")

    def start(self, number: int = -1) -> Any:
        order = self.executor.orders[number]
        self.executor.say(Started(order.attempt_id, order.token, self.zone.clock.now_us()))
        return order

    def succeed(self, number: int = -1, result: bytes | Path = b"{}") -> None:
        order = self.executor.orders[number]
        now = self.zone.clock.now_us()
        self.executor.say(Succeeded(order.attempt_id, order.token, now, result, 3_000, 3_000, 1_000))


@pytest.fixture
def apart(zone: Any) -> Apart:
    return Apart(zone)


def test_a_job_runs_in_a_process_of_its_own(everywhere: Any) -> None:
    apart, zone = Apart(everywhere), everywhere
    ann = zone.startup()
    job = zone.submit(ann)
    apart.both()
    (order,) = apart.executor.orders
    assert (order.attempt_id, order.work, order.time_limit_us) == (f"{job.id}/0.1", b'{"shots":1000}', 60_000_000)
    apart.start()
    apart.both()
    assert zone.job(job).state == "running"
    apart.succeed()
    apart.both()
    assert (zone.job(job).state, zone.job(job).receipt["charged"]) == ("succeeded", 2_600)
    assert zone.room.result(ann, job.id) == b"{}"
    assert zone.room.attempts(ann, job.id)[0].worker_id == "agent-1"
    assert apart.executor.orders == [order], "an order is fetched once"
    assert zone.violations() == []


def test_a_large_result_goes_from_the_spool_to_the_store(apart: Apart, tmp_path: Path) -> None:
    zone = apart.zone
    ann = zone.startup()
    job = zone.submit(ann)
    apart.both()
    spooled = tmp_path / "1.result"
    spooled.write_bytes(b"x" * 100_000)
    apart.succeed(result=spooled)
    apart.both()
    assert zone.room.result(ann, job.id) == b"x" * 100_000
    zone.database.writer.run(lambda conn: None)
    assert not spooled.exists()


@pytest.mark.parametrize("result", [b"x" * 11, "file"])
def test_a_result_over_the_limit_fails_its_job_alone(zone: Any, tmp_path: Path, result: Any) -> None:
    zone.rules = replace(zone.rules, result_max_bytes=10)
    zone.ground = zone.new_ground()
    apart = Apart(zone)
    job = zone.submit(zone.startup())
    apart.both()
    if result == "file":
        result = tmp_path / "1.result"
        result.write_bytes(b"x" * 11)
    apart.start()
    apart.succeed(result=result)
    apart.both()
    assert zone.job(job).problem["code"] == "result_too_large"
    assert (zone.job(job).problem["limit"], zone.job(job).problem["value"]) == (10, 11)


def test_a_payload_that_is_gone_fails_its_own_attempt_alone(apart: Apart) -> None:
    zone = apart.zone
    ann = zone.startup()
    broken, sound = zone.submit(ann), zone.submit(ann, work={"shots": 7})
    zone.write(lambda conn: conn.exec_driver_sql(f"DELETE FROM blobs WHERE hash = '{broken.work_hash}'"))
    apart.both()
    apart.turn()
    assert apart.letters() == ["reported"], "told once, though the lease is still out"
    for _ in range(2):
        apart.both()
    (order,) = apart.executor.orders
    assert order.job_id == sound.id
    (attempt,) = zone.room.attempts(ann, broken.id)
    assert attempt.failure == {"kind": "fault", "code": "", "reason": f"the payload of {broken.id} cannot be read"}


def test_what_fails_is_sent_again(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = apart.zone
    job = zone.submit(zone.startup())
    apart.both()
    apart.succeed()
    with monkeypatch.context() as patched:
        patched.setattr(letters, "reported", lambda report: (_ for _ in ()).throw(StoreUnavailable("disk full")))
        with pytest.raises(StoreUnavailable):
            apart.turn()
    assert "reported" not in apart.letters()
    apart.both()
    assert zone.job(job).state == "succeeded"


def test_a_cancelled_job_is_stopped(apart: Apart) -> None:
    zone = apart.zone
    ann = zone.startup()
    job = zone.submit(ann)
    apart.both()
    order = apart.start()
    apart.both()
    zone.room.cancel(ann, job.id)
    apart.both()
    assert (order.attempt_id, order.token) in apart.executor.stops
    apart.executor.say(Stopped(order.attempt_id, order.token, zone.clock.now_us(), 5_000))
    apart.both()
    assert (zone.job(job).state, zone.job(job).receipt["charged"]) == ("cancelled", 1_000 + 5 * 500)


def test_a_lease_that_was_taken_back_is_stopped(apart: Apart) -> None:
    zone = apart.zone
    job = zone.submit(zone.startup())
    apart.both()
    order = apart.start()
    apart.both()
    zone.clock.pass_(31)
    zone.turn()
    assert zone.story(job) == ["queued", "running", "queued"]
    apart.turn()
    assert (order.attempt_id, order.token) in apart.executor.stops


def test_a_failure_is_told_with_all_it_says(apart: Apart) -> None:
    zone = apart.zone
    job = zone.submit(zone.startup())
    apart.both()
    order = apart.start()
    now = zone.clock.now_us()
    apart.executor.say(
        Failed(order.attempt_id, order.token, now, "user", "control_flow_too_deep", "too deep", {"limit": 9}, 4_000)
    )
    apart.both()
    assert zone.job(job).problem == {
        "code": "control_flow_too_deep",
        "detail": "too deep",
        "kind": "user",
        "charged": True,
        "limit": 9,
    }


def test_heartbeats_keep_the_lease(apart: Apart) -> None:
    zone = apart.zone
    job = zone.submit(zone.startup(), time_limit_us=3_600_000_000)
    apart.both()
    apart.start()
    for _ in range(12):
        apart.both()
        zone.clock.pass_(10)
    apart.both()
    assert zone.job(job).state == "running"
    assert apart.worker().seen_us == zone.clock.now_us()


def test_a_heartbeat_is_no_more_than_one_in_five_seconds(apart: Apart) -> None:
    apart.turn()
    assert apart.letters() == ["worker_joined"]
    apart.turn()
    assert apart.letters() == ["worker_joined"]
    apart.zone.clock.pass_(5)
    apart.turn()
    apart.turn()
    assert apart.letters() == ["worker_joined", "worker_seen"]


def test_a_worker_that_was_given_up_joins_again(apart: Apart) -> None:
    zone = apart.zone
    job = zone.submit(zone.startup())
    apart.both()
    zone.clock.pass_(31)
    zone.turn()
    assert apart.worker().state == "lost"
    apart.turn()
    assert (apart.worker().state, apart.letters()) == ("up", ["worker_joined"])
    apart.both()
    assert [order.attempt_id for order in apart.executor.orders] == [f"{job.id}/0.1", f"{job.id}/0.2"]


def test_the_dispatcher_may_be_restarted_without_the_worker(apart: Apart) -> None:
    zone = apart.zone
    job = zone.submit(zone.startup())
    apart.both()
    apart.start()
    apart.both()
    zone.dispatcher = zone.new_dispatcher(None)
    zone.lead()
    apart.succeed()
    apart.both()
    assert zone.story(job) == ["queued", "running", "succeeded"]
    assert len(apart.executor.orders) == 1


def until(true: Callable[[], bool]) -> None:
    changed = threading.Event()
    for _ in range(1_000):
        if true():
            return
        changed.wait(0.01)
    raise AssertionError("it did not come to pass")


def test_it_leaves_with_its_last_words(apart: Apart) -> None:
    """What was finished is told before the worker says goodbye."""
    zone = apart.zone
    job = zone.submit(zone.startup())
    apart.both()
    apart.succeed()
    apart.agent.stop()
    apart.agent.run()
    assert (apart.executor.closed, apart.worker().state) == (True, "lost")
    assert apart.letters() == ["reported", "worker_left"]
    zone.turn()
    assert zone.job(job).state == "succeeded"


def test_it_runs_in_a_thread_until_it_is_stopped(apart: Apart) -> None:
    zone = apart.zone
    job = zone.submit(zone.startup())
    thread = threading.Thread(target=apart.agent.run)
    thread.start()
    until(lambda: "worker_joined" in apart.letters())
    zone.turn()
    until(lambda: len(apart.executor.orders) == 1)
    apart.succeed()
    until(lambda: "reported" in apart.letters())
    apart.agent.stop()
    thread.join(5)
    assert not thread.is_alive()
    zone.turn()
    assert zone.job(job).state == "succeeded"


def test_it_outlives_a_store_that_is_away(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = [1]
    joined = letters.worker_joined

    def refuse(*told: Any) -> Any:
        if refusals:
            refusals.pop()
            raise StoreUnavailable("disk full")
        return joined(*told)

    monkeypatch.setattr(letters, "worker_joined", refuse)
    thread = threading.Thread(target=apart.agent.run)
    thread.start()
    until(lambda: "worker_joined" in apart.letters())
    apart.agent.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_it_ends_even_when_it_cannot_say_goodbye(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    apart.turn()
    monkeypatch.setattr(letters, "worker_left", lambda *told: (_ for _ in ()).throw(StoreUnavailable("disk full")))
    apart.agent.stop()
    apart.agent.run()
    assert apart.executor.closed
