"""Jobs come in, and people change their minds."""

from __future__ import annotations

from typing import assert_never

from scheduler.decisions import Decision, FinishJob, RevokeLease
from scheduler.events import CancelRequested, JobSubmitted
from scheduler.policy import Policy
from scheduler.state import State


def take(state: State, event: JobSubmitted | CancelRequested, policy: Policy) -> list[Decision]:
    """Record a new job, or the wish to end one."""
    match event:
        case JobSubmitted():
            return _submit(state, event, policy)
        case CancelRequested(job_id=job_id):
            return _cancel(state, job_id)
        case _:
            assert_never(event)


def _submit(state: State, event: JobSubmitted, policy: Policy) -> list[Decision]:
    if event.job_id in state.tasks:
        return []
    if len(event.tasks) != 1:
        raise ValueError(f"job {event.job_id}: a job has exactly one task, not {len(event.tasks)}")
    spec = event.tasks[0]
    if spec.slots < 1 or spec.estimate_us < 0 or spec.time_limit_us < 1:
        raise ValueError(f"task {spec.task_id}: needs slots >= 1, estimate_us >= 0 and time_limit_us >= 1, got {spec}")
    state.enqueue(state.add_task(spec, event.job_id, event.project_id, event.priority, policy.short_task_us))
    return []


def _cancel(state: State, job_id: str) -> list[Decision]:
    task = state.tasks.get(job_id)
    if task is None or task.cancelling:
        return []
    attempt = task.attempt
    if attempt is not None:
        task.cancelling = True
        attempt.revoked = "cancel"
        return [RevokeLease(attempt.attempt_id, attempt.token, attempt.worker.worker_id, "cancelled")]
    if task.not_before_us is not None:
        state.take_from_sleep(task)
    else:
        state.dequeue(task)
    state.forget_task(task)
    return [FinishJob(job_id, "cancelled", None, None, "cancelled while queued", 0)]
