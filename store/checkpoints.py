"""Signed checkpoints, and the public keys that they are signed by. Checkpoints are written once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from store import meta, schema
from store.bulk import Bulk, insert_text
from store.rows import CheckpointRow

_checkpoints = schema.checkpoints
_INSERT = Bulk(insert_text(_checkpoints))
_KEYS = "ledger_keys"
_HANDOVERS = "ledger_handovers"


def insert_checkpoint(connection: Connection, row: CheckpointRow) -> None:
    """Write a checkpoint. Raises `Duplicate` when there is one of this size."""
    _INSERT(connection, [(row.size, row.root, row.at_us, row.note)])


def newest(connection: Connection) -> CheckpointRow | None:
    """The checkpoint over the most entries; None when nothing has been signed yet."""
    row = connection.execute(select(_checkpoints).order_by(_checkpoints.c.size.desc()).limit(1)).one_or_none()
    return None if row is None else CheckpointRow(*row)


def checkpoint_of(connection: Connection, size: int) -> CheckpointRow | None:
    """The checkpoint over exactly `size` entries, or None."""
    row = connection.execute(select(_checkpoints).where(_checkpoints.c.size == size)).one_or_none()
    return None if row is None else CheckpointRow(*row)


def all_checkpoints(connection: Connection) -> Iterator[CheckpointRow]:
    """Every checkpoint, the smallest first; streamed."""
    found = connection.execute(select(_checkpoints).order_by(_checkpoints.c.size), execution_options={"yield_per": 500})
    for row in found:
        yield CheckpointRow(*row)


def keys(connection: Connection) -> list[str]:
    """The public keys that have signed checkpoints of this ledger, one text each; empty before the first."""
    return list(meta.get(connection, _KEYS) or ())


def put_keys(connection: Connection, texts: Sequence[str]) -> None:
    """Write down the public keys that sign this ledger's checkpoints."""
    meta.put(connection, _KEYS, list(texts))


def handovers(connection: Connection) -> list[str]:
    """The signed notes of every change of keys, in order; empty before the first."""
    return list(meta.get(connection, _HANDOVERS) or ())


def put_handovers(connection: Connection, notes: Sequence[str]) -> None:
    """Write down the changes of keys."""
    meta.put(connection, _HANDOVERS, list(notes))
