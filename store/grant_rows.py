"""A grant and its row in the database, one from the other."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert

from ledger.model import Grant
from store import schema

_grants = schema.grants


def grant_of_row(row: Row[Any]) -> Grant:
    """Read a row that SQLAlchemy gave."""
    found = dict(row._mapping)
    found["funders"] = tuple((funder_id, weight) for funder_id, weight in row.funders)
    return Grant(**found)


@lru_cache(maxsize=4_096)
def grant_as_stored(row: tuple[Any, ...]) -> Grant:
    """A row that has come past SQLAlchemy: lists are JSON still, and SQLite knows no truth values."""
    grant_id, programme_id, funders, project_id, *terms_of_it, expired, resources, backends, members = row
    shares = tuple((funder_id, weight) for funder_id, weight in orjson.loads(funders))
    asset, amount, valid_from_us, valid_until_us, priority, created_us = terms_of_it
    return Grant(
        id=grant_id,
        programme_id=programme_id,
        funders=shares,
        project_id=project_id,
        asset=asset,
        amount=amount,
        valid_from_us=valid_from_us,
        valid_until_us=valid_until_us,
        priority=priority,
        created_us=created_us,
        expired=bool(expired),
        resources=tuple(orjson.loads(resources)),
        backends=tuple(orjson.loads(backends)),
        members=tuple(orjson.loads(members)),
    )


def insert_grant(connection: Connection, grant: Grant) -> None:
    """Write a new grant. Raises `Duplicate` for a known one."""
    connection.execute(
        insert(_grants).values(
            id=grant.id,
            programme_id=grant.programme_id,
            funders=[list(share) for share in grant.funders],
            project_id=grant.project_id,
            asset=grant.asset,
            amount=grant.amount,
            valid_from_us=grant.valid_from_us,
            valid_until_us=grant.valid_until_us,
            priority=grant.priority,
            created_us=grant.created_us,
            expired=False,
            resources=grant.resources,
            backends=grant.backends,
            members=grant.members,
        )
    )
