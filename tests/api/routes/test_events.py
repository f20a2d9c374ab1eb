"""Event streams over a real socket: every change once, in order, across reconnects, until there is nothing left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest

from api.limits import ApiLimits

QUICK = ApiLimits(heartbeat_s=0.05, waiters_of_member=3)


class Stream:
    """What a browser's EventSource would see: events as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def lines(self) -> Iterator[str]:
        yield from self._lines

    def event(self) -> dict[str, Any] | None:
        """The next event, with its number; None at the end of the stream."""
        found: dict[str, Any] = {}
        for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "id":
                found["seq"] = int(value)
            elif field == "data":
                found.update(orjson.loads(value))
            elif field == "event":
                found["event"] = value
            elif not line and found:
                assert found["event"] in ("job", "quota_warning")
                return found
        return None

    def heartbeat(self) -> None:
        """Wait for a sign of life."""
        assert any(line.startswith(":") for line in self._lines)


@pytest.fixture
def url(serve: Any) -> str:
    return str(serve.start(QUICK))


@pytest.fixture
def follow(url: str, house: Any) -> Callable[..., Any]:
    @contextmanager
    def open_stream(path: str, who: str = "member of moz", **headers: str) -> Iterator[Stream]:
        asked = {**house.headers(who), **{name.replace("_", "-"): value for name, value in headers.items()}}
        with httpx.Client(base_url=url, timeout=10) as client, client.stream("GET", path, headers=asked) as response:
            yield Stream(response)

    return open_stream


@pytest.fixture
def submit(url: str, house: Any, sampler: dict[str, Any]) -> Callable[..., str]:
    def send(who: str = "member of moz") -> str:
        return str(httpx.post(f"{url}/v1/jobs", json=sampler, headers=house.headers(who)).json()["id"])

    return send


def test_a_job_is_followed_from_its_first_change_to_its_last(follow: Any, house: Any, submit: Any) -> None:
    job = submit()
    with follow(f"/v1/jobs/{job}/events") as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        first = stream.event()
        assert (first["id"], first["state"], first["version"]) == (job, "queued", 1)
        house.move(job, "running", "started")
        second = stream.event()
        assert second.pop("at_us") >= first["at_us"]
        assert second.pop("at").endswith("Z")
        assert second == {
            "event": "job",
            "seq": first["seq"] + 1,
            "id": job,
            "state": "running",
            "version": 2,
            "reason": "started",
            "project_id": house.projects["moz"],
        }
        house.finish(job)
        assert stream.event()["state"] == "succeeded"
        assert stream.event() is None


def test_an_ended_job_tells_its_story_and_then_has_nothing_to_tell(follow: Any, house: Any, submit: Any) -> None:
    job = submit()
    house.finish(job)
    with follow(f"/v1/jobs/{job}/events") as stream:
        events = [stream.event(), stream.event()]
        assert [event["state"] for event in events] == ["queued", "succeeded"]
        assert stream.event() is None
    with follow(f"/v1/jobs/{job}/events", last_event_id=str(events[0]["seq"])) as stream:
        assert [stream.event()["state"], stream.event()] == ["succeeded", None]
    with follow(f"/v1/jobs/{job}/events", last_event_id=str(events[1]["seq"])) as stream:
        assert stream.response.status_code == 204


def test_a_project_is_followed_from_now_on(follow: Any, house: Any, submit: Any) -> None:
    submit()
    with follow("/v1/events") as stream:
        stream.heartbeat()
        submit("member of lao")
        job = submit()
        house.move(job, "running")
        events = [stream.event(), stream.event()]
    assert [(event["id"], event["state"]) for event in events] == [(job, "queued"), (job, "running")]


def test_a_stream_resumes_after_the_last_event_without_loss_or_repetition(follow: Any, house: Any, submit: Any) -> None:
    with follow("/v1/events") as stream:
        stream.heartbeat()
        first = submit()
        last = stream.event()["seq"]
    missed = [submit() for _ in range(3)]
    with follow("/v1/events", last_event_id=str(last)) as stream:
        assert [stream.event()["id"] for _ in missed] == missed
        house.move(first, "running")
        assert (stream.event()["state"]) == "running"


def test_a_project_is_warned_in_its_stream_and_can_resume_at_the_warning(
    url: str, follow: Any, house: Any, sampler: dict[str, Any], submit: Any
) -> None:
    quoted = httpx.post(f"{url}/v1/quotes", json=sampler, headers=house.headers("member of moz")).json()
    ceiling = quoted["quote"]["ceiling"]["micro"]
    project = house.fund("near the end", ceiling * 5 // 4)
    with follow("/v1/events", "near the end") as stream, follow("/v1/events") as other:
        stream.heartbeat()
        other.heartbeat()
        job = submit("near the end")
        assert stream.event()["id"] == job
        warned = stream.event()
        seq, at_us, at, detail = (warned.pop(name) for name in ("seq", "at_us", "at", "detail"))
        assert (at[-1], at_us > 0, detail[:46]) == ("Z", True, "80 % of the project's grants in CNY are used: ")
        assert warned == {
            "event": "quota_warning",
            "code": "quota",
            "project_id": project,
            "percent": 80,
            "used": ceiling,
            "granted": ceiling * 5 // 4,
            "asset": "CNY",
        }
        house.move(job, "running")
        assert stream.event()["seq"] == seq + 1
        ours = submit()
        assert other.event()["id"] == ours, "another project is not told"
    with follow("/v1/events", "near the end", last_event_id=str(seq - 1)) as stream:
        assert [stream.event()["event"], stream.event()["event"]] == ["quota_warning", "job"]
    with follow(f"/v1/jobs/{job}/events", "near the end", last_event_id=str(seq - 1)) as stream:
        assert stream.event()["state"] == "running", "the stream of a job tells of the job alone"


def test_what_happens_between_looking_back_and_listening_comes_once(
    follow: Any, house: Any, submit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, history_since, between = submit(), house.room.history_since, []

    def look_back(caller: Any, seq: int, limit: int) -> Any:
        if caller.member_id != "api" and not between:
            between.append(submit())
        return history_since(caller, seq, limit)

    monkeypatch.setattr(house.room, "history_since", look_back)
    with follow("/v1/events", last_event_id="0") as stream:
        assert [stream.event()["id"], stream.event()["id"]] == [first, *between]
        last = submit()
        assert stream.event()["id"] == last


def test_a_change_between_looking_back_and_listening_comes_once(
    follow: Any, house: Any, submit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, history = submit(), house.room.history

    def look_back(*arguments: Any) -> Any:
        house.move(job, "running")
        return history(*arguments)

    monkeypatch.setattr(house.room, "history", look_back)
    with follow(f"/v1/jobs/{job}/events") as stream:
        states = [stream.event()["state"], stream.event()["state"]]
        house.finish(job)
        assert [*states, stream.event()["state"], stream.event()] == ["queued", "running", "succeeded", None]


def test_from_event_zero_comes_everything_page_by_page(
    follow: Any, house: Any, submit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.events._PAGE", 2)
    made = [submit() for _ in range(5)]
    with follow("/v1/events", last_event_id="0") as stream:
        assert [stream.event()["id"] for _ in made] == made
        stream.heartbeat()


def test_operators_and_auditors_follow_all_projects(follow: Any, submit: Any) -> None:
    for who in ("operator", "auditor"):
        with follow("/v1/events", who) as stream:
            stream.heartbeat()
            made = [submit("member of moz"), submit("member of lao")]
            assert [stream.event()["id"] for _ in made] == made


def test_a_quiet_stream_shows_that_it_lives(follow: Any) -> None:
    with follow("/v1/events") as stream:
        for _ in range(3):
            stream.heartbeat()


def test_a_revoked_token_ends_its_stream(follow: Any, house: Any) -> None:
    with follow("/v1/events") as stream:
        stream.heartbeat()
        house.room.revoke_token(house.caller("operator"), house.caller("member of moz").token_id)
        assert stream.event() is None


def test_streams_are_counted_and_their_seats_given_back(follow: Any, submit: Any, house: Any) -> None:
    with follow("/v1/events") as a, follow("/v1/events") as b, follow(f"/v1/jobs/{submit()}/events") as c:
        for stream in (a, b, c):
            assert stream.response.status_code == 200
        with follow("/v1/events") as fourth:
            assert fourth.response.status_code == 429
            assert orjson.loads(fourth.response.read())["code"] == "too_many_streams"
        with follow("/v1/events", "member of lao") as other:
            assert other.response.status_code == 200
    statuses = iter(lambda: _status(follow), 200)
    assert set(statuses) <= {429}


def _status(follow: Any) -> int:
    with follow("/v1/events") as stream:
        return int(stream.response.status_code)


def test_a_stopping_server_ends_its_streams(serve: Any, house: Any) -> None:
    url = serve.start(ApiLimits(heartbeat_s=60))
    ended = threading.Event()

    def read() -> None:
        with (
            httpx.Client(timeout=20) as client,
            client.stream("GET", f"{url}/v1/events", headers=house.headers("operator")) as response,
        ):
            began.set()
            for _ in response.iter_lines():
                pass
        ended.set()

    began = threading.Event()
    reader = threading.Thread(target=read)
    reader.start()
    assert began.wait(10)
    serve.stop()
    assert ended.wait(10)
    reader.join()


def test_streams_of_what_does_not_exist_are_refused_before_they_begin(follow: Any) -> None:
    with follow("/v1/jobs/job_none/events") as stream:
        assert stream.response.status_code == 404
        assert orjson.loads(stream.response.read())["code"] == "not_found"
