"""The loop when a commit fails, an order or a payload is lost, or another dispatcher takes over."""

from __future__ import annotations

from typing import Any

import pytest

from store import inbox, leader
from store.errors import Deposed, StoreUnavailable
from store.rows import Message


def broken_once(zone: Any, monkeypatch: pytest.MonkeyPatch, *, after: bool = False) -> list[int]:
    """The next commit of the loop fails (`after`: it is done, but nobody hears of it)."""
    failed: list[int] = []
    write = zone.dispatcher._write

    def fail(*told: Any) -> None:
        if failed:
            return write(*told)
        if not after:
            failed.append(1)
            raise StoreUnavailable("disk full")
        write(*told)
        failed.append(1)
        return None

    monkeypatch.setattr(zone.dispatcher, "_write", fail)
    return failed


def test_when_the_commit_fails_nothing_has_happened_and_reports_are_told_again(led: Any, monkeypatch: Any) -> None:
    ann = led.startup()
    job, waiting = led.submit(ann), led.submit(ann)
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.succeeded(order)
    rows = led.rows()
    broken_once(led, monkeypatch)
    with pytest.raises(StoreUnavailable):
        led.turn()
    assert led.rows() == rows
    assert len(led.executor.orders) == 1, "no order before its lease is durable"
    led.lead()
    (next_order,) = led.turn()
    assert (led.job(job).state, led.job(job).receipt["charged"]) == ("succeeded", 2_600)
    assert next_order.job_id == waiting.id
    assert led.story(job) == ["queued", "running", "succeeded"]
    assert led.violations() == []


def test_a_cancel_that_meets_a_failing_commit_still_stops_the_attempt(led: Any, monkeypatch: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.room.cancel(ann, job.id)
    broken_once(led, monkeypatch)
    with pytest.raises(StoreUnavailable):
        led.turn()
    assert led.executor.stops == []
    led.lead()
    assert led.executor.stops == [(order.attempt_id, order.token)]
    led.stopped(order, used_us=2_000)
    led.turn()
    assert (led.job(job).state, led.job(job).receipt["charged"]) == ("cancelled", 2_000)


def test_wake_ups_are_those_of_the_present_state(zone: Any) -> None:
    zone.submit(zone.startup())
    zone.dispatcher._wake_at_us = zone.clock.now_us() + 5
    zone.lead()
    assert zone.dispatcher._wake_at_us is None, "what an earlier state asked for is of no meaning"
    zone.turn()
    assert zone.dispatcher._wake_at_us == zone.clock.now_us() + zone.policy.lease_us


def test_when_the_commit_of_a_lease_fails_the_lease_is_decided_again(led: Any, monkeypatch: Any) -> None:
    job = led.submit(led.startup())
    broken_once(led, monkeypatch)
    with pytest.raises(StoreUnavailable):
        led.turn()
    assert (led.executor.orders, led.rows()["inbox"], led.rows()["attempts"]) == ([], 2, 0)
    led.lead()
    (order,) = led.turn()
    assert order.attempt_id == f"{job.id}/0.1"


def test_a_lease_whose_order_was_never_sent_is_given_up_and_leased_again(led: Any, monkeypatch: Any) -> None:
    """The process lives on, but the cycle ended between the commit and the order."""
    ann = led.startup()
    job = led.submit(ann)
    with monkeypatch.context() as patched:
        patched.setattr(led.dispatcher, "_carry_out", lambda effects: (_ for _ in ()).throw(StoreUnavailable("gone")))
        with pytest.raises(StoreUnavailable):
            led.turn()
    assert (led.executor.orders, led.rows()["attempts"]) == ([], 1)
    led.lead()
    (order,) = led.turn()
    assert order.attempt_id == f"{job.id}/0.2"
    led.started(order)
    led.succeeded(order)
    led.turn()
    assert led.job(job).state == "succeeded"
    assert [one.state for one in led.room.attempts(ann, job.id)] == ["lost", "succeeded"]


def test_attempts_the_rebuilt_state_does_not_know_are_stopped(led: Any) -> None:
    job = led.submit(led.startup())
    (order,) = led.turn()
    led.write(lambda conn: conn.exec_driver_sql("UPDATE attempts SET ended_us = 1, state = 'lost'"))
    led.lead()
    assert led.executor.stops == [(order.attempt_id, order.token)]
    (second,) = led.turn()
    assert second.attempt_id == f"{job.id}/0.2"


def test_what_the_executor_still_runs_is_left_alone_by_a_rebuild(led: Any) -> None:
    job = led.submit(led.startup())
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.lead()
    assert (led.turn(), led.executor.stops) == ([], [])
    led.succeeded(order)
    led.turn()
    assert led.story(job) == ["queued", "running", "succeeded"]


def test_a_payload_that_is_gone_fails_its_own_job_alone(led: Any) -> None:
    ann = led.startup()
    broken, sound = led.submit(ann, work={"shots": 1_000}), led.submit(ann, work={"shots": 1_001})
    led.restart()  # so that no payload is at hand
    led.write(lambda conn: conn.exec_driver_sql(f"DELETE FROM blobs WHERE hash = '{broken.work_hash}'"))
    assert led.turn() == []
    (order,) = led.turn()
    assert order.job_id == sound.id
    (attempt,) = led.room.attempts(ann, broken.id)
    assert attempt.failure == {"kind": "fault", "code": "", "reason": f"the payload of {broken.id} cannot be read"}
    led.room.cancel(ann, broken.id)
    led.turn()
    assert led.job(broken).state == "cancelled"
    assert led.violations() == []


def test_a_damaged_payload_fails_its_own_job_alone(led: Any) -> None:
    ann = led.startup()
    broken, sound = led.submit(ann, work={"padding": "x" * 40_000}), led.submit(ann)
    led.restart()
    (file,) = (path for path in (led.folder / "blobs").rglob("*") if path.is_file())
    file.write_bytes(file.read_bytes().replace(b"x", b"y"))
    led.turn()
    (order,) = led.turn()
    assert order.job_id == sound.id
    assert led.room.attempts(ann, broken.id)[0].failure["kind"] == "fault"


def test_the_spooled_result_of_an_attempt_that_no_longer_counts_is_removed(led: Any, tmp_path: Any) -> None:
    job = led.submit(led.startup())
    (first,) = led.turn()
    led.failed(first, "crash")
    led.turn()
    late = tmp_path / "late.result"
    late.write_bytes(b"x" * 100_000)
    led.succeeded(first, result=late)
    led.turn()
    assert not late.exists()
    assert led.job(job).state == "queued"


def test_a_deposed_leader_writes_nothing_more(led: Any) -> None:
    job = led.submit(led.startup())
    (order,) = led.turn()
    led.write(lambda conn: leader.acquire(conn, "dispatcher", "somebody else"))
    led.started(order)
    rows = led.rows()
    with pytest.raises(Deposed, match="somebody else leads"):
        led.turn()
    assert (led.rows(), led.job(job).state) == (rows, "queued")


def test_the_new_leader_takes_the_workers_of_the_old_one_for_lost(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (order,) = led.turn()
    old, old_epoch, old_executor = led.dispatcher, led.epoch, led.executor
    led.restart()
    (second,) = led.turn()
    assert second.attempt_id == f"{job.id}/0.2"
    led.dispatcher, led.epoch, led.executor = old, old_epoch, old_executor
    led.succeeded(order)
    with pytest.raises(Deposed):
        led.turn()
    assert led.job(job).state == "queued"


def test_an_inbox_row_of_another_kind_stops_the_cycle(led: Any) -> None:
    led.write(lambda conn: inbox.append(conn, [Message(1, "nonsense", {})]))
    with pytest.raises(RuntimeError, match="unknown kind 'nonsense'"):
        led.turn()
