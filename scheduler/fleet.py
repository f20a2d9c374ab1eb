"""Workers come, give signs of life and go; back-ends open and close."""

from __future__ import annotations

from typing import assert_never

from scheduler import endings
from scheduler.decisions import Decision
from scheduler.events import BackendStateChanged, WorkerJoined, WorkerLost, WorkerSeen
from scheduler.model import Worker
from scheduler.policy import Policy
from scheduler.state import State

FleetChange = WorkerJoined | WorkerLost | WorkerSeen | BackendStateChanged


def change(state: State, event: FleetChange, policy: Policy) -> list[Decision]:
    """Record what became of a worker or a back-end."""
    match event:
        case WorkerSeen(worker_id=worker_id):
            worker = state.workers.get(worker_id)
            if worker is not None:
                _renew(state, worker, policy)
        case WorkerJoined():
            _join(state, event, policy)
        case WorkerLost():
            return _lose(state, event, policy)
        case BackendStateChanged(backend=backend, state=backend_state):
            if backend_state == "online":
                state.backend_states.pop(backend, None)
            else:
                state.backend_states[backend] = backend_state
        case _:
            assert_never(event)
    return []


def _renew(state: State, worker: Worker, policy: Policy) -> None:
    """A lease that was revoked is not renewed: it ends even when nobody ever reports the stop."""
    lease_until_us = state.now_us + policy.lease_us
    worker.fresh_until_us = lease_until_us
    for attempt in worker.attempts.values():
        if attempt.revoked is None:
            attempt.lease_until_us = lease_until_us


def _join(state: State, event: WorkerJoined, policy: Policy) -> None:
    if event.slots < 0 or event.pipeline < 0:
        raise ValueError(f"worker {event.worker_id}: needs slots >= 0 and pipeline >= 0, got {event}")
    worker = state.workers.get(event.worker_id)
    if worker is None:
        worker = state.workers[event.worker_id] = Worker(event.worker_id)
    worker.slots = event.slots
    worker.pipeline = event.pipeline
    worker.backends = event.backends
    worker.excused = worker.load
    _renew(state, worker, policy)


def _lose(state: State, event: WorkerLost, policy: Policy) -> list[Decision]:
    worker = state.workers.pop(event.worker_id, None)
    if worker is None:
        return []
    decisions: list[Decision] = []
    for attempt in list(worker.attempts.values()):
        decisions += endings.fail(state, attempt, "lost", f"worker lost: {event.reason}", 0, policy)
    return decisions
