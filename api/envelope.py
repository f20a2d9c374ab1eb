"""The outermost layer of every request: a request id, the limit on the body, and the last word on unhandled faults."""

from __future__ import annotations

import logging
import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import problem_answer
from dispatcher.model import Refusal

_LOG = logging.getLogger("api")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")


class BodyTooLarge(HTTPException):
    """The body grew past the limit while it was read; an HTTPException, so that no layer turns it into another."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The body is longer than {limit} bytes; nothing of it was used.")
        self.limit = limit


class Envelope:
    """ASGI middleware. Never reads more than one chunk beyond `body_bytes`, whatever the client announced."""

    def __init__(self, app: ASGIApp, body_bytes: int) -> None:
        self._app = app
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; everything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                sent = MutableHeaders(scope=message)
                sent["x-request-id"] = request_id
                sent["x-content-type-options"] = "nosniff"  # circuits and results are never pages
            await send(message)

        refusal = self._refusal(headers)
        try:
            if refusal is None:
                await self._app(scope, self._bounded(receive), send_marked)
                return
        except ClientDisconnect:
            return
        except BodyTooLarge:
            refusal = too_large(self._body_bytes)
        except Exception:
            _LOG.exception("unhandled fault in %s %s", scope["method"], scope["path"], extra={"request_id": request_id})
            if started:
                raise  # half an answer is out: only breaking the connection tells the client
            refusal = Refusal("internal", "The service failed on this request; the request id leads to the cause.")
        close = {"connection": "close"}  # the rest of the body stays unread
        await problem_answer(Request(scope), refusal, close)(scope, receive, send_marked)

    def _refusal(self, headers: Headers) -> Refusal | None:
        announced = headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > self._body_bytes:
            return too_large(self._body_bytes)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            return Refusal("unsupported_media_type", "Request bodies are read without Content-Encoding.")
        return None

    def _bounded(self, receive: Receive) -> Receive:
        read = 0

        async def receive_bounded() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > self._body_bytes:
                    raise BodyTooLarge(self._body_bytes)
            return message

        return receive_bounded


def too_large(limit: int) -> Refusal:
    """The refusal of a body over `limit` bytes."""
    return Refusal(
        "body_too_large", f"The body is longer than {limit} bytes; nothing of it was used.", {"limit": limit}
    )


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.match(given) else f"req_{secrets.token_hex(8)}"
