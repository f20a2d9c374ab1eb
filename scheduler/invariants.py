"""What must be true of the scheduler's state between any two events. Callable by tests, simulator and audit.

The simulator asks after every single event, so each law is one plain comparison; the sentence is only put together once
something is wrong.
"""

from __future__ import annotations

from typing import NoReturn

from scheduler.model import Attempt, Demand, Task, Worker
from scheduler.state import State


class BrokenInvariant(Exception):  # noqa: N818 - a broken invariant is a bug, and reads as one
    """The scheduler's state contradicts itself; the text says where."""


def check(state: State) -> None:
    """Raise BrokenInvariant when the state contradicts itself. Looks at everything: O(all tasks and attempts)."""
    waiting = _check_lanes(state)
    _check_tasks(state, waiting)
    _check_sleepers(state)
    _check_demands(state, waiting)
    _check_attempts(state)
    for worker in state.workers.values():
        _check_worker(worker, state)
    _check_ranking(state)


def _broken(*sentence: object) -> NoReturn:
    raise BrokenInvariant(" ".join(str(part) for part in sentence))


def _check_lanes(state: State) -> dict[str, Task]:
    """Every lane is sorted, not empty and holds its own; returns the waiting tasks by job."""
    waiting: dict[str, Task] = {}
    count = 0
    for project in state.projects.values():
        for demand, lane in project.lanes.items():
            ranks, tasks = lane.ranks(), lane.tasks()
            if not tasks:
                _broken("an empty lane is left in project", project.project_id)
            if ranks != sorted(set(ranks)):
                _broken("a lane is out of order in project", project.project_id)
            if ranks != [task.rank for task in tasks]:
                _broken("a lane's ranks are not its tasks', in project", project.project_id)
            for task in tasks:
                if task.demand is not demand or task.project is not project:
                    _broken("job", task.job_id, "is in a foreign lane")
                waiting[task.job_id] = task
            count += len(tasks)
    if len(waiting) != count:
        _broken("a job waits twice:", count, "places in lanes for", len(waiting), "jobs")
    if state.waiting_count != count:
        _broken("waiting_count is", state.waiting_count, "but", count, "wait")
    return waiting


def _check_tasks(state: State, waiting: dict[str, Task]) -> None:
    """Each living task is in exactly one place; the counts over them are right."""
    estimate_sum_us = 0
    for job_id, task in state.tasks.items():
        held, asleep, waits = task.attempt is not None, task.rank in state.sleeping, waiting.get(job_id) is task
        if held + asleep + waits != 1:
            _broken("job", job_id, "waits, sleeps, is held:", waits, asleep, held)
        if asleep != (task.not_before_us is not None):
            _broken("job", job_id, "sleeps without an end, or ends no sleep")
        if not held:
            if task.cancelling:
                _broken("job", job_id, "was cancelled but is still queued")
            estimate_sum_us += task.spec.estimate_us
        if task.faults + task.losses + task.crashes + task.unstarted > task.attempts_made:
            _broken("job", job_id, "failed more often than it was tried, which was", task.attempts_made, "times")
    places = len(waiting) + len(state.sleeping) + len(state.attempts)
    if places != len(state.tasks):
        _broken(places, "places hold", len(state.tasks), "living tasks")
    if state.estimate_sum_us != estimate_sum_us:
        _broken("backlog is", state.estimate_sum_us, "us, not", estimate_sum_us)


def _check_sleepers(state: State) -> None:
    """Whoever sleeps will be woken."""
    timers = set(state.sleepers)
    for rank, task in state.sleeping.items():
        if (task.not_before_us, rank) not in timers or task.rank != rank:
            _broken("job", task.job_id, "sleeps and nothing will wake it")


def _check_demands(state: State, waiting: dict[str, Task]) -> None:
    """Demands count their tasks, and none outlives its last one."""
    living: dict[Demand, int] = {}
    for task in state.tasks.values():
        living[task.demand] = living.get(task.demand, 0) + 1
    queued: dict[Demand, int] = {}
    for task in waiting.values():
        queued[task.demand] = queued.get(task.demand, 0) + 1
    for wanted, demand in state.demands.items():
        if demand.tasks != living.get(demand):
            _broken("demand", wanted, "counts", demand.tasks, "tasks, not", living.get(demand))
        if demand.waiting != queued.get(demand, 0):
            _broken("demand", wanted, "counts", demand.waiting, "waiting, not", queued.get(demand, 0))
    if len(living) != len(state.demands):
        _broken("a living task's demand is not known")


def _check_attempts(state: State) -> None:
    """Every lease has a task, a place, a token that was given out, and a timer."""
    timers = {token for _, token, _ in state.leases}
    for attempt_id, attempt in state.attempts.items():
        task, worker = attempt.task, attempt.worker
        if attempt.attempt_id != attempt_id or task.attempt is not attempt:
            _broken("attempt", attempt_id, "is not the one its task knows")
        if state.tasks.get(task.job_id) is not task:
            _broken("attempt", attempt_id, "outlived its job")
        if attempt.token >= state.next_token:
            _broken("attempt", attempt_id, "has a token from the future")
        if attempt.token not in timers:
            _broken("attempt", attempt_id, "has no timer")
        if worker.attempts.get(attempt.token) is not attempt or state.workers.get(worker.worker_id) is not worker:
            _broken("attempt", attempt_id, "is on a worker that is gone or does not know it")
        if attempt.charge < 0:
            _broken("attempt", attempt_id, "charged less than nothing")
        if task.cancelling != (attempt.revoked == "cancel"):
            _broken("attempt", attempt_id, "misses its revocation")


def _check_worker(worker: Worker, state: State) -> None:
    """A worker's load is what it holds, and within its offer."""
    load = long_load = 0
    for attempt in worker.attempts.values():
        slots = attempt.task.spec.slots
        load += slots
        if not attempt.task.demand.short:
            long_load += slots
        _check_held(attempt, worker, state)
    name = worker.worker_id
    if worker.load != load:
        _broken("worker", name, "counts a load of", worker.load, "but holds", load)
    if worker.long_load != long_load:
        _broken("worker", name, "counts a long load of", worker.long_load, "but holds", long_load)
    if load > worker.slots + worker.pipeline and load > worker.excused:
        _broken("worker", name, "is over its capacity with a load of", load)
    if long_load > worker.slots and long_load > worker.excused:
        _broken("worker", name, "is over its slots with a long load of", long_load)


def _check_held(attempt: Attempt, worker: Worker, state: State) -> None:
    if state.attempts.get(attempt.attempt_id) is not attempt:
        _broken("worker", worker.worker_id, "holds an attempt that has ended:", attempt.attempt_id)


def _check_ranking(state: State) -> None:
    """Exactly the projects with waiting tasks are ranked, by their present usage."""
    expected: dict[str, int] = {}
    for project in state.projects.values():
        if project.score < 0:
            _broken("project", project.project_id, "has a negative usage")
        if project.lanes:
            expected[project.project_id] = project.key()
    standings = state.ranking.standings()
    if standings != expected:
        _broken("the ranking is", standings, "and should be", expected)
