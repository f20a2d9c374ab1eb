"""Long polls: an answer when the job has moved, or when the time is over; no thread is held meanwhile."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Query
from starlette.requests import Request

from api.answers import refuse
from api.auth import Visit
from api.shapes import ENDED
from store.rows import HistoryRow, JobRow, NoticeRow

Wait = Annotated[float, Query(ge=0, le=60, allow_inf_nan=False, description="Seconds to wait for the job, at most 60.")]


async def job_of(visit: Visit, job_id: str) -> JobRow:
    """A job that exists for the caller. Refusal: not_found."""
    job = await visit.desk.read(visit.room.job, visit.caller, job_id)
    if job is None:
        raise refuse("not_found", f"There is no job {job_id}.", job_id=job_id)
    return job


async def job_after(
    visit: Visit, request: Request, job_id: str, *, wait_s: float, version: int | None = None
) -> JobRow:
    """The job once it has ended, or once its version is above `version`; as it stands after `wait_s` otherwise.

    Returns early when the client has gone or the service stops. Refusals: not_found, too_many_streams.
    """
    desk = visit.desk
    if wait_s <= 0:
        return await job_of(visit, job_id)
    with desk.seat(visit.caller):
        async with desk.watch.waiter(job_id=job_id) as waiter:
            job = await job_of(visit, job_id)
            if _arrived(job, version):
                return job
            loop = asyncio.get_running_loop()
            until_s = loop.time() + wait_s
            gone = loop.create_task(_gone(request))
            gone.add_done_callback(lambda _: waiter.dismiss())
            try:
                while not waiter.released and (left_s := until_s - loop.time()) > 0:
                    if any(_arrived(row, version) for row in await waiter.take(left_s)):
                        break
            finally:
                gone.cancel()
    return await job_of(visit, job_id)


def _arrived(seen: JobRow | HistoryRow | NoticeRow, version: int | None) -> bool:
    if isinstance(seen, NoticeRow):
        return False
    return seen.state in ENDED or (version is not None and seen.version > version)


async def _gone(request: Request) -> None:
    """Ends when the client hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
