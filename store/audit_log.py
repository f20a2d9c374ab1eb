"""Who did what to what: written once, never changed (the database refuses)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from store import schema
from store.bulk import Bulk, insert_text
from store.columns import to_json
from store.rows import AuditRow

_audit = schema.audit
_APPEND = Bulk(insert_text(_audit, without=("seq",)))


def append(
    connection: Connection, at_us: int, actor: str, act: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Add a row at the end: `actor` (a member id) did `act` ("grant.issue") to `subject` (an id)."""
    _APPEND(connection, [(at_us, actor, act, subject, to_json(dict(detail or {})))])


def list_audit(
    connection: Connection, limit: int, *, before_seq: int | None = None, subject: str | None = None
) -> list[AuditRow]:
    """The newest rows first, of one subject or of all; `before_seq` (the last seq seen) asks for the next page."""
    wanted = select(_audit).order_by(_audit.c.seq.desc()).limit(limit)
    if before_seq is not None:
        wanted = wanted.where(_audit.c.seq < before_seq)
    if subject is not None:
        wanted = wanted.where(_audit.c.subject == subject)
    return [AuditRow(*row) for row in connection.execute(wanted)]
