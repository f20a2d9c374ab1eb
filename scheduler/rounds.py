"""A plan round: first the timers that are due, then as many starts as there are places."""

from __future__ import annotations

from heapq import heappop

from scheduler import endings
from scheduler.decisions import Decision, RevokeLease
from scheduler.placing import place
from scheduler.policy import Policy
from scheduler.state import State


def plan(state: State, policy: Policy) -> list[Decision]:
    """Fire the due timers, then place waiting tasks. Decisions come in that order."""
    decisions: list[Decision] = []
    now_us = state.now_us
    state.wake_us = None  # every round says anew when the next is due, so that no wake-up hangs on the shell's memory
    while state.leases and state.leases[0][0] <= now_us:
        _look_again(state, heappop(state.leases), policy, decisions)
    while (task := state.due_sleeper(now_us)) is not None:
        state.take_from_sleep(task)
        state.enqueue(task)
    if state.waiting_count:
        place(state, policy, decisions)
    state.sweep_leases()
    return decisions


def _look_again(state: State, entry: tuple[int, int, str], policy: Policy, decisions: list[Decision]) -> None:
    """An attempt's timer fired: its lease is over, or its time is up, or it was renewed meanwhile."""
    attempt = state.watched(entry)
    if attempt is None:
        return
    if attempt.lease_until_us <= state.now_us:
        worker_id = attempt.worker.worker_id
        reason = f"lease expired: no sign of life from worker {worker_id}"
        decisions.append(RevokeLease(attempt.attempt_id, attempt.token, worker_id, "lease expired"))
        decisions += endings.fail(state, attempt, "lost", reason, 0, policy)
        return
    if attempt.stop_by_us is not None and attempt.stop_by_us <= state.now_us and attempt.revoked is None:
        attempt.revoked = "timeout"
        decisions.append(RevokeLease(attempt.attempt_id, attempt.token, attempt.worker.worker_id, "time limit"))
    state.watch(attempt)
