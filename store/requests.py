"""Acts that wait for a second operator."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from store import schema
from store.rows import RequestRow, RequestState

_requests = schema.requests


def insert_request(connection: Connection, request: RequestRow) -> None:
    """Write a new request. Raises `Duplicate` for a known id."""
    connection.execute(
        insert(_requests).values(
            id=request.id,
            kind=request.kind,
            subject=request.subject,
            body=request.body,
            reason=request.reason,
            asked_by=request.asked_by,
            asked_us=request.asked_us,
            state=request.state,
        )
    )


def get_request(connection: Connection, request_id: str) -> RequestRow | None:
    """One request, or None. In a writing transaction it is locked."""
    wanted = select(_requests).where(_requests.c.id == request_id)
    if connection.get_execution_options().get("writes"):
        wanted = wanted.with_for_update()
    row = connection.execute(wanted).one_or_none()
    return None if row is None else RequestRow(*row)


def list_requests(connection: Connection, state: RequestState | None) -> list[RequestRow]:
    """Requests of a state, or all, oldest first."""
    wanted = select(_requests).order_by(_requests.c.asked_us, _requests.c.id)
    if state is not None:
        wanted = wanted.where(_requests.c.state == state)
    return [RequestRow(*row) for row in connection.execute(wanted)]


def decide(connection: Connection, request_id: str, state: RequestState, by: str, at_us: int) -> None:
    """Close an open request. Raises LookupError when it is not open."""
    chosen = (_requests.c.id == request_id) & (_requests.c.state == "open")
    done = connection.execute(update(_requests).where(chosen).values(state=state, decided_by=by, decided_us=at_us))
    if done.rowcount != 1:
        raise LookupError(f"request {request_id} is not open")
