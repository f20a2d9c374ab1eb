"""Counts and sums over many rows: what dashboards, statements, audits and a restarted clock ask for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger import accounts
from store import schema

_jobs, _holds, _entries, _postings, _history = (
    schema.jobs,
    schema.holds,
    schema.entries,
    schema.postings,
    schema.history,
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a project was charged for its ended jobs, and what the facility bore, in the smallest unit."""

    charged: int
    overrun: int


def queued_of(connection: Connection, project_id: str) -> int:
    """How many jobs of a project wait."""
    wanted = select(func.count()).where(_jobs.c.project_id == project_id, _jobs.c.state == "queued")
    return int(connection.execute(wanted).scalar_one())


def queued_by_backend(connection: Connection) -> dict[str, int]:
    """How many jobs wait, by the backend they were routed to first."""
    wanted = (
        select(_jobs.c.backend, func.count())
        .where(_jobs.c.ended_us.is_(None), _jobs.c.state == "queued")
        .group_by(_jobs.c.backend)
    )
    return {str(backend): int(count) for backend, count in connection.execute(wanted)}


def states_of_jobs(connection: Connection) -> dict[str, str]:
    """The state of every job, by id."""
    return {str(job_id): str(state) for job_id, state in connection.execute(select(_jobs.c.id, _jobs.c.state))}


def history_end(connection: Connection) -> int:
    """The newest row of the history; 0 when there is none."""
    return int(connection.execute(select(func.coalesce(func.max(_history.c.seq), 0))).scalar_one())


def settled_by_grant(connection: Connection, project_id: str) -> dict[str, int]:
    """What each grant of a project has paid, by grant id."""
    wanted = (
        select(_postings.c.source, func.sum(_postings.c.amount))
        .select_from(_postings.join(_entries, _postings.c.seq == _entries.c.seq))
        .where(_entries.c.project_id == project_id, _postings.c.destination == accounts.EARNED)
        .group_by(_postings.c.source)
    )
    paid: dict[str, int] = {}
    for source, amount in connection.execute(wanted):
        grant_id = accounts.held_grant(source)
        if grant_id is not None:
            paid[grant_id] = int(amount)
    return paid


def settled_of(connection: Connection, project_id: str) -> Settled:
    """The totals over a project's closed holds."""
    wanted = select(func.coalesce(func.sum(_holds.c.charged), 0), func.coalesce(func.sum(_holds.c.overrun), 0)).where(
        _holds.c.project_id == project_id
    )
    charged, overrun = connection.execute(wanted).one()
    return Settled(int(charged) - int(overrun), int(overrun))


def last_written_us(connection: Connection) -> int:
    """The latest instant that the store knows of; 0 when it is empty. A restarted clock must not run before it."""
    instants = (
        select(func.max(_history.c.at_us)).where(_history.c.seq > history_end(connection) - 1_000),
        select(func.max(schema.inbox.c.at_us)),
        select(func.max(schema.workers.c.seen_us)),
    )
    return max(int(connection.execute(one).scalar_one() or 0) for one in instants)
