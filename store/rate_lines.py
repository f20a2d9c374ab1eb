"""The lines of the rate card: only ever added."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from ledger.rates import RateLine
from store import schema

_rate_lines = schema.rate_lines
_ALL = select(_rate_lines).order_by(_rate_lines.c.created_us, _rate_lines.c.id)


def insert_lines(connection: Connection, lines: list[RateLine]) -> None:
    """Write new lines. Raises `Duplicate` for a known id."""
    for line in lines:
        connection.execute(
            insert(_rate_lines).values(
                id=line.id,
                resource=line.resource,
                unit_price=line.unit_price,
                quantum=line.quantum,
                backend=line.backend,
                from_hour=line.hours[0],
                until_hour=line.hours[1],
                valid_from_us=line.valid_from_us,
                valid_until_us=line.valid_until_us,
                created_us=line.created_us,
            )
        )


def all_lines(connection: Connection) -> list[RateLine]:
    """The whole card, oldest line first."""
    return [
        RateLine(
            row.id,
            row.resource,
            row.unit_price,
            row.quantum,
            row.backend,
            (row.from_hour, row.until_hour),
            row.valid_from_us,
            row.valid_until_us,
            row.created_us,
        )
        for row in connection.execute(_ALL)
    ]
