"""Closed months: written once, never changed (the database refuses)."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from ledger.months import Month
from ledger.periods import AsOf, Close
from store import schema
from store.flows import within

_closes = schema.closes
_entries = schema.entries


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
