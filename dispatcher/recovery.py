"""A scheduler state from the store: after a start, a crash, or a commit that failed. The same events, told again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from backends.catalogue import feasible
from backends.findings import Findings
from dispatcher.carry_out import OpenJobs
from dispatcher.ground import Ground
from dispatcher.inbox import task_of
from scheduler.core import step
from scheduler.decisions import Decision
from scheduler.events import (
    AttemptRestored,
    BackendStateChanged,
    CancelRequested,
    FailureKind,
    JobSubmitted,
    ProjectWeightSet,
    UsageRestored,
    WorkerJoined,
    WorkerLost,
)
from scheduler.policy import Policy
from scheduler.state import State
from store import attempts, backend_states, identity, jobs, usage, workers
from store.database import Connection
from store.rows import AttemptRow, JobRow, WorkerRow

# A restart of the service is no fault of the job it interrupts. Past this many attempts it counts all the same, so a
# job that somehow takes the service down with it cannot do so for ever.
FREE_RESTARTS = 20
LOCAL = "local-"


def rebuild(
    conn: Connection, ground: Ground, policy: Policy, here: str | None
) -> tuple[State, OpenJobs, list[Decision]]:
    """State, memory and the decisions that follow from what was lost meanwhile. `here` is this run's own worker."""
    now = ground.now_us()
    state = State(next_token=attempts.max_token(conn) + 1)
    memory = OpenJobs()
    decisions: list[Decision] = []
    for project in identity.list_projects(conn):
        step(state, ProjectWeightSet(now, project.id, project.weight), policy)
    for used in usage.load(conn):
        step(state, UsageRestored(used.at_us, used.project_id, used.usage), policy)
    for row in backend_states.list_states(conn):
        step(state, BackendStateChanged(now, row.name, row.state), policy)
    _join(state, policy, workers.list_workers(conn), now, here)
    history = _attempts_by_job(conn)
    for job in jobs.open_jobs(conn):
        _restore(state, policy, ground, memory, job, history.get(job.id, []), now, here)
        if job.cancel_requested_us is not None:
            decisions += step(state, CancelRequested(now, job.id), policy)
    holders = {row.worker_id for row in attempts.open_attempts(conn, None)}
    for worker_id in sorted(one for one in holders if one.startswith(LOCAL) and one != here):
        decisions += step(state, WorkerLost(now, worker_id, "the service was restarted"), policy)
    return state, memory, decisions


def _join(state: State, policy: Policy, rows: Sequence[WorkerRow], now: int, here: str | None) -> None:
    """Workers still there join again; local ones of an earlier run are gone with it."""
    for row in rows:
        if row.state == "up" and (row.id == here or not row.id.startswith(LOCAL)):
            step(state, WorkerJoined(now, row.id, row.slots, row.pipeline, row.backends), policy)


def _attempts_by_job(conn: Connection) -> dict[str, list[AttemptRow]]:
    found: dict[str, list[AttemptRow]] = {}
    for row in attempts.of_open_jobs(conn):
        found.setdefault(row.job_id, []).append(row)
    return found


def _restore(
    state: State,
    policy: Policy,
    ground: Ground,
    memory: OpenJobs,
    job: JobRow,
    rows: list[AttemptRow],
    now: int,
    here: str | None,
) -> None:
    failures = tuple(cast(FailureKind, row.failure["kind"]) for row in rows if row.failure is not None and _counts(row))
    task = replace(task_of(job, _backends(job, ground)), attempts_made=len(rows), failures=failures)
    step(state, JobSubmitted(job.created_us, job.id, job.project_id, job.priority, (task,)), policy)
    memory.work_hash[job.id] = job.work_hash
    if job.started_us is not None:
        memory.started.add(job.id)
    if not rows or rows[-1].state not in ("leased", "running"):
        return
    last = rows[-1]
    memory.attempt[job.id] = last.id
    memory.backend[job.id] = last.backend
    restored = AttemptRestored(
        now,
        last.id,
        task.task_id,
        last.token,
        last.worker_id,
        last.backend,
        now + policy.lease_us,
        # On this run's own worker it goes on; on another's, what matters is how its loss would count.
        started=last.started_us is not None if last.worker_id == here else _loss_counts(last),
        failures=failures,
    )
    step(state, restored, policy)


def _backends(job: JobRow, ground: Ground) -> tuple[str, ...]:
    """Where the job may run by today's rules; where it was admitted if they forbid it or cannot read its findings."""
    try:
        rules = ground.rules
        candidates = feasible(Findings.from_json(job.findings), job.backend_asked, rules.memory_mib, rules.devices)
    except (KeyError, TypeError):  # measured by another version
        return (job.backend,)
    return candidates if isinstance(candidates, tuple) else (job.backend,)


def _counts(row: AttemptRow) -> bool:
    """Whether the scheduler counted this failure: what never began does not count, a restart seldom does."""
    if row.failure is not None and row.failure["kind"] == "lost":
        return _loss_counts(row)
    return row.started_us is not None


def _loss_counts(row: AttemptRow) -> bool:
    """Whether the loss of this attempt counts (or would): past the free restarts even if it never got to begin."""
    if row.worker_id.startswith(LOCAL):
        return row.number > FREE_RESTARTS
    return row.started_us is not None
