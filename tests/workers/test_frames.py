"""Frames survive any cutting of the stream, and nothing that is no frame gets through."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.frames import BrokenStream, Frame, FrameReader, encode

MESSAGES = st.lists(
    st.tuples(st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3), st.binary(max_size=40))
)


def test_a_frame_comes_back_as_it_was_sent() -> None:
    sent = encode({"is": "order", "key": ["job/0.1", 7]}, b"\x00\xff")
    assert FrameReader().feed(sent) == [Frame({"is": "order", "key": ["job/0.1", 7]}, b"\x00\xff")]


@given(MESSAGES, st.lists(st.integers(1, 60), min_size=1))
def test_frames_do_not_mind_where_the_stream_is_cut(
    messages: list[tuple[dict[str, int], bytes]], cuts: list[int]
) -> None:
    sent = [Frame({**header, "is": "said"}, body) for header, body in messages]
    stream = b"".join(encode(frame.header, frame.body) for frame in sent)
    reader, arrived, start, turn = FrameReader(), [], 0, 0
    while start < len(stream):
        size = cuts[turn % len(cuts)]
        arrived += reader.feed(stream[start : start + size])
        start, turn = start + size, turn + 1
    assert arrived == sent


def test_an_incomplete_frame_waits() -> None:
    sent = encode({"is": "hello"}, b"body")
    reader = FrameReader()
    assert reader.feed(sent[:-1]) == []
    assert reader.feed(sent[-1:]) == [Frame({"is": "hello"}, b"body")]


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (struct.pack(">II", 4, 97) + b"{}", "a frame of 101 bytes; at most 100 are read"),
        (struct.pack(">II", 3, 0) + b"{]}", "a header that is no JSON"),
        (struct.pack(">II", 2, 0) + b"[]", "a header without the word that says what it is"),
        (struct.pack(">II", 8, 0) + b'{"is":3}', "a header without the word that says what it is"),
    ],
)
def test_what_is_no_frame_is_refused(stream: bytes, said: str) -> None:
    with pytest.raises(BrokenStream, match=said):
        FrameReader(bytes_max=100).feed(stream)
