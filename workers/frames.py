"""Messages between this process and its children: a JSON header and raw bytes, both with their length in front."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

_LENGTHS = struct.Struct(">II")

FRAME_BYTES_MAX = 1 << 31
"""A frame longer than this is not one of ours."""


class BrokenStream(Exception):  # noqa: N818 - names the state of the stream, not an error of ours
    """What arrived is no frame: the other side is broken or hostile, and nothing more from it can be trusted."""


class Frame(NamedTuple):
    """One message."""

    header: dict[str, Any]
    body: bytes


def encode(header: Mapping[str, Any], body: bytes = b"") -> bytes:
    """The frame's bytes. The header holds plain JSON values only."""
    head = orjson.dumps(header)
    return b"".join((_LENGTHS.pack(len(head), len(body)), head, body))


class FrameReader:
    """Cuts a byte stream into frames; keeps what is incomplete for the next call."""

    __slots__ = ("_buffer", "_bytes_max")

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        """`bytes_max`: the longest frame believed; a child that turned hostile must not fill the parent's memory."""
        self._buffer = bytearray()
        self._bytes_max = bytes_max

    def feed(self, received: bytes) -> list[Frame]:
        """The frames completed by `received`, in order. Raises BrokenStream."""
        buffer = self._buffer
        buffer += received
        frames: list[Frame] = []
        start = 0
        while len(buffer) - start >= _LENGTHS.size:
            head_length, body_length = _LENGTHS.unpack_from(buffer, start)
            if head_length + body_length > self._bytes_max:
                raise BrokenStream(f"a frame of {head_length + body_length} bytes; at most {self._bytes_max} are read")
            head_at = start + _LENGTHS.size
            body_at = head_at + head_length
            end = body_at + body_length
            if len(buffer) < end:
                break
            frames.append(Frame(_header(bytes(buffer[head_at:body_at])), bytes(buffer[body_at:end])))
            start = end
        if start:
            del buffer[:start]
        return frames


def _header(head: bytes) -> dict[str, Any]:
    try:
        header = orjson.loads(head)
    except orjson.JSONDecodeError as error:
        raise BrokenStream(f"a header that is no JSON: {error}") from error
    if not isinstance(header, dict) or not isinstance(header.get("is"), str):
        raise BrokenStream("a header without the word that says what it is")
    return header
