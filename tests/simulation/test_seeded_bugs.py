"""Would the simulator notice? Realistic bugs are put into the scheduler, one at a time, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scheduler import endings, fleet, reports
from scheduler.events import AttemptSucceeded
from scheduler.model import Project
from scheduler.state import State
from scheduler.usage import FRACTION_BITS, Scale

Patch = pytest.MonkeyPatch


def the_fencing_token_is_not_checked(patch: Patch) -> None:
    report = reports.report

    def credulous(state: State, event: Any, policy: Any) -> Any:
        attempt = state.attempts.get(event.attempt_id)
        return report(state, event if attempt is None else replace(event, token=attempt.token), policy)

    patch.setattr(reports, "report", credulous)


def a_late_success_counts_after_its_lease_was_taken_back(patch: Patch) -> None:
    report = reports.report

    def generous(state: State, event: Any, policy: Any) -> Any:
        task = state.tasks.get(event.attempt_id.partition("/")[0])
        late = event.attempt_id not in state.attempts and isinstance(event, AttemptSucceeded)
        if late and task is not None and task.attempt is not None:
            return endings.succeed(state, task.attempt, event.used_us)
        return report(state, event, policy)

    patch.setattr(reports, "report", generous)


def capacity_is_released_twice(patch: Patch) -> None:
    release = State.release

    def release_twice(state: State, attempt: Any, used_us: int, at_us: int) -> None:
        release(state, attempt, used_us, at_us)
        attempt.worker.load = max(0, attempt.worker.load - attempt.task.spec.slots)

    patch.setattr(State, "release", release_twice)


def capacity_is_counted_but_not_kept(patch: Patch) -> None:
    """The books of the state agree; only the placement is wrong."""
    patch.setattr("scheduler.placing._emptiest", lambda room, backend, slots: _offering(room, backend))
    patch.setattr("scheduler.model.Worker.has_room", lambda worker: worker.load < worker.slots + worker.pipeline)


def _offering(room: list[Any], backend: str) -> Any:
    return next((worker for worker in room if backend in worker.backends), None)


def a_users_error_is_retried(patch: Patch) -> None:
    is_final = endings._is_final
    patch.setattr(endings, "_is_final", lambda task, kind, *rest: kind != "user" and is_final(task, kind, *rest))


def a_fault_is_retried_without_a_wait(patch: Patch) -> None:
    patch.setattr(endings, "_backoff_us", lambda task, policy: 0)


def faults_are_retried_for_ever(patch: Patch) -> None:
    patch.setattr(endings, "count_failure", lambda task, kind: None)


def a_cancel_is_forgotten_when_the_result_is_faster(patch: Patch) -> None:
    succeed = endings.succeed

    def forgetful(state: State, attempt: Any, used_us: int) -> Any:
        attempt.task.cancelling, attempt.revoked = False, None
        return succeed(state, attempt, used_us)

    patch.setattr(endings, "succeed", forgetful)


def heartbeats_renew_revoked_leases(patch: Patch) -> None:
    renew = fleet._renew

    def renew_all(state: State, worker: Any, policy: Any) -> None:
        renew(state, worker, policy)
        for attempt in worker.attempts.values():
            attempt.lease_until_us = worker.fresh_until_us

    patch.setattr(fleet, "_renew", renew_all)


def heartbeats_renew_nothing(patch: Patch) -> None:
    patch.setattr(fleet, "_renew", lambda state, worker, policy: setattr(worker, "fresh_until_us", 10**18))


def silent_workers_get_work(patch: Patch) -> None:
    renew = fleet._renew

    def trust(state: State, worker: Any, policy: Any) -> None:
        renew(state, worker, policy)
        worker.fresh_until_us = 10**18

    patch.setattr(fleet, "_renew", trust)


def usage_never_fades(patch: Patch) -> None:
    patch.setattr(Scale, "score", lambda scale, usage, at_us: usage << FRACTION_BITS)
    patch.setattr(Scale, "usage", lambda scale, score, at_us: score >> FRACTION_BITS)


def usage_is_not_compared(patch: Patch) -> None:
    patch.setattr(Project, "key", lambda project: 0)


def weights_are_turned_upside_down(patch: Patch) -> None:
    patch.setattr(Project, "key", lambda project: project.score * project.weight // 100)


def priorities_are_not_looked_at(patch: Patch) -> None:
    patch.setattr("scheduler.state.rank_of", lambda priority, sequence: sequence)


def a_blocked_task_keeps_every_worker_free(patch: Patch) -> None:
    patch.setattr("scheduler.placing._reserve", lambda state, demand, room: room.clear())


def the_estimate_is_not_taken_back_at_the_end(patch: Patch) -> None:
    release = State.release

    def keep(state: State, attempt: Any, used_us: int, at_us: int) -> None:
        attempt.charge = 0
        release(state, attempt, used_us, at_us)

    patch.setattr(State, "release", keep)


def attempts_are_counted_from_one_after_a_restart(patch: Patch) -> None:
    add_task = State.add_task

    def forget(state: State, spec: Any, *rest: Any) -> Any:
        return add_task(state, replace(spec, attempts_made=0), *rest)

    patch.setattr(State, "add_task", forget)


BUGS: list[Callable[[Patch], None]] = [
    the_fencing_token_is_not_checked,
    a_late_success_counts_after_its_lease_was_taken_back,
    capacity_is_released_twice,
    capacity_is_counted_but_not_kept,
    a_users_error_is_retried,
    a_fault_is_retried_without_a_wait,
    faults_are_retried_for_ever,
    a_cancel_is_forgotten_when_the_result_is_faster,
    heartbeats_renew_revoked_leases,
    heartbeats_renew_nothing,
    silent_workers_get_work,
    usage_never_fades,
    usage_is_not_compared,
    weights_are_turned_upside_down,
    priorities_are_not_looked_at,
    a_blocked_task_keeps_every_worker_free,
    the_estimate_is_not_taken_back_at_the_end,
    attempts_are_counted_from_one_after_a_restart,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_the_simulator_catches(bug: Callable[[Patch], None], is_caught: Callable[[Any], None]) -> None:
    is_caught(bug)
