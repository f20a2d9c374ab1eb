"""The HTTP server of this process: uvicorn, told to let long polls and event streams go when it stops."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from api.app import release_waiters


class HttpServer(uvicorn.Server):
    """Serves one application on a socket that is already bound."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,  # uvicorn's own would write past ours (see telemetry)
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=75,
            backlog=2048,
        )
        super().__init__(config)
        self._app, self._listener = app, listener

    def serve_until_stopped(self) -> None:
        """Block until a signal or `should_exit` ends the server."""
        self.run(sockets=[self._listener])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Release waiters first, so that a stop takes no longer than the requests that do work."""
        release_waiters(self._app)
        await super().shutdown(sockets)


def bind(host: str, port: int) -> socket.socket:
    """A listening address. Raises OSError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
