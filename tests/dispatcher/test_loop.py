"""The loop: what it takes in, what it commits, what it does only after the commit, and what it does when that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dispatcher import recovery
from store import inbox, leader
from store.errors import Deposed, StoreUnavailable
from store.rows import Message

RESULT = b'{"v":1,"pubs":[]}'


def test_a_job_from_submission_to_receipt(everywhere: Any) -> None:
    zone = everywhere
    zone.lead()
    ann = zone.startup()
    job = zone.submit(ann)
    (order,) = zone.turn()
    assert (order.attempt_id, order.job_id, order.backend) == (f"{job.id}/0.1", job.id, "aer")
    assert (order.work, order.time_limit_us, order.memory_mib) == (b'{"shots":1000}', 60_000_000, 4_096)
    assert zone.job(job).state == "queued", "leased is not started"
    zone.clock.pass_(1)
    zone.started(order)
    assert zone.turn() == []
    running = zone.job(job)
    assert (running.state, running.started_us) == ("running", zone.clock.now_us())
    zone.clock.pass_(2)
    zone.succeeded(order)
    zone.turn()
    ended = zone.job(job)
    assert (ended.state, ended.ended_us) == ("succeeded", zone.clock.now_us())
    assert zone.room.result(ann, job.id) == RESULT
    assert zone.room.receipt(ann, job.id)["charged"] == 2_600
    assert zone.story(job) == ["queued", "running", "succeeded"]
    (attempt,) = zone.room.attempts(ann, job.id)
    assert (attempt.state, attempt.number, attempt.token) == ("succeeded", 1, order.token)
    assert zone.rows()["inbox"] == 0
    assert zone.violations() == []


def test_a_start_and_an_end_that_are_told_at_once_are_both_in_the_history(led: Any) -> None:
    job = led.submit(led.startup())
    (order,) = led.turn()
    started_us = led.clock.pass_(1)
    led.started(order)
    led.clock.pass_(1)
    led.succeeded(order)
    led.turn()
    assert led.story(job) == ["queued", "running", "succeeded"]
    assert led.job(job).result_hash is not None
    assert started_us <= led.job(job).started_us <= led.job(job).ended_us


def test_a_freed_slot_is_given_away_in_the_cycle_that_frees_it(led: Any) -> None:
    ann = led.startup()
    first, second = led.submit(ann), led.submit(ann)
    (order,) = led.turn()
    assert order.job_id == first.id
    led.succeeded(order)
    (order,) = led.turn()
    assert order.job_id == second.id


def test_a_crashed_worker_costs_one_attempt_and_its_late_report_is_ignored(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (first,) = led.turn()
    led.started(first)
    led.failed(first, "crash")
    (second,) = led.turn()
    led.started(second)
    led.turn()
    led.succeeded(first, result=b"the first attempt's")
    led.turn()
    assert led.job(job).state == "running", "the first token is dead"
    led.succeeded(second, result=b"the second attempt's")
    led.turn()
    assert led.room.result(ann, job.id) == b"the second attempt's"
    assert [one.state for one in led.room.attempts(ann, job.id)] == ["failed", "succeeded"]
    assert led.story(job) == ["queued", "running", "queued", "running", "succeeded"]
    assert led.violations() == []


def test_a_report_told_twice_counts_once(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (order,) = led.turn()
    led.succeeded(order, used_us=3_000, result=b"first")
    led.succeeded(order, used_us=9_000, result=b"second")
    led.turn()
    led.succeeded(order, used_us=99_000, result=b"third")
    led.turn()
    assert (led.job(job).receipt["charged"], led.room.result(ann, job.id)) == (2_600, b"first")
    assert led.violations() == []


def test_a_success_is_kept_when_a_loss_is_told_behind_it(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (order,) = led.turn()
    led.succeeded(order)
    led.failed(order, "crash")
    led.turn()
    assert (led.job(job).state, led.room.result(ann, job.id)) == ("succeeded", RESULT)


def test_the_time_limit_is_kept_even_when_the_executor_does_not_keep_it(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann, time_limit_us=5_000_000)
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.clock.pass_(5)
    led.turn()
    assert led.executor.stops == [], "the executor has two seconds' grace"
    led.clock.pass_(2)
    led.turn()
    assert led.executor.stops == [(order.attempt_id, order.token)]
    led.stopped(order, used_us=7_000_000)
    led.turn()
    ended = led.job(job)
    assert (ended.state, ended.problem["code"]) == ("failed", "time_limit_reached")
    assert ended.problem["detail"] == "still running after its time limit of 5 s"
    assert ended.receipt["absorbed_by_facility"] == ended.receipt["price"] - ended.receipt["held"] > 0
    assert led.violations() == []


def test_the_loop_is_itself_the_sign_of_life_of_the_workers_beside_it(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann, time_limit_us=3_600_000_000)
    (order,) = led.turn()
    led.started(order)
    for _ in range(10):
        led.clock.pass_(29)
        led.turn()
    led.clock.pass_(300)  # a stall longer than any lease
    led.turn()
    assert led.job(job).state == "running"
    assert len(led.room.attempts(ann, job.id)) == 1


def test_draining_lets_run_what_runs_and_starts_nothing_new(led: Any) -> None:
    ann = led.startup()
    running = led.submit(ann, backend="aer")
    (order,) = led.turn()
    led.room.set_backend_state(led.operator, "aer", "draining", "maintenance")
    waiting = led.submit(ann, backend="aer")
    led.succeeded(order)
    assert led.turn() == []
    assert led.job(running).state == "succeeded"
    assert led.dispatcher.why_waiting(waiting.id) is None, "nobody asked this dispatcher's thread to lead"
    led.dispatcher._leading.set()
    assert led.dispatcher.why_waiting(waiting.id) == "backend aer is draining"
    led.room.set_backend_state(led.operator, "aer", "online", "")
    (order,) = led.turn()
    assert order.job_id == waiting.id


def test_two_startups_take_turns(led: Any) -> None:
    ann, bob = led.startup("acme"), led.startup("zeta")
    for _ in range(3):
        led.submit(ann)
    led.submit(bob)
    owners = []
    while orders := led.turn():
        owners.append(led.job(orders[0].job_id).project_id)
        led.clock.pass_(0.01)
        led.succeeded(orders[0], used_us=2_000)
    assert owners[:2] == [ann.project_id, bob.project_id], "three jobs do not go before another startup's first"


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


# With its own threads.


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
    assert alone.why_waiting(job.id) == "no worker offers backend aer or aer-statevector or aer-stabilizer or aer-mps"
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


def test_an_inbox_row_of_another_kind_stops_the_cycle(led: Any) -> None:
    led.write(lambda conn: inbox.append(conn, [Message(1, "nonsense", {})]))
    with pytest.raises(RuntimeError, match="unknown kind 'nonsense'"):
        led.turn()
