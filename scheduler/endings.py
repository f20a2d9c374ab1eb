"""What follows from the end of an attempt: the job ends, or its task waits again. The one table of retries."""

from __future__ import annotations

from typing import assert_never

from scheduler.decisions import Decision, FinishJob, RequeueTask
from scheduler.events import FailureKind
from scheduler.model import Attempt, Task
from scheduler.policy import Policy
from scheduler.state import State, count_failure


def succeed(state: State, attempt: Attempt, used_us: int) -> list[Decision]:
    """The attempt has a result; if the job was cancelled meanwhile, the result does not count, but its use does."""
    task = attempt.task
    if task.cancelling:
        return _finish_cancelled(state, attempt, used_us)
    state.release(attempt, used_us, state.now_us)
    state.forget_task(task)
    return [FinishJob(task.job_id, "succeeded", attempt.attempt_id, None, "", used_us)]


def fail(
    state: State, attempt: Attempt, kind: FailureKind, reason: str, used_us: int, policy: Policy
) -> list[Decision]:
    """The attempt ended without a result: the job ends when nothing is gained by another try."""
    task = attempt.task
    if task.cancelling:
        return _finish_cancelled(state, attempt, used_us)
    if attempt.revoked == "timeout" and kind in ("lost", "crash", "fault"):
        kind, reason = "timeout", _over_time(task)
    state.release(attempt, used_us, state.now_us)
    started = attempt.started_us is not None
    if started:
        count_failure(task, kind)
    elif kind in ("crash", "fault", "lost"):
        task.unstarted += 1
    if _is_final(task, kind, started, policy):
        state.forget_task(task)
        return [FinishJob(task.job_id, "failed", attempt.attempt_id, kind, reason, used_us)]
    not_before_us = state.now_us + (_backoff_us(task, policy) if kind == "fault" else 0)
    return [_requeue(state, task, not_before_us, reason)]


def stop(state: State, attempt: Attempt, used_us: int) -> list[Decision]:
    """The attempt was stopped: as asked for, or by the worker's own will, which costs the task nothing."""
    task = attempt.task
    if task.cancelling:
        return _finish_cancelled(state, attempt, used_us)
    state.release(attempt, used_us, state.now_us)
    if attempt.revoked == "timeout":
        state.forget_task(task)
        return [FinishJob(task.job_id, "failed", attempt.attempt_id, "timeout", _over_time(task), used_us)]
    return [_requeue(state, task, state.now_us, "stopped by the worker")]


def _finish_cancelled(state: State, attempt: Attempt, used_us: int) -> list[Decision]:
    task = attempt.task
    state.release(attempt, used_us, state.now_us)
    state.forget_task(task)
    return [FinishJob(task.job_id, "cancelled", attempt.attempt_id, None, "cancelled while running", used_us)]


def _requeue(state: State, task: Task, not_before_us: int, reason: str) -> Decision:
    if not_before_us > state.now_us:
        state.put_to_sleep(task, not_before_us, reason)
    else:
        state.enqueue(task)
    return RequeueTask(task.spec.task_id, task.job_id, not_before_us, reason)


def _is_final(task: Task, kind: FailureKind, started: bool, policy: Policy) -> bool:
    if not started and kind in ("crash", "fault", "lost"):
        return task.unstarted >= policy.max_unstarted
    match kind:
        case "user" | "timeout" | "memory":
            return True
        case "crash":
            return task.crashes >= policy.max_crashes
        case "fault":
            return task.faults >= policy.max_faults
        case "lost":
            return task.losses >= policy.max_losses
        case _:
            assert_never(kind)


def _backoff_us(task: Task, policy: Policy) -> int:
    """Doubles with each fault, those of attempts that never began included: they come back all the faster."""
    doublings = min(60, max(0, task.faults + task.unstarted - 1))
    return min(policy.backoff_max_us, policy.backoff_us << doublings)


def _over_time(task: Task) -> str:
    return f"still running after its time limit of {task.spec.time_limit_us / 1_000_000:g} s"
