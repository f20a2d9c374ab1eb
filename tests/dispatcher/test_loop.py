"""The loop: what it takes in, what it commits, and what it does only after the commit."""

from __future__ import annotations

from typing import Any

RESULT = b'{"v":1,"pubs":[]}'


def test_a_job_from_submission_to_receipt(everywhere: Any) -> None:
    zone = everywhere
    zone.lead()
    ann = zone.startup()
    job = zone.submit(ann)
    (order,) = zone.turn()
    assert (order.attempt_id, order.job_id, order.backend) == (f"{job.id}/0.1", job.id, "ideal")
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
    receipt = ended.receipt
    assert receipt["price"] == 1_000 + 7_000 * 500
    assert receipt["absorbed_by_facility"] == (7_000 - 250) * 500, "of QPU time 250 ms were held"
    assert receipt["charged"] == receipt["held"] - 100, "and no shots were taken"
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
