"""`qubator events`, as a person and as a script read it."""

from __future__ import annotations

import json
from typing import Any

import httpx

STREAM = """\
id: 7
event: job
data: {"id":"job_1","state":"queued","reason":"submitted","at_us":1700000000000000}

id: 8
event: quota_warning
data: {"percent":80,"at_us":1700000001000000,"detail":"80 % of the grants in shots of the project are used, 8 of 10"}

"""


def streamed(script: Any) -> None:
    """The two events; then the token is over, which ends the command."""
    script.say(httpx.Response(200, content=STREAM.encode()), script.problem(401, "token_expired"))


def test_jobs_and_warnings_a_line_each(shell: Any, script: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("qubator.events.AGAIN_S", 0.0)
    streamed(script)
    code, out, err = shell("events", "--after", "6")
    assert out.splitlines() == [
        "2023-11-14 22:13:20  job_1 queued (submitted)",
        "2023-11-14 22:13:21  80 % of the grants in shots of the project are used, 8 of",
        "                     10",
    ]
    assert (code, err) == (3, "qubator: no: token_expired [token_expired]\n")
    assert [request.headers["Last-Event-ID"] for request in script.requests] == ["6", "8"]


def test_json_is_a_line_an_event(shell: Any, script: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("qubator.events.AGAIN_S", 0.0)
    streamed(script)
    _, out, _ = shell("events", "--json")
    first, second = map(json.loads, out.splitlines()[:2])
    assert (first["event"], first["seq"], first["state"]) == ("job", 7, "queued")
    assert (second["event"], second["seq"], second["percent"]) == ("quota_warning", 8, 80)
