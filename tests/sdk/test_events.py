"""A stream of events: each once, in order, however often the connection breaks."""

from __future__ import annotations

from itertools import islice
from typing import Any

import httpx
import pytest

from qubator.errors import AuthError, Unavailable
from qubator.events import AGAIN_S, follow


def stream(*numbers: int, cut: str = "") -> httpx.Response:
    """What the service sends: a greeting, a sign of life, the events, and perhaps half of another one."""
    told = "".join(f'id: {number}\nevent: job\ndata: {{"id":"job_{number}"}}\n\n' for number in numbers)
    text = f"retry: 2000\n\n: still here\n\n{told}{cut}"
    return httpx.Response(200, content=text.encode(), headers={"Content-Type": "text/event-stream"})


def test_events_come_with_their_name_and_number(script: Any) -> None:
    script.say(stream(4, 5))
    found = list(islice(follow(script.connection()), 2))
    assert found == [{"event": "job", "seq": 4, "id": "job_4"}, {"event": "job", "seq": 5, "id": "job_5"}]
    (asked,) = script.requests
    assert (asked.url.path, asked.headers["Accept"]) == ("/v1/events", "text/event-stream")
    assert "Last-Event-ID" not in asked.headers


def test_a_stream_that_broke_is_taken_up_after_the_last_whole_event(script: Any) -> None:
    script.say(
        stream(8, cut='id: 9\nevent: job\ndata: {"id":"job_9"}\n'),
        httpx.ConnectError("nobody there"),
        script.problem(503, "unavailable", retry_after_s=3),
        stream(9),
    )
    found = list(islice(follow(script.connection(), after=7), 2))
    assert [event["seq"] for event in found] == [8, 9]
    assert [request.headers["Last-Event-ID"] for request in script.requests] == ["7", "8", "8", "8"]
    assert script.slept_s[0] >= AGAIN_S
    assert script.slept_s[2] >= 3


def test_a_service_that_stays_away_is_given_up(script: Any) -> None:
    script.say(*[httpx.ConnectError("nobody there")] * 60)
    with pytest.raises(Unavailable, match="no answer"):
        next(follow(script.connection(total_s=20.0)))
    assert script.now_s < 20
    script.answers.clear()


def test_quiet_streams_that_end_again_and_again_are_no_trouble(script: Any) -> None:
    script.say(*[stream() for _ in range(60)], stream(1))
    assert next(follow(script.connection(total_s=20.0)))["seq"] == 1
    assert script.now_s > 60 * AGAIN_S


def test_a_token_that_has_ended_is_told_at_once(script: Any) -> None:
    script.say(stream(1), script.problem(401, "token_expired"))
    events = follow(script.connection())
    next(events)
    with pytest.raises(AuthError, match="token_expired"):
        next(events)
