"""Event streams (SSE): every change of a job, or of all jobs of a project and what warns it, as it is committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api import shapes
from api.answers import as_bytes
from api.auth import Visit, Visitor, known_form
from api.openapi import documented
from api.schemas.answers import Change
from api.schemas.fields import INTEGER_MAX
from api.waiting import job_of
from api.watch import Row, Waiter
from store.rows import HistoryRow, NoticeRow

router = APIRouter(tags=["events"])

LastEventId = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, le=INTEGER_MAX, description="Resume after this event; browsers send it."),
]
_PAGE = 500
_HELLO = b"retry: 2000\n\n"
_HEARTBEAT = b": still here\n\n"


class EventStream(StreamingResponse):
    """Server-sent events; gives its seat and its waiter back however it ends."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], held: AsyncExitStack) -> None:
        super().__init__(events, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the stream ends or the client goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._held.aclose()


def _documented(*refuses: str, events: str = "Events named job; their data is a Change.") -> dict[str, Any]:
    arguments = documented(told={200: Change}, refuses=(*refuses, "invalid_request", "too_many_streams"))
    example = 'id: 42\nevent: job\ndata: {"id":"job_01J8Z3V7Q4M2","state":"running","version":2}\n\n'
    schema = {"type": "string", "description": events}
    arguments["responses"][200] = {
        "description": "A stream that goes on until the job has ended, the client leaves or the token ends.",
        "content": {"text/event-stream": {"schema": schema, "example": example}},
    }
    arguments["response_class"] = EventStream
    return arguments


@router.get("/v1/jobs/{job_id}/events", summary="Follow a job", **_documented("not_found"))
async def follow_job(visit: Visitor, job_id: str, last_event_id: LastEventId = None) -> Response:
    """All changes of the job from its first (or after Last-Event-ID) to its end; 204 when nothing is left to tell."""
    async with AsyncExitStack() as stack:
        stack.enter_context(visit.desk.seat(visit.caller))
        job = await job_of(visit, known_form(job_id, "job"))
        waiter = await stack.enter_async_context(visit.desk.watch.waiter(job_id=job.id))
        past = await visit.desk.read(visit.room.history, visit.caller, job.id)
        past = [row for row in past if row.seq > (last_event_id or 0)]
        if not past and job.state in shapes.ENDED:
            return Response(status_code=204)
        return EventStream(_job_events(visit, waiter, past), stack.pop_all())
    raise AssertionError  # the stack swallows nothing


_OF_PROJECT = (
    "Events named job; their data is a Change. Events named quota_warning, when 80 or 95 % of a project's grants have "
    "come to be spent or held: their data is a QuotaWarning with the instant in `at_us` and `at`."
)


@router.get("/v1/events", summary="Follow all jobs of a project", **_documented(events=_OF_PROJECT))
async def follow_project(visit: Visitor, last_event_id: LastEventId = None) -> Response:
    """Changes and warnings from now on, or after Last-Event-ID; of all projects for operators and auditors."""
    async with AsyncExitStack() as stack:
        stack.enter_context(visit.desk.seat(visit.caller))
        waiter = await stack.enter_async_context(visit.desk.watch.waiter(project_id=visit.caller.project_id))
        return EventStream(_project_events(visit, waiter, last_event_id), stack.pop_all())
    raise AssertionError  # the stack swallows nothing


async def _job_events(visit: Visit, waiter: Waiter, past: Sequence[HistoryRow]) -> AsyncIterator[bytes]:
    yield _HELLO
    last = 0
    for step in past:
        yield _event(step)
        last = step.seq
        if step.state in shapes.ENDED:
            return
    async for rows in _live(visit, waiter):
        for row in rows:
            if row.seq > last:
                yield _event(row)
            if isinstance(row, HistoryRow) and row.state in shapes.ENDED:
                return
        if not rows:
            yield _HEARTBEAT


async def _project_events(visit: Visit, waiter: Waiter, last_event_id: int | None) -> AsyncIterator[bytes]:
    yield _HELLO
    last = last_event_id or 0
    while last_event_id is not None:
        page = await visit.desk.read(visit.room.history_since, visit.caller, last, _PAGE)
        for row in page:
            yield _event(row)
            last = row.seq
        if len(page) < _PAGE:
            break
    async for rows in _live(visit, waiter):
        for row in rows:
            if row.seq > last:
                yield _event(row)
        if not rows:
            yield _HEARTBEAT


async def _live(visit: Visit, waiter: Waiter) -> AsyncIterator[list[Row]]:
    """What comes in, an empty list at each quiet heartbeat; ends with the token, the service, or a slow reader."""
    heartbeat_s, loop = visit.desk.limits.heartbeat_s, asyncio.get_running_loop()
    check_at_s = loop.time() + heartbeat_s
    while not waiter.released and not waiter.overrun:
        yield await waiter.take(heartbeat_s)
        if loop.time() >= check_at_s:
            if not await visit.still_valid():
                return
            check_at_s = loop.time() + heartbeat_s


def _event(row: Row) -> bytes:
    if isinstance(row, NoticeRow):
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (row.seq, row.kind.encode(), as_bytes(shapes.notice(row)))
    told = {**shapes.change(row), "project_id": row.project_id}
    return b"id: %d\nevent: job\ndata: %s\n\n" % (row.seq, as_bytes(told))
