"""Lists of jobs, page by page, and their counts."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from store import schema
from store.columns import among, tagged
from store.errors import BadCursor
from store.rows import JobFilter, JobRow

_jobs = schema.jobs


def list_jobs(
    connection: Connection, chosen: JobFilter, cursor: str | None, limit: int
) -> tuple[list[JobRow], str | None]:
    """One page of the chosen jobs, newest first, and the cursor of the next page (None on the last one).

    A page goes on after the last job of the one before, so jobs that arrive meanwhile neither repeat nor hide others.
    Raises `BadCursor` for a cursor that no list has given out.
    """
    wanted = select(_jobs).where(*_conditions(chosen))
    if cursor is not None:
        wanted = wanted.where(tuple_(_jobs.c.created_us, _jobs.c.id) < tuple_(*_decode(cursor)))
    wanted = wanted.order_by(_jobs.c.created_us.desc(), _jobs.c.id.desc()).limit(limit + 1)
    jobs = [JobRow(*row) for row in connection.execute(wanted)]
    more = len(jobs) > limit
    jobs = jobs[:limit]
    return jobs, _encode(jobs[-1]) if more and jobs else None


def _conditions(chosen: JobFilter) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    equal: tuple[tuple[Any, str | None], ...] = (
        (_jobs.c.project_id, chosen.project_id),
        (_jobs.c.backend, chosen.backend),
        (_jobs.c.primitive, chosen.primitive),
        (_jobs.c.member_id, chosen.member_id),
    )
    wanted.extend(column == value for column, value in equal if value is not None)
    if chosen.states:
        wanted.append(among(_jobs.c.state, chosen.states))
    if chosen.tag is not None:
        wanted.append(tagged(_jobs.c.tags, chosen.tag))
    if chosen.since_us is not None:
        wanted.append(_jobs.c.created_us >= chosen.since_us)
    if chosen.until_us is not None:
        wanted.append(_jobs.c.created_us < chosen.until_us)
    return wanted


def _encode(job: JobRow) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([job.created_us, job.id])).decode().rstrip("=")


def _decode(cursor: str) -> tuple[int, str]:
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as failure:
        raise BadCursor("this cursor was not given out by a list of jobs") from failure
    match decoded:
        case [int(created_us), str(job_id)]:
            return created_us, job_id
        case _:
            raise BadCursor("this cursor was not given out by a list of jobs")


def count_by_state(connection: Connection, project_id: str | None) -> dict[str, int]:
    """How many jobs stand in each state, of one project or of all; states without jobs are left out."""
    wanted = select(_jobs.c.state, func.count()).group_by(_jobs.c.state)
    if project_id is not None:
        wanted = wanted.where(_jobs.c.project_id == project_id)
    return {str(state): int(count) for state, count in connection.execute(wanted)}
