"""The settlements and corrections of a project's jobs in a period, with what reports tell about the jobs; streamed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from ledger.charges import History
from ledger.flows import JobFacts
from ledger.model import Entry
from ledger.periods import AsOf
from store import schema
from store.flows import within

_entries = schema.entries
_jobs = schema.jobs
_holds = schema.holds

_CLOSING = ("settle", "correct")


def histories(
    connection: Connection, project_id: str, after: AsOf | None, until: AsOf, *, corrected_only: bool = False
) -> Iterator[History]:
    """The histories of every job with a settlement or a correction in the period, or of the corrected ones only.

    Read them while the transaction lasts.
    """
    inside = within(after, until).label("inside")
    mine = and_(_entries.c.project_id == project_id, _entries.c.kind.in_(_CLOSING))
    # A job that was settled earlier counts when it is corrected in the period: few are.
    corrected = select(_entries.c.job_id).where(
        _entries.c.project_id == project_id, _entries.c.kind == "correct", within(after, until)
    )
    chosen: ColumnElement[bool] = _entries.c.job_id.in_(corrected)
    if not corrected_only:
        chosen = or_(within(after, until), chosen)
    wanted = (
        select(_entries, inside, _holds.c.body.label("backing"), *_facts())
        .select_from(
            _entries.join(_holds, _holds.c.job_id == _entries.c.job_id).outerjoin(
                _jobs, _jobs.c.id == _entries.c.job_id
            )
        )
        .where(mine, within(None, until), chosen)
        .order_by(_entries.c.job_id, _entries.c.seq)
    )
    rows = connection.execute(wanted, execution_options={"yield_per": 1000})
    for job_id, group in itertools.groupby(rows, key=lambda row: str(row.job_id)):
        some = list(group)
        entries = [Entry(row.id, row.kind, row.at_us, (), row.project_id, row.job_id, body=row.body) for row in some]
        inside_ids = frozenset(row.id for row in some if row.inside)
        yield History(_job(job_id, project_id, some[0]), some[0].backing, tuple(entries), inside_ids)


def _facts() -> list[Any]:
    names = ("member_id", "category", "backend", "name", "tags", "started_us", "ended_us", "usage")
    return [_jobs.c[name].label(f"job_{name}") for name in names]


def _job(job_id: str, project_id: str, row: Any) -> JobFacts:
    if row.job_member_id is None:
        return JobFacts(job_id, project_id)
    return JobFacts(
        job_id,
        project_id,
        row.job_member_id,
        row.job_category,
        row.job_backend,
        row.job_name,
        row.job_tags,
        row.job_started_us,
        row.job_ended_us,
        tuple((row.job_usage or {}).items()),
    )
