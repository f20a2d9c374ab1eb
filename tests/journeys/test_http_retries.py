"""Retries over HTTP: however often and however fast a request is sent again, there is one job and one charge."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0], q[1]; measure q -> c;'


def job(name: str, **more: Any) -> dict[str, Any]:
    """A job whose circuit was never seen before, so that its first try takes the long way through the inspector."""
    return {
        "primitive": "sampler",
        "name": name,
        "pubs": [{"circuit": {"format": "openqasm2", "content": f"{BELL}\n// {name}"}}],
        **more,
    }


@pytest.fixture
def startup(zone: Any) -> Any:
    return zone.startup(grant=10**9)


def at_once(url: str, token: str, requests: list[tuple[str, Any, str]]) -> list[httpx.Response]:
    """Send all requests at the same moment, each on a connection of its own."""
    start = threading.Barrier(len(requests))

    def send(request: tuple[str, Any, str]) -> httpx.Response:
        path, body, key = request
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            client.get("/health/live")
            start.wait(30)
            return client.post(path, json=body)

    with ThreadPoolExecutor(len(requests)) as clients:
        return list(clients.map(send, requests))


def test_retries_during_the_first_try_get_its_job(zone: Any, startup: Any) -> None:
    for round_number in range(5):
        body = job(f"round {round_number}")
        answers = at_once(zone.url, startup.token, [("/v1/jobs", body, f"key-{round_number}")] * 8)
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
    jobs = startup.http.get("/v1/jobs").json()["jobs"]
    assert len(jobs) == 5
    for one in jobs:
        assert startup.http.get(f"/v1/jobs/{one['id']}?wait=60").json()["state"] == "succeeded"
    statement = startup.http.get("/v1/projects/me/statement").json()
    receipts = [startup.http.get(f"/v1/jobs/{one['id']}/receipt").json() for one in jobs]
    assert statement["settled"] == sum(receipt["charged"] for receipt in receipts)
    assert statement["held"] == 0


def test_different_bodies_under_one_key_at_once_make_one_job_and_conflicts(zone: Any, startup: Any) -> None:
    requests = [("/v1/jobs", job("one"), "K")] * 4 + [("/v1/jobs", job("two"), "K")] * 4
    answers = at_once(zone.url, startup.token, requests)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 200, 200, 201, 409, 409, 409, 409]
    (made,) = startup.http.get("/v1/jobs").json()["jobs"]
    for answer in answers:
        problem_or_job = answer.json()
        assert made["id"] == problem_or_job.get("id", problem_or_job.get("job_id"))


def test_batches_sent_again_at_once_are_one_batch(zone: Any, startup: Any) -> None:
    body = {"jobs": [job(f"job {number}", tags=["batch"]) for number in range(50)]}
    answers = at_once(zone.url, startup.token, [("/v1/jobs/batch", body, "K")] * 4)
    ids = [[one["job"]["id"] for one in answer.json()["jobs"]] for answer in answers]
    assert ids[0] == ids[1] == ids[2] == ids[3]
    assert sum(one["status"] == 201 for answer in answers for one in answer.json()["jobs"]) == 50
    assert len(startup.http.get("/v1/jobs?limit=500").json()["jobs"]) == 50


def test_a_retry_after_the_end_gets_the_ended_job(startup: Any) -> None:
    headers = {"idempotency-key": "K"}
    first = startup.http.post("/v1/jobs?wait=60", json=job("late"), headers=headers)
    again = startup.http.post("/v1/jobs", json=job("late"), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["state"] == "succeeded"


def test_a_key_of_a_refused_request_is_free(startup: Any) -> None:
    headers = {"idempotency-key": "K"}
    refused = startup.http.post("/v1/jobs", json=job("dear", max_cost=1), headers=headers)
    assert refused.json()["code"] == "cost_limit"
    assert startup.http.post("/v1/jobs", json=job("cheap"), headers=headers).status_code == 201
