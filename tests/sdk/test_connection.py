"""What is repeated and what is not, what errors become, and that a fork shares no socket."""

from __future__ import annotations

import copy
import json
import os
import pickle
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from qubator.connection import Connection, segment
from qubator.errors import Conflict, NotFound, QubatorError, RateLimited, Refused, Unavailable
from qubator.profile import Settings


def test_a_request_carries_token_key_and_json(script: Any) -> None:
    script.say(script.answer(201, {"id": "job_1"}))
    reply = script.connection().request("POST", "/v1/jobs", body={"ü": [1, 2.5]}, key="K")
    assert (reply.status, reply.body) == (201, {"id": "job_1"})
    (request,) = script.requests
    assert request.headers["Authorization"] == "Bearer qb_secret"
    assert request.headers["Idempotency-Key"] == "K"
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == '{"ü":[1,2.5]}'.encode()


@pytest.mark.parametrize("failure", [429, 502, 503, 504])
def test_a_passing_failure_is_tried_again_with_the_same_key_and_bytes(script: Any, failure: int) -> None:
    script.say(script.problem(failure, "busy"), script.problem(failure, "busy"), script.answer(200, {}))
    script.connection().request("POST", "/v1/jobs", body={"a": 1}, key="K")
    assert script.slept_s == [0.05, 0.1]
    assert {(request.headers["Idempotency-Key"], request.content) for request in script.requests} == {("K", b'{"a":1}')}


def test_retry_after_is_obeyed(script: Any) -> None:
    script.say(script.problem(503, "unavailable", retry_after_s=4), script.answer(200, {}))
    script.connection(draw=0.0).request("GET", "/v1/me")
    assert script.slept_s == [4.0]


def test_a_retry_after_beyond_the_total_limit_fails_at_once(script: Any) -> None:
    script.say(script.problem(429, "queue_full", retry_after_s=90))
    with pytest.raises(RateLimited) as caught:
        script.connection(total_s=60).request("GET", "/v1/me")
    assert (caught.value.retry_after_s, script.slept_s) == (90.0, [])


def test_trying_ends_at_the_total_limit(script: Any) -> None:
    script.say(*[script.problem(503, "unavailable", retry_after_s=1) for _ in range(3)])
    with pytest.raises(Unavailable):
        script.connection(total_s=3.0, draw=0.0).request("GET", "/v1/me")
    assert script.slept_s == [1.0, 1.0]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 500])
def test_a_clear_no_is_never_repeated(script: Any, status: int) -> None:
    script.say(script.problem(status, "no"))
    with pytest.raises(QubatorError):
        script.connection().request("GET", "/v1/me")
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "lost", [httpx.ReadError("reset"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut")]
)
def test_an_unknown_outcome_is_repeated_only_under_a_key(script: Any, lost: Exception) -> None:
    script.say(lost, script.answer(200, {}))
    script.connection().request("POST", "/v1/jobs", body={}, key="K")
    script.say(lost)
    with pytest.raises(Unavailable, match="no answer from"):
        script.connection().request("POST", "/v1/grants", body={})
    assert len(script.requests) == 3


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateways_silence_may_have_been_carried_out_so_no_repeat_without_a_key(script: Any, status: int) -> None:
    script.say(script.problem(status, "gateway"))
    with pytest.raises(Unavailable):
        script.connection().request("POST", "/v1/grants", body={})


@pytest.mark.parametrize("first", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), 429, 503])
def test_what_surely_did_nothing_is_repeated_even_without_a_key(script: Any, first: int | Exception) -> None:
    script.say(script.problem(first, "busy") if isinstance(first, int) else first, script.answer(201, {"id": "grt_1"}))
    assert script.connection().request("POST", "/v1/grants", body={}).body == {"id": "grt_1"}


def test_errors_carry_the_problem(script: Any) -> None:
    script.say(script.problem(422, "circuit_invalid", line=3))
    with pytest.raises(Refused) as caught:
        script.connection().request("POST", "/v1/jobs", body={}, key="K")
    assert (caught.value.code, caught.value.fields) == ("circuit_invalid", {"line": 3})


def test_an_address_that_is_no_qubator_says_so(script: Any) -> None:
    script.say(httpx.Response(200, content=b"<html>"), httpx.Response(301, headers={"Location": "https://x.example"}))
    with pytest.raises(QubatorError, match="is this the address of a Qubator service"):
        script.connection().request("GET", "/v1/me")
    with pytest.raises(QubatorError, match=r"redirects to https://x\.example"):
        script.connection().request("GET", "/v1/me")


def test_numbers_that_json_cannot_carry_are_refused_before_sending(script: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        script.connection().request("POST", "/v1/jobs", body={"x": float("nan")}, key="K")


def test_a_held_request_may_take_longer(script: Any) -> None:
    script.say(script.answer(200, {}))
    script.connection().request("GET", "/v1/jobs/j", params={"wait": 20}, wait_s=20.0)
    assert script.requests[0].extensions["timeout"]["read"] == 50.0


def test_ids_stay_one_segment_of_the_path() -> None:
    assert segment("../me?x=1") == "..%2Fme%3Fx%3D1"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.sockets: set[tuple[str, int]] = set()


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.sockets.add(self.client_address)
        content = json.dumps({"socket": self.client_address[1]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


def _connection(server: _Server) -> Connection:
    return Connection(Settings(f"http://127.0.0.1:{server.server_address[1]}", "qb_x"))


def test_one_socket_serves_request_after_request(server: _Server) -> None:
    connection = _connection(server)
    assert len({connection.request("GET", "/").body["socket"] for _ in range(5)}) == 1
    connection.close()


def test_a_forked_child_opens_its_own_socket_and_the_parent_keeps_its(server: _Server) -> None:
    connection = _connection(server)
    before = connection.request("GET", "/").body["socket"]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(connection.request("GET", "/").body["socket"]).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    in_child = int(os.read(reader, 100))
    os.close(reader)
    assert in_child != before
    assert connection.request("GET", "/").body["socket"] == before
    connection.close()


def test_threads_that_start_together_end_up_with_one_pool(server: _Server) -> None:
    connection = _connection(server)
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        connection.request("GET", "/")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(connection._pools) == 1
    connection.close()


def test_a_connection_is_pickled_without_sockets_and_deep_copied_as_itself(server: _Server) -> None:
    connection = _connection(server)
    connection.request("GET", "/")
    twin = pickle.loads(pickle.dumps(connection))
    assert twin._pools == {}
    assert twin.request("GET", "/").status == 200
    assert copy.deepcopy(connection) is connection
    twin.close()
    connection.close()


def test_no_listener_is_unavailable_not_a_stack_of_socket_errors() -> None:
    connection = Connection(
        Settings("http://127.0.0.1:9", "qb_x"), sleep=lambda _: None, clock=iter([0.0, 99.0]).__next__
    )
    with pytest.raises(Unavailable, match=r"no answer from http://127\.0\.0\.1:9"):
        connection.request("GET", "/")


def test_conflicts_are_conflicts(script: Any) -> None:
    script.say(script.problem(409, "idempotency_conflict"))
    with pytest.raises(Conflict):
        script.connection().request("POST", "/v1/jobs", body={}, key="K")


def test_without_a_token_no_empty_one_is_sent(script: Any) -> None:
    script.say(script.answer(200, {}))
    connection = Connection(Settings("http://x.example", ""), transport=httpx.MockTransport(script.serve))
    connection.request("GET", "/v1/version")
    assert "Authorization" not in script.requests[0].headers


def test_whoever_waits_is_told_once_what_for(script: Any) -> None:
    script.say(*[script.problem(503, "unavailable", retry_after_s=1) for _ in range(3)], script.answer(200, {}))
    connection, told = script.connection(), []
    connection.on_wait = lambda failure, seconds: told.append((failure.code, seconds))
    connection.request("GET", "/v1/jobs")
    assert told == [("unavailable", 60.0)]
    script.say(script.problem(404, "not_found"))
    with pytest.raises(NotFound):
        connection.request("GET", "/v1/jobs")
    assert len(told) == 1, "what is not tried again is no wait"
