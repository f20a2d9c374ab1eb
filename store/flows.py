"""Postings added up between two states of the books: the database does the sums, so no report reads every row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, true

from ledger import accounts
from ledger.flows import Flow
from ledger.periods import AsOf
from store import schema
from store.columns import among

_entries = schema.entries
_postings = schema.postings
_jobs = schema.jobs

Condition = ColumnElement[bool]


def within(after: AsOf | None, until: AsOf) -> Condition:
    """The entries that count at `until` and did not yet count at `after`; None is before everything."""
    now = _counted(until)
    return now if after is None else and_(now, ~_counted(after))


def of_project(project_id: str, grant_ids: Iterable[str]) -> Condition:
    """The entries about a project or one of its grants; a transfer may come from another project's grant."""
    arrivals = select(_postings.c.seq).where(
        _postings.c.seq == _entries.c.seq,
        among(_postings.c.destination, [accounts.available(grant_id) for grant_id in grant_ids]),
    )
    return or_(
        _entries.c.project_id == project_id, and_(_entries.c.kind == "transfer", arrivals.correlate(_entries).exists())
    )


def of_programmes(programme_ids: Sequence[str], project_ids: Sequence[str]) -> Condition:
    """The entries about programmes, or about projects that have grants of theirs."""
    return or_(among(_entries.c.programme_id, programme_ids), among(_entries.c.project_id, project_ids))


def flows(
    connection: Connection, after: AsOf | None, until: AsOf, about: Condition | None = None, *, by_job: bool = True
) -> list[Flow]:
    """What moved between two states, sorted as by `ledger.flows.flows_of`; without what is known of jobs, if unwanted.

    `about` narrows the entries; by default all count.
    """
    kinds: list[ColumnElement[Any]] = [
        _entries.c.kind,
        _postings.c.source,
        _postings.c.destination,
        _postings.c.asset,
    ]
    source = _postings.join(_entries, _entries.c.seq == _postings.c.seq)
    facts: list[ColumnElement[Any]] = [func.coalesce(_entries.c.project_id, "")]
    if by_job:
        source = source.outerjoin(_jobs, _jobs.c.id == _entries.c.job_id)
        facts += [func.coalesce(column, "") for column in (_jobs.c.member_id, _jobs.c.category, _jobs.c.backend)]
    wanted = (
        select(*kinds, func.sum(_postings.c.amount), *facts)
        .select_from(source)
        .where(within(after, until), true() if about is None else about)
        .group_by(*kinds, *facts)
    )
    found = [
        Flow(kind, near, far, asset, int(amount), *rest)
        for kind, near, far, asset, amount, *rest in connection.execute(wanted)
    ]
    return sorted(found, key=_order)


def claims_at(connection: Connection, until: AsOf, programme_ids: Sequence[str], year: int) -> dict[str, int]:
    """What stands on the yearly limits of programmes, by scope: streamed, since it is written in the entries."""
    claimed: dict[str, int] = {}
    for programme_id in programme_ids:
        wanted = select(_entries.c.claims).where(
            _counted(until), _entries.c.claims.contains(f"/{programme_id}/{year}", autoescape=True)
        )
        for (text,) in connection.execute(wanted, execution_options={"yield_per": 2000}):
            for scope, change in json.loads(text):
                if scope.split("/")[1:3] == [programme_id, str(year)]:
                    claimed[scope] = claimed.get(scope, 0) + change
    return claimed


def _counted(state: AsOf) -> Condition:
    before = _entries.c.at_us < state.until_us
    return before if state.last_seq is None else and_(before, _entries.c.seq <= state.last_seq)


def _order(flow: Flow) -> tuple[str, ...]:
    parties = (flow.project_id, flow.member_id, flow.category, flow.backend)
    return (flow.kind, flow.source, flow.destination, flow.asset, *parties)
