"""Closed months: written once, never changed (the database refuses)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Label, case, func, insert, select

from ledger.months import Month
from ledger.periods import AsOf, Close
from store import schema
from store.flows import within

_closes = schema.closes
_entries = schema.entries
_postings = schema.postings


def list_closes(connection: Connection) -> list[Close]:
    """All closed months, the earliest first."""
    rows = connection.execute(select(_closes).order_by(_closes.c.until_us))
    return [Close(Month.parse(month), *rest) for month, *rest in rows]


def insert_close(connection: Connection, close: Close) -> None:
    """Write a closed month. Raises `Duplicate` for one that is closed already."""
    connection.execute(
        insert(_closes).values(
            month=str(close.month),
            until_us=close.until_us,
            last_seq=close.last_seq,
            closed_us=close.closed_us,
            closed_by=close.closed_by,
            body=close.body,
            hash=close.hash,
        )
    )


def first_us(connection: Connection) -> int | None:
    """The earliest instant of an entry; None when there is none."""
    found = connection.execute(select(func.min(_entries.c.at_us))).scalar_one()
    return None if found is None else int(found)


def kinds_within(connection: Connection, after: AsOf | None, until: AsOf) -> dict[str, int]:
    """How many entries of each kind a period has."""
    wanted = select(_entries.c.kind, func.count()).where(within(after, until)).group_by(_entries.c.kind)
    return {str(kind): int(count) for kind, count in connection.execute(wanted)}


def kinds_by_state(connection: Connection, states: Sequence[AsOf]) -> dict[tuple[int, str], int]:
    """How many entries of each kind count first at each of several states of the books, by (index of state, kind)."""
    counted = select(_first_counted(states), _entries.c.kind).subquery()
    wanted = select(counted, func.count()).where(counted.c.state.is_not(None)).group_by(*counted.c)
    return {(int(index), str(kind)): int(count) for index, kind, count in connection.execute(wanted)}


def moved_by_state(connection: Connection, states: Sequence[AsOf]) -> list[tuple[int, str, str, str, int]]:
    """What moved by the entries that count first at each state: (index of state, source, destination, asset, amount).

    One pass over the entries, however many states there are.
    """
    columns = (_postings.c.source, _postings.c.destination, _postings.c.asset, _postings.c.amount)
    moved = (
        select(_first_counted(states), *columns)
        .select_from(_postings.join(_entries, _entries.c.seq == _postings.c.seq))
        .subquery()
    )
    kinds = (moved.c.state, moved.c.source, moved.c.destination, moved.c.asset)
    wanted = select(*kinds, func.sum(moved.c.amount)).where(moved.c.state.is_not(None)).group_by(*kinds)
    return [
        (int(index), source, destination, asset, int(amount))
        for index, source, destination, asset, amount in connection.execute(wanted)
    ]


def _first_counted(states: Sequence[AsOf]) -> Label[int]:
    """The index of the first state that an entry counts at; NULL for none."""
    whens = [(within(None, state), index) for index, state in enumerate(states)]
    return case(*whens).label("state")
