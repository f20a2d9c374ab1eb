"""What operators have decided about backends. A backend nobody has decided about has no row and is online."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import Connection, select

from store import schema
from store.bulk import Bulk, insert_text
from store.rows import BackendRow, BackendState

_backends = schema.backends
_UPSERT = Bulk(
    insert_text(_backends) + " ON CONFLICT (name) DO UPDATE SET state = excluded.state, reason = excluded.reason, "
    "changed_us = excluded.changed_us"
)


def set_state(connection: Connection, name: str, state: str, reason: str, at_us: int) -> None:
    """Write the state of a backend over the one before. Raises ValueError for a state that does not exist."""
    if state not in get_args(BackendState):
        raise ValueError(f"a backend is {', '.join(get_args(BackendState))}, not {state}")
    _UPSERT(connection, [(name, state, reason, at_us)])


def get_state(connection: Connection, name: str) -> BackendRow | None:
    """The state of one backend, or None when nobody has decided about it."""
    row = connection.execute(select(_backends).where(_backends.c.name == name)).one_or_none()
    return None if row is None else BackendRow(*row)


def list_states(connection: Connection) -> list[BackendRow]:
    """All states that were ever decided, in the order of the names."""
    return [BackendRow(*row) for row in connection.execute(select(_backends).order_by(_backends.c.name))]
