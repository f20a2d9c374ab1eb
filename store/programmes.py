"""Funders and their programmes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select

from store import schema
from store.rows import FunderRow, ProgrammeRow

_funders = schema.funders
_programmes = schema.programmes


def insert_funder(connection: Connection, funder: FunderRow) -> None:
    """Write a new funder. Raises `Duplicate` for a known id or name."""
    connection.execute(insert(_funders).values(id=funder.id, name=funder.name, created_us=funder.created_us))


def list_funders(connection: Connection) -> list[FunderRow]:
    """All funders, oldest first."""
    wanted = select(_funders).order_by(_funders.c.created_us, _funders.c.id)
    return [FunderRow(*row) for row in connection.execute(wanted)]


def insert_programme(connection: Connection, programme: ProgrammeRow) -> None:
    """Write a new programme. Raises `Duplicate` for a known id, or a name that its funder has used."""
    connection.execute(
        insert(_programmes).values(
            id=programme.id,
            funder_id=programme.funder_id,
            name=programme.name,
            asset=programme.asset,
            created_us=programme.created_us,
            funders=[list(share) for share in programme.shares],
        )
    )


def list_programmes(connection: Connection) -> list[ProgrammeRow]:
    """All programmes, oldest first."""
    wanted = select(_programmes).order_by(_programmes.c.created_us, _programmes.c.id)
    return [_programme(row) for row in connection.execute(wanted)]


def _programme(row: Row[Any]) -> ProgrammeRow:
    found = dict(row._mapping)
    found["funders"] = tuple((funder_id, weight) for funder_id, weight in row.funders)
    return ProgrammeRow(**found)
