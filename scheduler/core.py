"""The one way in: `step` takes an event and says what is to be done.

Pure: no clock, no chance, no ids of its own, no I/O. The same events in the same order give the same decisions on every
machine. Events record; timers fire and placing happens at PlanRound alone, so the shell may feed a whole batch of
events and plan once.
"""

from __future__ import annotations

from typing import assert_never

from scheduler import fleet, intake, recovery, reports, rounds
from scheduler.decisions import Decision, WakeAt
from scheduler.events import (
    AttemptFailed,
    AttemptRestored,
    AttemptStarted,
    AttemptStopped,
    AttemptSucceeded,
    BackendStateChanged,
    CancelRequested,
    Event,
    JobSubmitted,
    PlanRound,
    ProjectWeightSet,
    UsageRestored,
    WorkerJoined,
    WorkerLost,
    WorkerSeen,
)
from scheduler.policy import Policy
from scheduler.state import State


def step(state: State, event: Event, policy: Policy) -> tuple[Decision, ...]:
    """Record `event` in `state` and return what is to be done, in the order in which to do it.

    Time never runs backwards here: an event told with an earlier `at_us` than one before counts as told at that moment.
    Reports with an unknown or old token change nothing and give (). Raises ValueError when an event contradicts its
    type's rules (a job without exactly one task, a weight below 1); nothing has changed then.
    """
    if event.at_us > state.now_us:
        state.now_us = event.at_us
    if state.now_us >= state.scale_until_us or state.scale.half_life_us != policy.half_life_us:
        state.rescale(policy.half_life_us)
    decisions = _decide(state, event, policy)
    if state.leases or state.sleepers:
        _wake(state, decisions)
    return tuple(decisions)


def _decide(state: State, event: Event, policy: Policy) -> list[Decision]:
    match event:
        case PlanRound():
            return rounds.plan(state, policy)
        case AttemptStarted() | AttemptSucceeded() | AttemptFailed() | AttemptStopped():
            return reports.report(state, event, policy)
        case JobSubmitted() | CancelRequested():
            return intake.take(state, event, policy)
        case WorkerJoined() | WorkerLost() | WorkerSeen() | BackendStateChanged():
            return fleet.change(state, event, policy)
        case ProjectWeightSet() | UsageRestored() | AttemptRestored():
            return recovery.restore(state, event, policy)
        case _:
            assert_never(event)


def _wake(state: State, decisions: list[Decision]) -> None:
    """Ask to be woken when a timer is due before the wake-up asked for last."""
    due_us = state.next_timer_us()
    if due_us is not None and (state.wake_us is None or due_us < state.wake_us):
        state.wake_us = due_us
        decisions.append(WakeAt(due_us))
