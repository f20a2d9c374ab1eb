"""Jobs and their history: every change of a job bumps its version and leaves a row in the history."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from store import schema
from store.bulk import Bulk, Row, insert_text
from store.columns import among_many, to_json
from store.job_lists import count_by_state, list_jobs
from store.rows import HistoryRow, JobChange, JobRow, JobState, NoticeRow

__all__ = [
    "advance",
    "backlog_us",
    "count_by_state",
    "find_idempotent",
    "get_job",
    "get_jobs",
    "history_of",
    "history_since",
    "insert_jobs",
    "list_jobs",
    "open_jobs",
    "versions_of",
]

_jobs = schema.jobs
_history = schema.history

_INSERT_JOB = Bulk(insert_text(_jobs))
_INSERT_HISTORY = Bulk(insert_text(_history, without=("seq", "notice")))
_STEP = tuple(column for column in _history.columns if column.name != "notice")
# What a change leaves out stays: one statement text for every kind of change.
_CHANGED = (
    "started_us",
    "ended_us",
    "backend",
    "result_hash",
    "result_size",
    "problem",
    "usage",
    "receipt",
    "cancel_requested_us",
)
_KEPT = ", ".join(f'"{name}" = COALESCE(?, "{name}")' for name in _CHANGED)
_UPDATE_JOB = Bulk(f"UPDATE jobs SET version = version + 1, state = ?, {_KEPT} WHERE id = ?")  # noqa: S608
_FOLLOW_HISTORY = Bulk(
    "INSERT INTO history (job_id, project_id, at_us, state, reason, version) "
    "SELECT id, project_id, ?, ?, ?, version FROM jobs WHERE id = ?"
)

# Statements that are asked all the time are built once.
_BY_ID = select(_jobs).where(_jobs.c.id == bindparam("job_id"))
_BY_IDS = select(_jobs).where(among_many(_jobs.c.id, "ids"))
_BY_KEYS = select(_jobs).where(
    _jobs.c.project_id == bindparam("project_id"), among_many(_jobs.c.idempotency_key, "keys")
)
_VERSIONS = select(_jobs.c.id, _jobs.c.version, _jobs.c.state).where(among_many(_jobs.c.id, "ids"))


def insert_jobs(connection: Connection, jobs: Sequence[JobRow], reason: str = "submitted") -> None:
    """Write new jobs and the first row of their history.

    Raises `Duplicate` for a known id or idempotency key, ValueError for a NUL in a tag: not searchable.
    """
    for job in jobs:
        if any("\0" in tag for tag in job.tags):
            raise ValueError(f"job {job.id}: a tag contains the character NUL")
    _INSERT_JOB(connection, [_values(job) for job in jobs])
    _INSERT_HISTORY(
        connection, [(job.id, job.project_id, job.created_us, job.state, reason, job.version) for job in jobs]
    )


def _values(job: JobRow) -> Row:
    return (
        job.id,
        job.project_id,
        job.member_id,
        job.primitive,
        job.name,
        job.state,
        job.version,
        job.priority,
        job.backend_asked,
        job.backend,
        to_json(job.tags),
        to_json(job.metadata),
        job.request_hash,
        job.idempotency_key,
        job.work_hash,
        job.created_us,
        job.started_us,
        job.ended_us,
        job.time_limit_us,
        job.max_cost,
        job.estimate_us,
        to_json(job.quote),
        to_json(job.findings),
        job.result_hash,
        job.result_size,
        to_json(job.problem),
        to_json(job.usage),
        to_json(job.receipt),
        job.cancel_requested_us,
        job.category,
    )


def advance(connection: Connection, changes: Sequence[JobChange]) -> None:
    """Carry out changes in order, a few statements for all of them. Raises LookupError for an unknown job.

    Changes of one job keep their order; between jobs the history may interleave them differently.
    """
    waves: list[list[JobChange]] = []
    seen: dict[str, int] = {}
    for change in changes:
        wave = seen.get(change.job_id, 0)
        seen[change.job_id] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append(change)
    for wave_changes in waves:
        written = _UPDATE_JOB(connection, [_change_values(change) for change in wave_changes])
        if written != len(wave_changes):
            known = versions_of(connection, [change.job_id for change in wave_changes])
            missing = [change.job_id for change in wave_changes if change.job_id not in known]
            raise LookupError(f"there are no such jobs: {', '.join(missing)}")
        _FOLLOW_HISTORY(
            connection, [(change.at_us, change.state, change.reason, change.job_id) for change in wave_changes]
        )


def _change_values(change: JobChange) -> Row:
    return (
        change.state,
        change.started_us,
        change.ended_us,
        change.backend,
        change.result_hash,
        change.result_size,
        to_json(change.problem),
        to_json(change.usage),
        to_json(change.receipt),
        change.cancel_requested_us,
        change.job_id,
    )


def find_idempotent(connection: Connection, project_id: str, keys: Sequence[str]) -> dict[str, JobRow]:
    """The jobs of a project that were submitted under these idempotency keys, by key."""
    if not keys:
        return {}
    rows = connection.execute(_BY_KEYS, {"project_id": project_id, "keys": list(keys)})
    found = [JobRow(*row) for row in rows]
    return {job.idempotency_key: job for job in found if job.idempotency_key is not None}


def get_job(connection: Connection, job_id: str, project_id: str | None) -> JobRow | None:
    """One job; None when there is none or, unless `project_id` is None, when it belongs to another project."""
    row = connection.execute(_BY_ID, {"job_id": job_id}).one_or_none()
    if row is None or project_id not in (None, row.project_id):
        return None
    return JobRow(*row)


def get_jobs(connection: Connection, ids: Sequence[str]) -> list[JobRow]:
    """The jobs with these ids, in their order; unknown ids are left out."""
    if not ids:
        return []
    found = {row.id: JobRow(*row) for row in connection.execute(_BY_IDS, {"ids": list(ids)})}
    return [found[job_id] for job_id in dict.fromkeys(ids) if job_id in found]


def versions_of(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[int, JobState]]:
    """Version and state of each job that exists: what a waiting reader asks again and again."""
    if not ids:
        return {}
    rows = connection.execute(_VERSIONS, {"ids": list(ids)})
    return {job_id: (version, state) for job_id, version, state in rows}


def open_jobs(connection: Connection) -> list[JobRow]:
    """All jobs that have not ended, oldest first: what a new dispatcher takes over."""
    # Sorted here: to avoid sorting, SQLite would walk through all jobs in order instead of the few open ones.
    found = [JobRow(*row) for row in connection.execute(select(_jobs).where(_jobs.c.ended_us.is_(None)))]
    return sorted(found, key=lambda job: (job.created_us, job.id))


def history_of(connection: Connection, job_id: str) -> list[HistoryRow]:
    """The life of one job, in order."""
    wanted = select(*_STEP).where(_history.c.job_id == job_id).order_by(_history.c.version)
    return [HistoryRow(*row) for row in connection.execute(wanted)]


def history_since(connection: Connection, seq: int, project_id: str | None, limit: int) -> list[HistoryRow | NoticeRow]:
    """What has happened after `seq`, of one project or of all, oldest first.

    Rows become visible in the order of `seq`, so a reader that goes on from the last seq it saw misses nothing.
    """
    wanted = select(_history.c.notice, *_STEP).where(_history.c.seq > seq).order_by(_history.c.seq).limit(limit)
    if project_id is not None:
        wanted = wanted.where(_history.c.project_id == project_id)
    return [
        HistoryRow(*step) if notice is None else NoticeRow(step[0], step[2], step[3], step[4], notice)
        for notice, *step in connection.execute(wanted)
    ]


def backlog_us(connection: Connection) -> tuple[int, int]:
    """How many jobs are queued, and the sum of their estimates."""
    total = func.coalesce(func.sum(_jobs.c.estimate_us), 0)
    wanted = select(func.count(), total).where(_jobs.c.ended_us.is_(None), _jobs.c.state == "queued")
    count, estimate_us = connection.execute(wanted).one()
    return count, int(estimate_us)
