"""Epochs: a leader that was deposed without noticing must not write. The lock itself is `Database.lead`.

The leader takes an epoch once and checks it in every transaction that only a leader may write. Writing transactions
come one after the other, so an epoch that holds at the check still holds at the commit.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from store import schema
from store.bulk import Bulk
from store.errors import Deposed

_leader = schema.leader
_ACQUIRE = Bulk(
    "INSERT INTO leader (name, epoch, holder) VALUES (?, 1, ?) "
    "ON CONFLICT (name) DO UPDATE SET epoch = leader.epoch + 1, holder = excluded.holder"
)


def acquire(connection: Connection, name: str, holder: str) -> int:
    """Begin a new epoch of this name for `holder` (any words that tell people who it is); deposes the one before."""
    _ACQUIRE(connection, [(name, holder)])
    return int(connection.execute(select(_leader.c.epoch).where(_leader.c.name == name)).scalar_one())


def hold(connection: Connection, name: str, epoch: int) -> None:
    """Go on only as the leader of this epoch. Raises `Deposed` when another epoch has begun, or none ever did."""
    row = connection.execute(select(_leader.c.epoch, _leader.c.holder).where(_leader.c.name == name)).one_or_none()
    if row is None:
        raise Deposed(f"nobody has ever led {name}")
    if row.epoch != epoch:
        raise Deposed(f"{row.holder} leads {name} in epoch {row.epoch}; epoch {epoch} is over")
