"""Single facts about the installation that must outlive the process, by key; each a JSON value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from store import schema
from store.bulk import Bulk, insert_text
from store.columns import to_json

_meta = schema.meta
_UPSERT = Bulk(insert_text(_meta) + " ON CONFLICT (key) DO UPDATE SET value = excluded.value")


def get(connection: Connection, key: str) -> Any:
    """The value under a key; None when there is none."""
    return connection.execute(select(_meta.c.value).where(_meta.c.key == key)).scalar_one_or_none()


def put(connection: Connection, key: str, value: object) -> None:
    """Write a value (anything JSON can say but null) over what stood under the key."""
    if value is None:
        raise ValueError("null can't be told apart from no value")
    _UPSERT(connection, [(key, to_json(value))])
