"""Workers as they join, are seen, and are lost."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from store import schema
from store.bulk import Bulk, insert_text
from store.columns import to_json
from store.rows import WorkerRow

_workers = schema.workers
_UPSERT = Bulk(
    insert_text(_workers)
    + " ON CONFLICT (id) DO UPDATE SET host = excluded.host, pid = excluded.pid, slots = excluded.slots, "
    "pipeline = excluded.pipeline, backends = excluded.backends, state = excluded.state, "
    "joined_us = excluded.joined_us, seen_us = excluded.seen_us"
)


def upsert_worker(connection: Connection, worker: WorkerRow) -> None:
    """Write a worker that joins, for the first time or again."""
    values = (
        worker.id,
        worker.host,
        worker.pid,
        worker.slots,
        worker.pipeline,
        to_json(worker.backends),
        worker.state,
        worker.joined_us,
        worker.seen_us,
    )
    _UPSERT(connection, [values])


def seen(connection: Connection, worker_id: str, at_us: int) -> bool:
    """Note a heartbeat; False when the worker is unknown or lost and has to join again. Time never goes back."""
    done = connection.execute(
        update(_workers)
        .where(_workers.c.id == worker_id, _workers.c.state == "up", _workers.c.seen_us <= at_us)
        .values(seen_us=at_us)
    )
    if done.rowcount == 1:
        return True
    state = connection.execute(select(_workers.c.state).where(_workers.c.id == worker_id)).scalar_one_or_none()
    return state == "up"


def mark_lost(connection: Connection, worker_id: str) -> None:
    """Note that a worker is given up; its attempts are the scheduler's business. Unknown workers are passed over."""
    connection.execute(update(_workers).where(_workers.c.id == worker_id).values(state="lost"))


def list_workers(connection: Connection) -> list[WorkerRow]:
    """All workers that ever joined, in the order of their ids."""
    return [WorkerRow(*row) for row in connection.execute(select(_workers).order_by(_workers.c.id))]
