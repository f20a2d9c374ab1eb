"""Notices about a project, in the one history that event streams read: so they have a number, and can be resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from store import schema
from store.rows import NoticeRow

_history = schema.history


def append(connection: Connection, project_id: str, at_us: int, kind: str, detail: Mapping[str, Any]) -> None:
    """Tell whoever follows the project, once this transaction is committed."""
    row = {"project_id": project_id, "at_us": at_us, "state": kind, "reason": "", "notice": dict(detail)}
    connection.execute(insert(_history).values(**row))


def notices_since(connection: Connection, project_id: str, since_us: int) -> list[NoticeRow]:
    """What a project was told from an instant on, oldest first."""
    columns = (_history.c.seq, _history.c.project_id, _history.c.at_us, _history.c.state, _history.c.notice)
    wanted = select(*columns).where(
        _history.c.project_id == project_id, _history.c.at_us >= since_us, _history.c.notice.is_not(None)
    )
    return [NoticeRow(*row) for row in connection.execute(wanted.order_by(_history.c.seq))]
