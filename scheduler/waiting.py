"""Says in plain words why a job waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.model import Task, Worker
    from scheduler.state import State

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def explain(state: State, job_id: str) -> str:
    """One sentence for the job's owner: what it waits for, or that it does not wait."""
    task = state.tasks.get(job_id)
    if task is None:
        return "not in the queue"
    attempt = task.attempt
    if attempt is not None:
        if attempt.revoked is not None:
            return f"being stopped on worker {attempt.worker.worker_id}"
        if attempt.started_us is not None:
            return f"running on worker {attempt.worker.worker_id}"
        return f"sent to worker {attempt.worker.worker_id}, about to start"
    if task.not_before_us is not None:
        return f"{task.sleep_reason}; backing off until {_clock(task.not_before_us)}"
    return _closed(state, task) or _in_line(state, task)


def _closed(state: State, task: Task) -> str | None:
    """Why the task could not start even if every slot were free; None when it could."""
    backends = task.spec.backends
    if not backends:
        return "no backend can run it"
    states = [state.backend_states.get(backend) for backend in backends]
    if all(states):
        parts = [f"backend {backend} is {name}" for backend, name in zip(backends, states, strict=True)]
        return " and ".join(parts)
    online = [backend for backend in backends if backend not in state.backend_states]
    named = " or ".join(online)
    offering = [worker for worker in state.workers.values() if _offers(worker, online)]
    if not offering:
        return f"no worker offers backend {named}"
    fresh = [worker for worker in offering if worker.fresh_until_us > state.now_us]
    if not fresh:
        silent = ", ".join(sorted(worker.worker_id for worker in offering))
        return f"no sign of life from the workers that offer backend {named} ({silent})"
    largest = max(worker.slots for worker in fresh)
    if largest < task.spec.slots:
        return f"needs {task.spec.slots} slots; the largest worker that offers backend {named} has {largest}"
    return None


def _in_line(state: State, task: Task) -> str:
    """The place in line, and what the slots are doing."""
    project = task.project
    online = [backend for backend in task.spec.backends if backend not in state.backend_states]
    workers = [
        worker for worker in state.workers.values() if _offers(worker, online) and worker.fresh_until_us > state.now_us
    ]
    total = sum(worker.slots for worker in workers)
    free = sum(max(0, worker.slots - worker.load) for worker in workers)
    position = state.position(task.job_id)
    count = sum(len(lane) for lane in project.lanes.values())
    noun = "slot" if total == 1 else "slots"
    slots = f"{total} {noun}, " + ("all busy" if free == 0 else f"{free} free")
    mine = (project.key(), project.project_id)
    before = sum(1 for project_id, key in state.ranking.standings().items() if (key, project_id) < mine)
    others = "" if before == 0 else f"; {before} other project{'s have' if before > 1 else ' has'} used less lately"
    return f"position {position} of {count}; {slots}{others}"


def _offers(worker: Worker, backends: list[str]) -> bool:
    return worker.slots > 0 and any(backend in worker.backends for backend in backends)


def _clock(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y-%m-%d %H:%M:%S UTC")
