"""Long polls: woken by the change, over when the time is over, and never a thread held."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import release_waiters
from api.limits import ApiLimits


@pytest.fixture
def looked(house: Any, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a waiter has taken its place and looks at the job for the first time."""
    event, job = threading.Event(), house.room.job

    def look(*arguments: Any) -> Any:
        event.set()
        return job(*arguments)

    monkeypatch.setattr(house.room, "job", look)
    return event


@pytest.fixture
def job(client: httpx.Client, sampler: dict[str, Any]) -> str:
    return str(client.post("/v1/jobs", json=sampler).json()["id"])


def while_waiting(client: httpx.Client, path: str, looked: threading.Event, act: Callable[[], Any]) -> httpx.Response:
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(client.get, path, timeout=50)
        assert looked.wait(10)
        act()
        return answer.result(20)


def test_wait_alone_is_for_the_end(client: httpx.Client, house: Any, job: str, looked: threading.Event) -> None:
    def act() -> None:
        house.move(job, "running", started_us=5)
        house.finish(job)

    began_s = time.monotonic()
    answer = while_waiting(client, f"/v1/jobs/{job}?wait=40", looked, act).json()
    assert (answer["state"], answer["version"], answer["cost"]) == ("succeeded", 3, {"micro": 2603, "asset": "CNY"})
    assert time.monotonic() - began_s < 10


def test_wait_with_a_version_is_for_the_next_change(
    client: httpx.Client, house: Any, job: str, looked: threading.Event
) -> None:
    answer = while_waiting(client, f"/v1/jobs/{job}?wait=40&version=1", looked, lambda: house.move(job, "running"))
    assert (answer.json()["state"], answer.json()["version"]) == ("running", 2)


def test_a_version_that_is_past_answers_at_once(client: httpx.Client, house: Any, job: str) -> None:
    house.move(job, "running")
    assert client.get(f"/v1/jobs/{job}?wait=40&version=1").json()["version"] == 2
    assert client.get(f"/v1/jobs/{job}?wait=0.01&version=2").json()["version"] == 2


def test_an_ended_job_answers_at_once_whatever_the_version(client: httpx.Client, house: Any, job: str) -> None:
    house.finish(job)
    assert client.get(f"/v1/jobs/{job}?wait=40&version=99").json()["state"] == "succeeded"


def test_the_time_over_is_no_error(client: httpx.Client, job: str) -> None:
    answer = client.get(f"/v1/jobs/{job}?wait=0.02")
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")


def test_a_result_is_waited_for(client: httpx.Client, house: Any, job: str, looked: threading.Event) -> None:
    answer = while_waiting(client, f"/v1/jobs/{job}/result?wait=40", looked, lambda: house.finish(job, b'{"v":1}'))
    assert (answer.status_code, answer.content) == (200, b'{"v":1}')


def test_a_new_job_is_waited_for(client: httpx.Client, house: Any, sampler: Any, looked: threading.Event) -> None:
    with ThreadPoolExecutor(1) as other:
        answer = other.submit(client.post, "/v1/jobs?wait=40", json=sampler, timeout=50)
        assert looked.wait(10)
        (job,) = client.get("/v1/jobs").json()["jobs"]
        house.finish(job["id"])
        assert (answer.result(20).status_code, answer.result().json()["state"]) == (201, "succeeded")


def test_waiting_for_what_does_not_exist_ends_at_once(client: httpx.Client) -> None:
    assert client.get("/v1/jobs/job_none?wait=40").json()["code"] == "not_found"


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "x", ""])
def test_odd_times_are_refused(client: httpx.Client, job: str, wait: str) -> None:
    answer = client.get(f"/v1/jobs/{job}?wait={wait}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["parameter"] == "wait"


def test_a_server_that_stops_lets_its_waiters_go(
    client: httpx.Client, app: FastAPI, house: Any, job: str, looked: threading.Event
) -> None:
    portal = client._transport._portal  # type: ignore[attr-defined]
    act = lambda: portal.call(release_waiters, app)  # noqa: E731
    assert while_waiting(client, f"/v1/jobs/{job}?wait=40", looked, act).json()["state"] == "queued"


def test_a_client_that_hangs_up_gives_its_seat_back(serve: Any, house: Any, job: str, looked: threading.Event) -> None:
    url = serve.start(ApiLimits(waiters=1))
    with httpx.Client(base_url=url, headers=house.headers("member of moz")) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"/v1/jobs/{job}?wait=60", timeout=0.3)
        assert looked.is_set()
        deadline_s = time.monotonic() + 10
        while (answer := client.get(f"/v1/jobs/{job}?wait=0.01")).status_code == 429:
            assert answer.json()["code"] == "too_many_streams"
            assert answer.headers["retry-after"] == "2"
            assert time.monotonic() < deadline_s
        assert answer.json()["state"] == "queued"


def test_hundreds_of_polls_hold_no_thread(client: httpx.Client, house: Any, job: str, looked: threading.Event) -> None:
    """Far more polls than threads wait; a plain read passes through, and one change wakes all."""
    count = 120
    with ThreadPoolExecutor(count) as others:
        polls = [others.submit(client.get, f"/v1/jobs/{job}?wait=40", timeout=50) for _ in range(count)]
        assert looked.wait(10)
        assert client.get("/v1/me", timeout=10).status_code == 200
        house.finish(job)
        assert {poll.result(20).json()["state"] for poll in polls} == {"succeeded"}
