"""The outermost layer: request ids, the limit on bodies however they come, and faults nobody else caught."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.envelope import Envelope
from api.limits import ApiLimits

LIMIT = 1_000


class Talk:
    """One request to an application, message by message, and what came back."""

    def __init__(self, *chunks: bytes, **headers: str) -> None:
        self.unread = list(chunks or [b""])
        self.sent: list[Message] = []
        self.scope: Scope = {
            "type": "http",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/jobs",
            "query_string": b"",
            "server": ("house", 80),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }

    async def receive(self) -> Message:
        if not self.unread:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.unread.pop(0), "more_body": bool(self.unread)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def with_app(self, app: Any) -> Talk:
        asyncio.run(Envelope(app, LIMIT)(self.scope, self.receive, self.send))
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> Any:
        return orjson.loads(self.sent[1]["body"])


async def swallow(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def test_a_body_up_to_the_limit_passes() -> None:
    talk = Talk(b"x" * 400, b"x" * 600, content_length="1000").with_app(swallow)
    assert (talk.status, talk.sent[1]["body"]) == (200, b"1000")


def test_a_body_that_announces_too_much_is_not_read_at_all() -> None:
    talk = Talk(b"x" * 1_001, content_length="1001").with_app(swallow)
    assert (talk.status, talk.body["code"], talk.body["limit"]) == (413, "body_too_large", LIMIT)
    assert talk.headers["connection"] == "close"
    assert len(talk.unread) == 1


@pytest.mark.parametrize("announced", ["9" * 19, "9" * 400])
def test_a_length_beyond_integers_is_too_much(announced: str) -> None:
    assert Talk(content_length=announced).with_app(swallow).status == 413


def test_a_body_without_a_length_is_read_up_to_the_limit_and_no_further() -> None:
    talk = Talk(*[b"x" * 300] * 10, transfer_encoding="chunked").with_app(swallow)
    assert (talk.status, talk.body["code"], len(talk.unread)) == (413, "body_too_large", 6)


def test_a_body_in_an_encoding_is_refused_rather_than_misread() -> None:
    talk = Talk(b"\x1f\x8b", content_encoding="gzip").with_app(swallow)
    assert (talk.status, talk.body["code"]) == (415, "unsupported_media_type")
    assert Talk(b"x", content_encoding="identity").with_app(swallow).status == 200


@pytest.mark.parametrize("given", ["mine", "a-b_c.d:e", "x" * 64])
def test_a_request_id_is_given_back(given: str) -> None:
    assert Talk(x_request_id=given).with_app(swallow).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "<script>"])
def test_an_odd_request_id_is_replaced(given: str) -> None:
    found = Talk(x_request_id=given).with_app(swallow).headers["x-request-id"]
    assert found.startswith("req_")
    assert len(found) == 20


def test_nothing_is_to_be_guessed_a_page() -> None:
    assert Talk().with_app(swallow).headers["x-content-type-options"] == "nosniff"


def test_two_requests_have_two_ids() -> None:
    assert Talk().with_app(swallow).headers["x-request-id"] != Talk().with_app(swallow).headers["x-request-id"]


def test_an_unhandled_fault_is_answered_and_logged_under_its_id(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("secret")

    talk = Talk(x_request_id="mine").with_app(broken)
    assert (talk.status, talk.body["code"], talk.body["request_id"]) == (500, "internal", "mine")
    assert "secret" not in str(talk.sent)
    assert [record.getMessage() for record in caplog.records] == ["unhandled fault in POST /v1/jobs"]


def test_a_fault_in_the_middle_of_an_answer_breaks_the_connection() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half")

    with pytest.raises(RuntimeError, match="half"):
        Talk().with_app(half)


def test_a_client_that_hangs_up_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    assert Talk().with_app(waits).sent == []
    assert caplog.records == []


def test_other_protocols_pass() -> None:
    seen: list[str] = []

    async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    talk = Talk()
    talk.scope = {"type": "lifespan"}
    talk.with_app(lifespan)
    assert seen == ["lifespan"]


@pytest.fixture
def url(serve: Any) -> str:
    return str(serve.start(ApiLimits(body_bytes=10_000)))


def test_over_the_wire_an_endless_chunked_body_is_cut_off(url: str, house: Any) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1_000
            yield b" " * 1_000

    answer = httpx.post(f"{url}/v1/jobs", content=endless(), headers=house.headers("member of moz"))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["content-type"] == "application/problem+json"
    assert 10_000 < taken < 10_000_000


def test_over_the_wire_an_announced_giant_is_answered_at_once(url: str, house: Any) -> None:
    host, port = url.removeprefix("http://").split(":")
    token = house.secrets["member of moz"]
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            f"POST /v1/jobs HTTP/1.1\r\nhost: house\r\nauthorization: Bearer {token}\r\n"
            "content-length: 99999999999\r\n\r\n".encode()
        )
        answer = line.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body_too_large"' in answer


def test_a_body_without_a_token_is_not_even_read(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(b"POST /v1/jobs HTTP/1.1\r\nhost: house\r\ncontent-length: 5000\r\n\r\n")
        answer = line.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 401 ")
