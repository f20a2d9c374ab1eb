"""What the shell tells a new scheduler about the time before it: weights, usage, leases that are still out."""

from __future__ import annotations

from typing import assert_never

from scheduler.decisions import Decision, RevokeLease
from scheduler.events import AttemptRestored, ProjectWeightSet, UsageRestored
from scheduler.model import Attempt, Worker
from scheduler.policy import Policy
from scheduler.state import State, count_failure


def restore(state: State, event: ProjectWeightSet | UsageRestored | AttemptRestored, policy: Policy) -> list[Decision]:
    """Take over what was known before. Weights may also change at any other time."""
    match event:
        case ProjectWeightSet(project_id=project_id, weight=weight):
            if weight < 1:
                raise ValueError(f"project {project_id}: a weight is at least 1, not {weight}")
            project = state.project(project_id)
            project.weight = weight
            state.rank(project)
            return []
        case UsageRestored(at_us=at_us, project_id=project_id, usage=usage):
            project = state.project(project_id)
            project.score = state.scale.score(max(0, usage), at_us)
            project.charged_us = at_us
            state.rank(project)
            return []
        case AttemptRestored():
            return _restore_attempt(state, event, policy)
        case _:
            assert_never(event)


def _restore_attempt(state: State, event: AttemptRestored, policy: Policy) -> list[Decision]:
    """Put a lease back in its place; one that no waiting task stands behind is revoked."""
    number = int(event.attempt_id.rpartition(".")[2])
    state.next_token = max(state.next_token, event.token + 1)
    task = state.tasks.get(event.task_id.rpartition("/")[0])
    if task is None or task.spec.task_id != event.task_id:
        return [RevokeLease(event.attempt_id, event.token, event.worker_id, "its job has ended")]
    if task.attempt is not None:
        if task.attempt.token == event.token:
            return []
        return [RevokeLease(event.attempt_id, event.token, event.worker_id, "another attempt holds the task")]
    if task.not_before_us is not None:
        state.take_from_sleep(task)
    else:
        state.dequeue(task)
    task.attempts_made = max(task.attempts_made, number)
    task.faults = task.losses = task.crashes = 0
    for kind in event.failures:
        count_failure(task, kind)
    worker = state.workers.get(event.worker_id)
    if worker is None:
        # The worker has not joined again yet: it offers nothing, and what it holds stays leased for as long as told.
        worker = state.workers[event.worker_id] = Worker(event.worker_id)
    # The usage saved before the restart contained the estimate, so it is not charged again, only taken back at the end.
    charge = state.scale.score(max(1, task.spec.estimate_us) * task.spec.slots, state.now_us)
    attempt = Attempt(event.attempt_id, event.token, task, worker, event.backend, event.lease_until_us, charge)
    if event.started:
        # When it began is not told; its executor knows, and this is only the second line.
        attempt.started_us = state.now_us
        attempt.stop_by_us = state.now_us + task.spec.time_limit_us + policy.grace_us
    state.hold(attempt)
    worker.excused = max(worker.excused, worker.load)
    return []
