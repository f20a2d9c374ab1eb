"""What shadow runs and operators say of engines. One that nobody has spoken of has no row and is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from sqlalchemy import Connection, insert, select

from store import schema
from store.bulk import Bulk, insert_text
from store.rows import DisagreementRow, EngineRow, EngineState

_engines, _disagreements = schema.engines, schema.disagreements
_JUDGE = Bulk(
    insert_text(_engines) + " ON CONFLICT (name) DO UPDATE SET state = excluded.state, reason = excluded.reason, "
    "changed_us = excluded.changed_us"
)
_COUNT = Bulk(
    insert_text(_engines) + " ON CONFLICT (name) DO UPDATE SET compared = engines.compared + excluded.compared, "
    "disagreed = engines.disagreed + excluded.disagreed"
)


def set_state(connection: Connection, name: str, state: str, reason: str, at_us: int) -> None:
    """Write the verdict on an engine over the one before. Raises ValueError for a state that does not exist."""
    if state not in get_args(EngineState):
        raise ValueError(f"an engine is {' or '.join(get_args(EngineState))}, not {state}")
    _JUDGE(connection, [(name, state, reason, at_us, 0, 0)])


def count(connection: Connection, compared: Mapping[str, int], disagreed: Mapping[str, int]) -> None:
    """Add to how often the answers of engines were compared, and how often another one disagreed."""
    rows = [(name, "trusted", "", 0, times, disagreed.get(name, 0)) for name, times in sorted(compared.items())]
    _COUNT(connection, rows)


def list_engines(connection: Connection) -> list[EngineRow]:
    """All that was ever said of engines, in the order of their names."""
    return [EngineRow(*row) for row in connection.execute(select(_engines).order_by(_engines.c.name))]


def quarantined(connection: Connection) -> tuple[str, ...]:
    """The engines that must not be used, in the order of their names."""
    wanted = select(_engines.c.name).where(_engines.c.state == "quarantined").order_by(_engines.c.name)
    return tuple(connection.scalars(wanted))


def add_disagreement(connection: Connection, at_us: int, job_id: str, finding: Mapping[str, Any]) -> None:
    """Keep a finding for the operators to read."""
    connection.execute(insert(_disagreements).values(at_us=at_us, job_id=job_id, finding=dict(finding)))


def list_disagreements(connection: Connection, limit: int, *, before_seq: int | None = None) -> list[DisagreementRow]:
    """The newest first; `before_seq` (the last seq seen) asks for the next page."""
    wanted = select(_disagreements).order_by(_disagreements.c.seq.desc()).limit(limit)
    if before_seq is not None:
        wanted = wanted.where(_disagreements.c.seq < before_seq)
    return [DisagreementRow(*row) for row in connection.execute(wanted)]
