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
    """What each grant of a project has paid, less what corrections gave back, by grant id."""
    paid: dict[str, int] = {}
    earned = f"{accounts.EARNED}%"
    source, destination = _postings.c.source, _postings.c.destination
    for near, far, sign in ((source, destination, 1), (destination, source, -1)):
        wanted = (
            select(near, func.sum(_postings.c.amount))
            .select_from(_postings.join(_entries, _postings.c.seq == _entries.c.seq))
            .where(_entries.c.project_id == project_id, _entries.c.kind.in_(("settle", "correct")), far.like(earned))
            .group_by(near)
        )
        for account, amount in connection.execute(wanted):
            grant_id = accounts.grant_of(account)
            if grant_id is not None:
                paid[grant_id] = paid.get(grant_id, 0) + sign * int(amount)
    return paid


def settled_of(connection: Connection, project_id: str) -> Settled:
    """The totals over a project's closed holds."""
    wanted = select(func.coalesce(func.sum(_holds.c.charged), 0), func.coalesce(func.sum(_holds.c.overrun), 0)).where(
        _holds.c.project_id == project_id
    )
    charged, overrun = connection.execute(wanted).one()
    return Settled(int(charged) - int(overrun), int(overrun))


def all_claimed(connection: Connection) -> dict[str, int]:
    """What stands on every limit, by scope."""
    rows = connection.execute(select(schema.claims.c.scope, schema.claims.c.claimed))
    return {str(scope): claimed for scope, claimed in rows}


def states_of_holds(connection: Connection) -> dict[str, str]:
    """The state of every hold, by job id."""
    rows = connection.execute(select(_holds.c.job_id, _holds.c.state))
    return {str(job_id): str(state) for job_id, state in rows}


def pledged_to(connection: Connection, programme_id: str) -> int:
    """What funders have pledged to a programme so far."""
    wanted = (
        select(func.coalesce(func.sum(_postings.c.amount), 0))
        .select_from(_postings.join(_entries, _postings.c.seq == _entries.c.seq))
        .where(_entries.c.programme_id == programme_id, _entries.c.kind == "fund")
    )
    return int(connection.execute(wanted).scalar_one())


def stale_holds(connection: Connection) -> list[str]:
    """Jobs whose hold is open although they have ended, or are not there at all."""
    joined = _holds.outerjoin(_jobs, _jobs.c.id == _holds.c.job_id)
    ended = _jobs.c.id.is_(None) | _jobs.c.ended_us.is_not(None)
    wanted = select(_holds.c.job_id).select_from(joined).where(_holds.c.state == "open", ended)
    return [str(job_id) for (job_id,) in connection.execute(wanted.order_by(_holds.c.job_id))]


def unfunded_jobs(connection: Connection) -> list[str]:
    """Jobs that have not ended and have no open hold."""
    joined = _jobs.outerjoin(_holds, (_holds.c.job_id == _jobs.c.id) & (_holds.c.state == "open"))
    wanted = select(_jobs.c.id).select_from(joined).where(_jobs.c.ended_us.is_(None), _holds.c.job_id.is_(None))
    return [str(job_id) for (job_id,) in connection.execute(wanted.order_by(_jobs.c.id))]


def open_holds(connection: Connection, project_id: str, asset: str) -> tuple[int, int]:
    """What open holds of a project set aside at most: for jobs under way, and for jobs that wait."""
    wanted = (
        select(_jobs.c.state, func.sum(_holds.c.amount))
        .select_from(_holds.join(_jobs, _jobs.c.id == _holds.c.job_id))
        .where(_holds.c.project_id == project_id, _holds.c.state == "open", _holds.c.asset == asset)
        .group_by(_jobs.c.state)
    )
    sums = {str(state): int(amount) for state, amount in connection.execute(wanted)}
    committed = sums.pop("queued", 0)
    return sum(sums.values()), committed


def spent_since(connection: Connection, project_id: str, asset: str, since_us: int) -> tuple[int, int | None]:
    """What a project's grants in `asset` paid for since an instant, less what corrections gave back, and when the
    first of the jobs that ended since was submitted.

    What its wallet paid, and its grants in other assets, is not in it.
    """
    spent = 0
    source, destination = _postings.c.source, _postings.c.destination
    for near, far, sign in ((source, destination, 1), (destination, source, -1)):
        wanted = (
            select(func.sum(_postings.c.amount))
            .select_from(_postings.join(_entries, _postings.c.seq == _entries.c.seq))
            .where(_entries.c.project_id == project_id, _entries.c.at_us >= since_us, _postings.c.asset == asset)
            .where(near.like("grant/%"), far.like(f"{accounts.EARNED}%"))
        )
        spent += sign * int(connection.execute(wanted).scalar_one() or 0)
    first = select(func.min(_holds.c.created_us)).where(
        _holds.c.project_id == project_id, _holds.c.closed_us >= since_us
    )
    first_us = connection.execute(first).scalar_one()
    return spent, None if first_us is None else int(first_us)


def last_written_us(connection: Connection) -> int:
    """The latest instant that the store knows of; 0 when it is empty. A restarted clock must not run before it."""
    instants = (
        select(func.max(_history.c.at_us)).where(_history.c.seq > history_end(connection) - 1_000),
        select(func.max(schema.inbox.c.at_us)),
        select(func.max(schema.workers.c.seen_us)),
    )
    return max(int(connection.execute(one).scalar_one() or 0) for one in instants)
