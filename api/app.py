"""Builds the HTTP application around a room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import faults, openapi
from api.desk import Desk
from api.envelope import Envelope
from api.limits import ApiLimits
from api.port import RoomPort
from api.routes import (
    backends,
    batches,
    engines,
    events,
    facility,
    funding,
    jobs,
    ledger,
    money,
    people,
    reports,
    results,
)

_TAGS = [
    {"name": "jobs", "description": "Circuits in, results out."},
    {"name": "events", "description": "Changes as they happen (server-sent events)."},
    {"name": "backends", "description": "What runs circuits."},
    {"name": "people", "description": "Projects, members and tokens."},
    {"name": "funding", "description": "Funders, programmes, grants, balances."},
    {"name": "reports", "description": "Statements, reports to funders, exports, closed months."},
    {"name": "ledger", "description": "What proves that the books have not been changed."},
    {"name": "facility", "description": "Health, version, problems."},
]

_ROUTES = (batches, jobs, results, events, backends, engines, people, funding, money, reports, ledger, facility)


def create_app(room: RoomPort, *, limits: ApiLimits | None = None) -> FastAPI:
    """The application that serves `room`. It owns nothing: whoever made the room closes it, after the application.

    Call `release_waiters(app)` when the server begins to stop: long polls and streams then end by themselves.
    """
    desk = Desk.of(room, limits or ApiLimits())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await desk.watch.close()

    app: FastAPI = FastAPIOffline(
        title="Qubator",
        version="1",
        description=openapi.DESCRIPTION,
        openapi_tags=_TAGS,
        lifespan=lifespan,
        redirect_slashes=False,
        swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
    )
    app.state.desk = desk
    faults.install(app)
    openapi.install(app)
    routers = [each.router for each in _ROUTES]
    for router in routers:
        app.include_router(router)
    app.state.routes = [route for router in routers for route in router.routes]
    app.add_middleware(Envelope, body_bytes=desk.limits.body_bytes)
    return app


def release_waiters(app: FastAPI) -> None:
    """Let every long poll and event stream of `app` end now, so that a server that stops need not wait for them.

    Call it on the event loop of the server.
    """
    desk = app.state.desk
    assert isinstance(desk, Desk)
    desk.watch.release()
