"""After an abrupt end at each hop of a job's way: the states are made by hand, then another process begins on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher import recovery
from dispatcher.inbox import cancel_requested, reported
from dispatcher.reports import Report
from scheduler.invariants import check
from store import attempts, inbox, jobs, usage, workers
from store.rows import AttemptEnd, AttemptRow, JobChange, UsageRow, WorkerRow


def rebuilt(zone: Any, here: str | None = None) -> Any:
    """The state a new process takes over, without anything written."""
    with zone.database.read() as conn:
        state, memory, decisions = recovery.rebuild(conn, zone.ground, zone.policy, here)
    check(state)
    return state, memory, decisions


def test_an_empty_store_gives_an_empty_state(zone: Any) -> None:
    state, memory, decisions = rebuilt(zone)
    assert (state.queued_count, state.running_count, state.next_token, decisions) == (0, 0, 1, [])
    assert memory.work_hash == {}


def test_submitted_but_the_inbox_was_not_consumed(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann)
    assert zone.rows()["inbox"] == 2, "the project's weight and the job"
    zone.restart()
    assert zone.rows()["inbox"] == 0, "the store has told it already"
    (order,) = zone.turn()
    assert order.attempt_id == f"{job.id}/0.1"
    zone.succeeded(order)
    zone.turn()
    assert zone.turn() == []
    assert zone.story(job) == ["queued", "succeeded"]
    assert zone.violations() == []


def test_leased_but_the_order_was_never_sent(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    job = zone.submit(ann)
    (first,) = zone.turn()
    zone.restart()
    (second,) = zone.turn()
    assert (second.attempt_id, second.token) == (f"{job.id}/0.2", first.token + 1)
    assert zone.story(job) == ["queued", "queued"]
    assert zone.room.history(ann, job.id)[-1].reason == "worker lost: the service was restarted"
    assert [one.state for one in zone.room.attempts(ann, job.id)] == ["lost", "leased"]


def test_running_when_the_service_died(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    job = zone.submit(ann)
    (first,) = zone.turn()
    zone.started(first)
    zone.turn()
    zone.clock.pass_(5)
    zone.restart()
    (second,) = zone.turn()
    zone.started(second)
    zone.turn()
    zone.succeeded(second)
    zone.turn()
    assert zone.story(job) == ["queued", "running", "queued", "running", "succeeded"]
    assert zone.job(job).started_us == zone.room.attempts(ann, job.id)[0].started_us, "started is when it first began"
    assert zone.job(job).receipt["charged"] == 2_600
    assert zone.violations() == []


def test_the_report_of_a_worker_process_was_committed_but_not_taken_in(zone: Any) -> None:
    """A result in the inbox is found by the next dispatcher; told twice, it counts once."""
    zone.lead()
    ann = zone.startup()
    job = zone.submit(ann)
    zone.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO attempts (id, job_id, number, token, worker_id, backend, state, leased_us, lease_until_us) "
            f"VALUES ('{job.id}/0.1', '{job.id}', 1, 7, 'agent-1', 'aer', 'leased', 1, 2)"
        )
    )
    now = zone.clock.now_us()
    told = reported(Report("succeeded", now, f"{job.id}/0.1", 7, used_us=3_000, cpu_us=3_000, shots=1_000))
    zone.write(lambda conn: inbox.append(conn, [told, told]))
    zone.restart()
    assert zone.turn() == []
    assert (zone.job(job).state, zone.job(job).receipt["charged"]) == ("succeeded", 2_600)
    assert zone.violations() == []


def test_cancel_requested_but_not_consumed(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    waiting = zone.submit(ann)
    zone.room.cancel(ann, waiting.id)
    zone.restart()
    assert (zone.job(waiting).state, zone.rows()["inbox"]) == ("cancelled", 0)
    assert zone.turn() == [], "neither the job nor the cancel is told once more by the inbox"
    assert zone.story(waiting) == ["queued", "queued", "cancelled"]
    assert zone.violations() == []


def test_cancel_requested_of_a_job_that_ran_on_a_dead_worker(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    job = zone.submit(ann)
    (order,) = zone.turn()
    zone.started(order)
    zone.turn()
    zone.room.cancel(ann, job.id)
    zone.restart()
    ended = zone.job(job)
    assert (ended.state, ended.receipt["state"]) == ("cancelled", "voided"), (
        "nobody knows what was used: nothing is due"
    )
    assert zone.turn() == []
    assert zone.violations() == []


def test_a_cancel_whose_letter_was_lost_is_found_in_the_job(zone: Any) -> None:
    job = zone.submit(zone.startup())
    now = zone.clock.now_us()
    zone.write(
        lambda conn: jobs.advance(conn, [JobChange(job.id, now, "queued", "cancel requested", cancel_requested_us=now)])
    )
    zone.lead()
    assert zone.job(job).state == "cancelled"


def test_a_cancel_of_a_job_nobody_knows_is_passed_over(zone: Any) -> None:
    zone.write(lambda conn: inbox.append(conn, [cancel_requested(1, "job-unknown")]))
    zone.lead()
    zone.turn()
    assert zone.rows()["inbox"] == 0


def test_tokens_go_on_where_they_were(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    zone.run(ann)
    zone.run(ann)
    state, _, _ = rebuilt(zone)
    assert state.next_token == 3


def test_usage_and_weights_and_backend_states_are_taken_over(zone: Any) -> None:
    ann = zone.startup()
    heavy = zone.room.create_project(zone.operator, "heavy", 300)
    zone.room.set_backend_state(zone.operator, "aer", "draining", "")
    zone.write(lambda conn: usage.save(conn, [UsageRow(ann.project_id, 5_000_000, zone.clock.now_us())]))
    state, _, _ = rebuilt(zone)
    assert state.usage_of(ann.project_id)[0] == pytest.approx(5_000_000, abs=2)
    assert state.projects[heavy.id].weight == 300
    assert state.backend_states == {"aer": "draining"}


def test_a_workers_usage_is_not_forgotten_by_a_restart(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    zone.submit(ann)
    (order,) = zone.turn()
    zone.succeeded(order, used_us=5_000_000)
    zone.turn()
    zone.submit(ann)
    zone.turn()
    before = zone.dispatcher._state.usage_of(ann.project_id)[0]
    state, _, _ = rebuilt(zone)
    assert state.usage_of(ann.project_id)[0] == pytest.approx(before, rel=0.001)


def test_failures_before_the_restart_count_after_it(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    job = zone.submit(ann)
    for wait_s in (0, 1):
        zone.clock.pass_(wait_s)
        (order,) = zone.turn()
        zone.started(order)
        zone.failed(order, "fault")
        zone.turn()
    zone.restart()
    (order,) = zone.turn()
    assert order.attempt_id == f"{job.id}/0.3"
    zone.started(order)
    zone.failed(order, "fault")
    zone.turn()
    assert (zone.job(job).state, zone.job(job).problem["code"]) == ("failed", "platform_fault")


def test_a_crash_before_the_restart_counts_after_it(zone: Any) -> None:
    zone.lead()
    job = zone.submit(zone.startup())
    (order,) = zone.turn()
    zone.started(order)
    zone.failed(order, "crash")
    zone.turn()
    zone.restart()
    (order,) = zone.turn()
    zone.started(order)
    zone.failed(order, "crash")
    zone.turn()
    assert (zone.job(job).state, zone.job(job).problem["code"]) == ("failed", "engine_crashed")


def test_what_goes_on_beside_a_rebuilt_state_has_begun_for_it_too(zone: Any) -> None:
    """The same process, after a commit that failed: time limit and crashes count as before."""
    zone.lead()
    job = zone.submit(zone.startup(), time_limit_us=5_000_000)
    (order,) = zone.turn()
    zone.started(order)
    zone.turn()
    zone.lead()
    zone.turn()
    zone.clock.pass_(7.1)
    zone.turn()
    assert zone.executor.stops == [(order.attempt_id, order.token)], "the second line of the time limit"
    zone.lead()
    zone.failed(order, "crash")
    (second,) = zone.turn()
    zone.started(second)
    zone.failed(second, "crash")
    zone.turn()
    assert zone.job(job).state == "failed"


def test_restarts_are_nobodys_fault_but_not_for_ever(zone: Any) -> None:
    zone.lead()
    job = zone.submit(zone.startup())
    deaths = 0
    while zone.job(job).state not in ("failed", "succeeded"):
        (order,) = zone.turn()
        zone.started(order)
        zone.turn()
        assert zone.job(job).state == "running"
        zone.restart()
        deaths += 1
        assert deaths < 40
    assert deaths == recovery.FREE_RESTARTS + zone.policy.max_losses
    assert zone.job(job).problem["code"] == "platform_fault"
    assert zone.violations() == []


def agent(zone: Any, worker_id: str = "agent-1") -> WorkerRow:
    now = zone.clock.now_us()
    row = WorkerRow(worker_id, "there", 1, 1, 0, ("aer",), "up", now, now)
    zone.write(lambda conn: workers.upsert_worker(conn, row))
    return row


def test_a_worker_process_outlives_the_dispatcher(zone: Any) -> None:
    """Its lease is taken over as it is, and its report counts."""
    ann = zone.startup()
    job = zone.submit(ann)
    agent(zone)
    now = zone.clock.now_us()
    row = AttemptRow(f"{job.id}/0.1", job.id, 1, 7, "agent-1", "aer", "running", now, now, None, now)
    zone.write(lambda conn: attempts.insert_attempts(conn, [row]))
    zone.lead()
    assert zone.turn() == [], "the job is on its way already, though our own worker is free"
    assert zone.room.attempts(ann, job.id) == [row]
    zone.clock.pass_(31)
    zone.turn()
    assert zone.room.attempts(ann, job.id)[0].state == "lost", "a lease from the past ends when nobody renews it"


def test_where_a_job_runs_is_known_after_a_restart_too(zone: Any) -> None:
    job = zone.submit(zone.startup())
    agent(zone)
    now = zone.clock.now_us()
    row = AttemptRow(f"{job.id}/0.1", job.id, 1, 7, "agent-1", "aer-mps", "leased", now, None, None, now)
    zone.write(lambda conn: attempts.insert_attempts(conn, [row]))
    zone.lead()
    zone.write(lambda conn: inbox.append(conn, [reported(Report("started", now, row.id, 7))]))
    zone.turn()
    assert (zone.job(job).state, zone.job(job).backend) == ("running", "aer-mps")


def test_a_worker_process_that_was_lost_before_the_restart_gets_one_more_lease_of_time(zone: Any) -> None:
    job = zone.submit(zone.startup())
    now = zone.clock.now_us()
    row = AttemptRow(f"{job.id}/0.1", job.id, 1, 7, "agent-1", "aer", "running", now, now, None, now)
    zone.write(lambda conn: attempts.insert_attempts(conn, [row]))
    zone.lead()
    assert zone.turn() == []
    zone.clock.pass_(31)
    (order,) = zone.turn()
    assert order.attempt_id == f"{job.id}/0.2"


def test_workers_of_an_earlier_run_are_marked_as_lost(zone: Any) -> None:
    zone.lead()
    zone.restart()
    with zone.database.read() as conn:
        states = [row.state for row in workers.list_workers(conn)]
    assert states == ["lost", "up"]


def test_the_backends_are_those_the_findings_allow_now(zone: Any) -> None:
    """The operator gave the workers less memory between two runs: what no longer fits anywhere else goes there."""
    job = zone.submit(zone.startup(), work={"qubits": 28, "clifford": False})
    state, _, _ = rebuilt(zone)
    assert state.tasks[job.id].spec.backends == ("ideal", "aer", "aer-statevector", "aer-mps")
    zone.rules = replace(zone.rules, memory_mib=16)
    zone.ground = zone.new_ground()
    state, _, _ = rebuilt(zone)
    assert state.tasks[job.id].spec.backends == ("ideal", "aer-mps")


def test_findings_of_another_version_leave_the_job_where_it_was_admitted(zone: Any) -> None:
    job = zone.submit(zone.startup())
    zone.write(lambda conn: conn.exec_driver_sql("""UPDATE jobs SET findings = '{"qubits": 2}'"""))
    state, _, _ = rebuilt(zone)
    assert state.tasks[job.id].spec.backends == ("ideal",)


def test_an_attempt_that_never_began_did_not_count_and_does_not_count_now(zone: Any) -> None:
    zone.lead()
    job = zone.submit(zone.startup())
    (order,) = zone.turn()
    zone.failed(order, "crash")  # without having started
    zone.turn()
    zone.restart()
    (second,) = zone.turn()
    zone.started(second)
    zone.failed(second, "crash")
    (third,) = zone.turn()
    zone.started(third)
    zone.failed(third, "crash")
    zone.turn()
    assert zone.job(job).state == "failed"


def test_ended_jobs_are_left_in_peace(zone: Any) -> None:
    zone.lead()
    ann = zone.startup()
    zone.run(ann)
    state, memory, decisions = rebuilt(zone)
    assert (state.queued_count, state.running_count, memory.work_hash, decisions) == (0, 0, {}, [])


def test_an_attempt_that_ended_is_not_restored(zone: Any) -> None:
    zone.lead()
    job = zone.submit(zone.startup())
    (order,) = zone.turn()
    end = AttemptEnd(order.attempt_id, "lost", 1, {"kind": "lost", "code": "", "reason": ""})
    zone.write(lambda conn: attempts.close_attempts(conn, [end]))
    state, _, decisions = rebuilt(zone)
    assert (state.running_count, state.position(job.id), decisions) == (0, 1, [])
