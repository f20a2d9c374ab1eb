"""The socket and the server on it."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service import http
from service.http import HttpServer, bind


def test_what_the_server_says_goes_through_our_own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error")]
    for logger in theirs:
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "propagate", True)
    with bind("127.0.0.1", 0) as listener:
        HttpServer(FastAPI(), listener)
    assert [(logger.handlers, logger.propagate) for logger in theirs] == [([], True)] * 2


def test_a_free_port_is_bound_and_listens() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_a_taken_port_is_refused() -> None:
    with bind("127.0.0.1", 0) as listener, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", listener.getsockname()[1])


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(OSError, match="assign"):
        bind("192.0.2.1", 0)


def test_the_same_port_can_be_had_again_at_once() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, listener.accept()[0] as server:
            server.shutdown(socket.SHUT_WR)  # the server's side ends first: the port lingers
            client.recv(1)
    bind("127.0.0.1", port).close()


def test_it_serves_until_it_is_told_to_stop_and_lets_waiters_go(monkeypatch: pytest.MonkeyPatch) -> None:
    app, released, waiting = FastAPI(), threading.Event(), threading.Event()

    @app.get("/wait")
    async def wait() -> dict[str, Any]:
        waiting.set()
        for _ in range(2_000):
            if released.is_set():
                return {"released": True}
            await asyncio.sleep(0.005)
        return {"released": False}

    monkeypatch.setattr(http, "release_waiters", lambda found: released.set() if found is app else None)
    listener = bind("127.0.0.1", 0)
    server = HttpServer(app, listener)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    answers: list[httpx.Response] = []
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/wait"
    client = threading.Thread(target=lambda: answers.append(httpx.get(url, timeout=20)))
    client.start()
    assert waiting.wait(10)
    began = time.monotonic()
    server.should_exit = True
    thread.join(10)
    client.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - began < 4, "waiters are released before the time for stragglers begins"
    assert answers[0].json() == {"released": True}
    assert "server" not in answers[0].headers
