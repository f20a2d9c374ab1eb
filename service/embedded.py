"""The whole service inside another process, on a free port: for tests, notebooks and benchmarks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatcher.model import Caller
from dispatcher.room import Room
from scheduler.policy import Policy
from service.settings import Settings
from service.wiring import Roles, Service

CONSOLE = Caller(member_id="console", project_id=None, role="operator", token_id="console")  # noqa: S106
"""Who acts when an operator sits at the machine itself."""


@dataclass(frozen=True)
class Embedded:
    """A running service: its address, a first operator's token (None on a second start), and its room."""

    url: str
    operator_token: str | None
    room: Room
    service: Service


@contextmanager
def embedded(data: Path, *, policy: Policy | None = None, **settings: Any) -> Iterator[Embedded]:
    """Run API, dispatcher and local workers until the block ends. `settings` as in service.settings.Settings."""
    from service.http import HttpServer, bind

    service = Service(Settings(data=data, **settings), Roles(serve=True, dispatch=True, work=True), policy=policy)
    token = service.room.first_operator()
    listener = bind("127.0.0.1", 0)
    server = HttpServer(service.app(), listener)
    service.start()
    thread = threading.Thread(target=server.serve_until_stopped, name="http", daemon=True)
    thread.start()
    try:
        yield Embedded(f"http://127.0.0.1:{listener.getsockname()[1]}", token, service.room, service)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        service.stop()
