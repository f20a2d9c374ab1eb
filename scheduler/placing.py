"""Places waiting tasks on workers, as a numbered cycle:

1. Take the project with the least usage for its weight.
2. Take its first task (by priority, then age) among the demands not known to be without a place.
3. Look for a place: best backend first, a free slot on the emptiest worker; a short task may also wait on a worker.
4. Placed: charge the project the estimate, rank it again. Not placed: nothing of this demand is tried again in this
   round, and the worker nearest to having the place is kept free of everything that ranks behind.
5. Until no worker has room or no project is left.
"""

from __future__ import annotations

from scheduler.decisions import Decision, StartAttempt
from scheduler.lane import Lane
from scheduler.model import Attempt, Demand, Project, Task, Worker
from scheduler.policy import Policy
from scheduler.state import State


def place(state: State, policy: Policy, decisions: list[Decision]) -> None:
    """Start as many waiting tasks as there are places for now; appends one StartAttempt each."""
    now_us = state.now_us
    room = [worker for worker in state.workers.values() if worker.fresh_until_us > now_us and worker.has_room()]
    blocked = _placeless(state, room)
    passed_over: list[Project] = []
    while room and len(blocked) < len(state.demands):
        project_id = state.ranking.pop()
        if project_id is None:
            break
        project = state.projects[project_id]
        while (lane := _next_lane(project, blocked)) is not None:
            demand, tasks = lane
            found = _find(state, demand, room)
            if found is not None:
                worker, backend = found
                decisions.append(_start(state, project, tasks, worker, backend, policy))
                if not worker.has_room():
                    room.remove(worker)
                break
            blocked.add(demand)
            _reserve(state, demand, room)
        if project.lanes:
            if lane is None:
                passed_over.append(project)
            else:
                state.rank(project)
    for project in passed_over:
        state.rank(project)


def _placeless(state: State, room: list[Worker]) -> set[Demand]:
    """Demands that cannot be met by any worker there is: no need to ask every project about them."""
    closed = state.backend_states
    offered = {backend for worker in room for backend in worker.backends if backend not in closed}
    return {
        demand
        for demand in state.demands.values()
        if demand.waiting == 0 or not any(backend in offered for backend in demand.backends)
    }


def _next_lane(project: Project, blocked: set[Demand]) -> tuple[Demand, Lane[Task]] | None:
    """The lane whose first task is the project's next, among the demands that may still find a place."""
    best: tuple[Demand, Lane[Task]] | None = None
    best_rank = 0
    for demand, lane in project.lanes.items():
        if demand not in blocked:
            rank = lane.first_rank()
            if best is None or rank < best_rank:
                best, best_rank = (demand, lane), rank
    return best


def _find(state: State, demand: Demand, room: list[Worker]) -> tuple[Worker, str] | None:
    """A place for one task of this demand: a free slot if there is one, else a place to wait if the task is short."""
    online = [backend for backend in demand.backends if backend not in state.backend_states]
    for backend in online:
        worker = _emptiest(room, backend, demand.slots)
        if worker is not None:
            return worker, backend
    if demand.short:
        for backend in online:
            worker = _soonest(room, backend)
            if worker is not None:
                return worker, backend
    return None


def _emptiest(room: list[Worker], backend: str, slots: int) -> Worker | None:
    """The worker with the most free slots, at least `slots`; the one that joined first among equals."""
    best: Worker | None = None
    most_free = slots - 1
    for worker in room:
        free = worker.slots - worker.load
        if free > most_free and backend in worker.backends:
            best, most_free = worker, free
    return best


def _soonest(room: list[Worker], backend: str) -> Worker | None:
    """The worker with the fewest short tasks waiting on it. None in `room` has every slot held by a long one."""
    best: Worker | None = None
    fewest = 0
    for worker in room:
        waiting = worker.load - worker.slots
        if backend in worker.backends and waiting < worker.pipeline and (best is None or waiting < fewest):
            best, fewest = worker, waiting
    return best


def _reserve(state: State, demand: Demand, room: list[Worker]) -> None:
    """Keep the worker that will soonest have this place from filling up with what ranks behind.

    Without it a long task would never find its slot free while short ones are topped up behind each other, nor a wide
    task enough slots at once.
    """
    online = [backend for backend in demand.backends if backend not in state.backend_states]
    nearest: Worker | None = None
    most_free = 0
    for worker in state.workers.values():
        if worker.slots < demand.slots or worker.fresh_until_us <= state.now_us:
            continue
        free = worker.slots - worker.load
        if (nearest is None or free > most_free) and any(backend in worker.backends for backend in online):
            nearest, most_free = worker, free
    if nearest is not None and nearest in room:
        room.remove(nearest)


def _start(
    state: State, project: Project, lane: Lane[Task], worker: Worker, backend: str, policy: Policy
) -> StartAttempt:
    """Lease a place to the lane's first task."""
    task = lane.first()
    spec = task.spec
    state.dequeue(task)
    task.attempts_made += 1
    token = state.next_token
    state.next_token = token + 1
    lease_until_us = state.now_us + policy.lease_us
    charge = state.scale.score(max(1, spec.estimate_us) * spec.slots, state.now_us)
    attempt = Attempt(f"{spec.task_id}.{task.attempts_made}", token, task, worker, backend, lease_until_us, charge)
    state.hold(attempt)
    state.charge(project, charge)
    return StartAttempt(
        attempt.attempt_id,
        spec.task_id,
        task.job_id,
        project.project_id,
        worker.worker_id,
        backend,
        token,
        lease_until_us,
        spec.time_limit_us,
    )
