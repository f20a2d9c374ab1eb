"""The versions of programmes' terms. A version is written once; the highest is in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select

from ledger.terms import Terms
from ledger.terms_json import terms_from_json, terms_to_json
from store import schema
from store.bulk import Asked, Query
from store.columns import among_many

_terms = schema.terms
_LATEST = (
    select(_terms.c.programme_id, func.max(_terms.c.version).label("version"))
    .group_by(_terms.c.programme_id)
    .subquery()
)
_IN_FORCE = Query(
    select(_terms.c.body)
    .join(_LATEST, (_LATEST.c.programme_id == _terms.c.programme_id) & (_LATEST.c.version == _terms.c.version))
    .where(among_many(_terms.c.programme_id, "ids"))
)


@lru_cache(maxsize=1_000)
def _read(body: str) -> Terms:
    """A version says the same for ever: it is read once."""
    return terms_from_json(orjson.loads(body))


def insert_terms(connection: Connection, terms: Terms, created_us: int) -> None:
    """Write a new version. Raises `Duplicate` for a known one."""
    row = {"programme_id": terms.programme_id, "version": terms.version, "created_us": created_us}
    connection.execute(insert(_terms).values(**row, body=terms_to_json(terms)))


def asked_in_force(connection: Connection, programme_ids: Iterable[str]) -> Asked:
    """The question for the newest version of each programme that has terms; `in_force_from` reads the answer."""
    return _IN_FORCE.asked(connection, ids=sorted(programme_ids))


def in_force_from(rows: Iterable[Sequence[Any]]) -> dict[str, Terms]:
    """By programme id."""
    found = [_read(body) for (body,) in rows]
    return {terms.programme_id: terms for terms in found}


def in_force(connection: Connection, programme_ids: Iterable[str]) -> dict[str, Terms]:
    """The newest version of each programme that has terms, by programme id."""
    ids = sorted(programme_ids)
    return in_force_from(_IN_FORCE(connection, ids=ids)) if ids else {}


def versions_of(connection: Connection, programme_id: str) -> list[Terms]:
    """Every version of a programme's terms, the newest last."""
    wanted = select(_terms.c.body).where(_terms.c.programme_id == programme_id).order_by(_terms.c.version)
    return [terms_from_json(body) for (body,) in connection.execute(wanted)]


def version_of(connection: Connection, programme_id: str, version: int) -> Terms | None:
    """One version, or None."""
    wanted = select(_terms.c.body).where(_terms.c.programme_id == programme_id, _terms.c.version == version)
    found = connection.execute(wanted).scalar_one_or_none()
    return None if found is None else terms_from_json(found)
