"""What must be true of the scheduler's state between any two events. Callable by tests, simulator and audit."""

from __future__ import annotations

from collections import Counter

from scheduler.model import Attempt, Task, Worker
from scheduler.state import State


class BrokenInvariant(Exception):  # noqa: N818 - a broken invariant is a bug, and reads as one
    """The scheduler's state contradicts itself; the text says where."""


def check(state: State) -> None:
    """Raise BrokenInvariant when the state contradicts itself. Looks at everything: O(all tasks and attempts)."""
    waiting = _check_lanes(state)
    _check_tasks(state, waiting)
    _check_attempts(state)
    for worker in state.workers.values():
        _check_worker(worker, state)
    _check_ranking(state)


def _must(truth: bool, *sentence: object) -> None:
    """The sentence is given in parts, so that it is only put together when it is needed."""
    if not truth:
        raise BrokenInvariant(" ".join(str(part) for part in sentence))


def _check_lanes(state: State) -> set[str]:
    """Every lane is sorted, not empty and holds its own; returns the jobs that wait."""
    waiting: set[str] = set()
    for project in state.projects.values():
        for demand, lane in project.lanes.items():
            ranks, tasks = lane.ranks(), lane.tasks()
            _must(len(tasks) > 0, "an empty lane is left in project", project.project_id)
            _must(ranks == sorted(set(ranks)), "a lane is out of order in project", project.project_id)
            _must(ranks == [task.rank for task in tasks], "a lane's ranks are not its tasks'", project.project_id)
            for task in tasks:
                _must(task.demand is demand and task.project is project, "job", task.job_id, "is in a foreign lane")
                _must(task.job_id not in waiting, "job", task.job_id, "waits twice")
                waiting.add(task.job_id)
    _must(state.waiting_count == len(waiting), "waiting_count is", state.waiting_count, "but", len(waiting), "wait")
    return waiting


def _check_tasks(state: State, waiting: set[str]) -> None:
    """Each living task is in exactly one place; the counts over them are right."""
    estimate_sum_us = 0
    for job_id, task in state.tasks.items():
        asleep = state.sleeping.get(task.rank) is task
        held = task.attempt is not None
        waits = job_id in waiting
        _must(waits + asleep + held == 1, "job", job_id, "waits, sleeps, is held:", waits, asleep, held)
        _must(asleep == (task.not_before_us is not None), "job", job_id, "sleeps without an end, or ends no sleep")
        _must(held or not task.cancelling, "job", job_id, "was cancelled but is still queued")
        if not held:
            estimate_sum_us += task.spec.estimate_us
        _check_against_budget(task)
    placed = len(waiting) + len(state.sleeping) + len(state.attempts)
    _must(placed == len(state.tasks), placed, "places hold", len(state.tasks), "living tasks")
    _must(state.estimate_sum_us == estimate_sum_us, "backlog is", state.estimate_sum_us, "not", estimate_sum_us)
    timers = set(state.sleepers)
    for rank, task in state.sleeping.items():
        _must((task.not_before_us, rank) in timers, "job", task.job_id, "sleeps and nothing will wake it")
    living = Counter(task.demand for task in state.tasks.values())
    queued = Counter(state.tasks[job_id].demand for job_id in waiting)
    for wanted, demand in state.demands.items():
        _must(demand.tasks == living[demand] > 0, "demand", wanted, "counts", demand.tasks, "not", living[demand])
        _must(demand.waiting == queued[demand], "demand", wanted, "counts", demand.waiting, "waiting")
    _must(len(living) == len(state.demands), "a living task's demand is not known")


def _check_against_budget(task: Task) -> None:
    counted = task.faults + task.losses + task.crashes + task.unstarted
    _must(counted <= task.attempts_made, "job", task.job_id, "failed", counted, "times in", task.attempts_made)


def _check_attempts(state: State) -> None:
    """Every lease has a task, a place, a fresh token and a timer."""
    timers = {token for _, token, _ in state.leases}
    for attempt_id, attempt in state.attempts.items():
        _must(attempt.attempt_id == attempt_id, "attempt", attempt_id, "is filed wrongly")
        _must(attempt.task.attempt is attempt, "attempt", attempt_id, "is not the one its task knows")
        _must(state.tasks.get(attempt.task.job_id) is attempt.task, "attempt", attempt_id, "outlived its job")
        _must(attempt.token < state.next_token, "attempt", attempt_id, "has a token from the future")
        _must(attempt.token in timers, "attempt", attempt_id, "has no timer")
        _must(attempt.worker.attempts.get(attempt.token) is attempt, "attempt", attempt_id, "is unknown to its worker")
        _must(attempt.charge >= 0, "attempt", attempt_id, "charged less than nothing")
        known = state.workers.get(attempt.worker.worker_id)
        _must(known is attempt.worker, "attempt", attempt_id, "is on a worker that is gone")
        _must(attempt.task.cancelling == (attempt.revoked == "cancel"), "attempt", attempt_id, "misses its revocation")


def _check_worker(worker: Worker, state: State) -> None:
    """A worker's load is what it holds, and within its offer."""
    held: list[Attempt] = list(worker.attempts.values())
    load = sum(attempt.task.spec.slots for attempt in held)
    long_load = sum(attempt.task.spec.slots for attempt in held if not attempt.task.demand.short)
    name = worker.worker_id
    _must(worker.load == load, "worker", name, "counts a load of", worker.load, "but holds", load)
    _must(worker.long_load == long_load, "worker", name, "counts a long load of", worker.long_load, "not", long_load)
    _must(load <= max(worker.slots + worker.pipeline, worker.excused), "worker", name, "is over its capacity:", load)
    _must(long_load <= max(worker.slots, worker.excused), "worker", name, "is over its slots:", long_load)
    for attempt in held:
        _must(state.attempts.get(attempt.attempt_id) is attempt, "worker", name, "holds an ended attempt")


def _check_ranking(state: State) -> None:
    """Exactly the projects with waiting tasks are ranked, by their present usage."""
    expected = {}
    for project in state.projects.values():
        _must(project.score >= 0, "project", project.project_id, "has a negative usage")
        if project.lanes:
            expected[project.project_id] = project.key()
    standings = state.ranking.standings()
    _must(standings == expected, "the ranking is", standings, "and should be", expected)
