"""Workers report about attempts. What does not carry the current token of a living attempt is old news."""

from __future__ import annotations

from typing import assert_never

from scheduler import endings
from scheduler.decisions import Decision, MarkRunning
from scheduler.events import AttemptFailed, AttemptStarted, AttemptStopped, AttemptSucceeded
from scheduler.model import Attempt
from scheduler.policy import Policy
from scheduler.state import State

Report = AttemptStarted | AttemptSucceeded | AttemptFailed | AttemptStopped


def report(state: State, event: Report, policy: Policy) -> list[Decision]:
    """Take a worker's word for an attempt, if the attempt's lease is still out.

    A lease is out until a plan round takes it back: a result that arrives first, even late, is the only one there is.
    """
    attempt = state.attempts.get(event.attempt_id)
    if attempt is None or attempt.token != event.token:
        return []
    match event:
        case AttemptStarted():
            return _start(state, attempt, policy)
        case AttemptSucceeded(used_us=used_us):
            return endings.succeed(state, attempt, used_us)
        case AttemptFailed(kind=kind, reason=reason, used_us=used_us):
            return endings.fail(state, attempt, kind, reason, used_us, policy)
        case AttemptStopped(used_us=used_us):
            return endings.stop(state, attempt, used_us)
        case _:
            assert_never(event)


def _start(state: State, attempt: Attempt, policy: Policy) -> list[Decision]:
    if attempt.started_us is not None:
        return []
    task = attempt.task
    attempt.started_us = state.now_us
    if attempt.revoked is not None:
        return []
    attempt.stop_by_us = state.now_us + task.spec.time_limit_us + policy.grace_us
    if attempt.stop_by_us < attempt.lease_until_us:
        state.watch(attempt)
    return [MarkRunning(task.job_id, attempt.attempt_id)]
