"""Attempts: which worker tries which job, under which lease, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from store import schema
from store.bulk import Bulk, insert_text
from store.columns import among, to_json
from store.rows import AttemptEnd, AttemptRow

_attempts = schema.attempts
_INSERT = Bulk(insert_text(_attempts))
# Both pass over an attempt that has ended: a late report changes nothing.
_START = Bulk("UPDATE attempts SET state = 'running', started_us = ? WHERE id = ? AND ended_us IS NULL")
_CLOSE = Bulk("UPDATE attempts SET state = ?, ended_us = ?, failure = ? WHERE id = ? AND ended_us IS NULL")


def insert_attempts(connection: Connection, attempts: Sequence[AttemptRow]) -> None:
    """Write new attempts. Raises `Duplicate` for a known id or fencing token."""
    _INSERT(
        connection,
        [
            (
                attempt.id,
                attempt.job_id,
                attempt.number,
                attempt.token,
                attempt.worker_id,
                attempt.backend,
                attempt.state,
                attempt.leased_us,
                attempt.started_us,
                attempt.ended_us,
                attempt.lease_until_us,
                to_json(attempt.failure),
            )
            for attempt in attempts
        ],
    )


def mark_started(connection: Connection, started: Sequence[tuple[str, int]]) -> None:
    """Note that attempts run, given as (attempt id, instant in µs)."""
    _START(connection, [(at_us, attempt_id) for attempt_id, at_us in started])


def renew(connection: Connection, worker_id: str, lease_until_us: int) -> None:
    """Prolong every open lease of a worker; never shortens one."""
    connection.execute(
        update(_attempts)
        .where(
            _attempts.c.ended_us.is_(None),
            _attempts.c.worker_id == worker_id,
            _attempts.c.lease_until_us < lease_until_us,
        )
        .values(lease_until_us=lease_until_us)
    )


def close_attempts(connection: Connection, ends: Sequence[AttemptEnd]) -> None:
    """End attempts; one that has ended already keeps its first end."""
    _CLOSE(connection, [(end.state, end.at_us, to_json(end.failure), end.attempt_id) for end in ends])


def open_attempts(connection: Connection, worker_id: str | None) -> list[AttemptRow]:
    """Attempts that have not ended, of one worker or of all, in the order of their tokens."""
    wanted = select(_attempts).where(_attempts.c.ended_us.is_(None))
    if worker_id is not None:
        wanted = wanted.where(_attempts.c.worker_id == worker_id)
    # Sorted here: to avoid sorting, SQLite would walk through all attempts in order instead of the few open ones.
    return sorted((AttemptRow(*row) for row in connection.execute(wanted)), key=lambda attempt: attempt.token)


def attempts_of(connection: Connection, job_id: str) -> list[AttemptRow]:
    """All attempts at one job, in order."""
    wanted = select(_attempts).where(_attempts.c.job_id == job_id).order_by(_attempts.c.number)
    return [AttemptRow(*row) for row in connection.execute(wanted)]


def of_open_jobs(connection: Connection) -> list[AttemptRow]:
    """All attempts, ended ones among them, at jobs that have not ended, by job and in order."""
    open_jobs = select(schema.jobs.c.id).where(schema.jobs.c.ended_us.is_(None))
    rows = connection.execute(select(_attempts).where(_attempts.c.job_id.in_(open_jobs)))
    return sorted((AttemptRow(*row) for row in rows), key=lambda attempt: (attempt.job_id, attempt.number))


def max_token(connection: Connection) -> int:
    """The highest fencing token ever given out; 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(_attempts.c.token), 0))).scalar_one())


def orders_for(connection: Connection, worker_id: str, after_token: int) -> list[AttemptRow]:
    """The leased, not yet started attempts of a worker with tokens above `after_token`: what it has to fetch."""
    wanted = (
        select(_attempts)
        .where(
            _attempts.c.ended_us.is_(None),
            _attempts.c.worker_id == worker_id,
            _attempts.c.token > after_token,
            _attempts.c.state == "leased",
        )
        .order_by(_attempts.c.token)
    )
    return [AttemptRow(*row) for row in connection.execute(wanted)]


def jobs_of(connection: Connection, attempt_ids: Sequence[str]) -> dict[str, str]:
    """The job of each attempt that there is."""
    wanted = select(_attempts.c.id, _attempts.c.job_id).where(among(_attempts.c.id, attempt_ids))
    return {row.id: row.job_id for row in connection.execute(wanted)}
