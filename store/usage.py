"""How much each project has used, as the scheduler's fairness counts it; saved now and then, loaded after a start."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from store import schema
from store.bulk import Bulk, insert_text
from store.rows import UsageRow

_usage = schema.usage
_UPSERT = Bulk(
    insert_text(_usage) + " ON CONFLICT (project_id) DO UPDATE SET usage = excluded.usage, at_us = excluded.at_us"
)


def save(connection: Connection, rows: Sequence[UsageRow]) -> None:
    """Write what these projects have used over what stood there; other projects keep theirs."""
    _UPSERT(connection, [(row.project_id, row.usage, row.at_us) for row in rows])


def load(connection: Connection) -> list[UsageRow]:
    """What every project has used, in the order of their ids."""
    return [UsageRow(*row) for row in connection.execute(select(_usage).order_by(_usage.c.project_id))]
