"""Batches: an outcome for each job, in order, whatever happens to the others."""

from __future__ import annotations

import time
from typing import Any

import httpx
import orjson
import pytest

from api.schemas.answers import BatchAnswer


def batch(client: httpx.Client, jobs: Any, key: str | None = None, **headers: str) -> httpx.Response:
    if key is not None:
        headers["idempotency-key"] = key
    return client.post("/v1/jobs/batch", json={"jobs": jobs}, headers=headers)


def test_each_job_has_its_own_outcome(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    refused = {
        "primitive": "sampler",
        "pubs": [{"circuit": {"format": "openqasm2", "content": "refuse: no_measurement"}}],
    }
    jobs = [sampler, {**sampler, "shot": 1}, refused, {**sampler, "backend": "nowhere"}, 7, {**sampler, "max_cost": 1}]
    answer = batch(client, [*jobs, sampler])
    told = answer.json()["jobs"]
    assert answer.status_code == 200
    BatchAnswer.model_validate(answer.json())
    assert [(one["index"], one["status"]) for one in told] == [
        (0, 201),
        (1, 422),
        (2, 422),
        (3, 422),
        (4, 422),
        (5, 422),
        (6, 201),
    ]
    assert [one["problem"]["code"] for one in told if "problem" in one] == [
        "invalid_request",
        "no_measurement",
        "unknown_backend",
        "invalid_request",
        "cost_limit",
    ]
    assert told[1]["problem"]["errors"] == [
        {"pointer": "/jobs/1/shot", "detail": 'is not a field here; is "shots" meant?'}
    ]
    assert told[4]["problem"]["errors"] == [{"pointer": "/jobs/4", "detail": "must be a JSON object"}]
    assert told[0]["job"]["quote"]["ceiling"]["micro"] > 0
    assert [job["id"] for job in client.get("/v1/jobs").json()["jobs"]] == [told[6]["job"]["id"], told[0]["job"]["id"]]


def test_a_batch_sent_again_is_the_same_batch(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    jobs = [{**sampler, "name": f"number {number}"} for number in range(5)]
    first, again = batch(client, jobs, "K").json()["jobs"], batch(client, jobs, "K").json()["jobs"]
    assert [one["status"] for one in first] == [201] * 5
    assert [one["status"] for one in again] == [200] * 5
    assert [one["job"]["id"] for one in first] == [one["job"]["id"] for one in again]
    assert house.books()[1] == 5


def test_a_changed_job_of_a_batch_sent_again_is_the_one_conflict(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    batch(client, [sampler, sampler, sampler], "K")
    again = batch(client, [sampler, {**sampler, "priority": 1}, sampler], "K").json()["jobs"]
    assert [one["status"] for one in again] == [200, 409, 200]
    assert again[1]["problem"]["code"] == "idempotency_conflict"


def test_jobs_of_a_batch_share_no_key_with_a_single_job(client: httpx.Client, house: Any, sampler: Any) -> None:
    assert batch(client, [sampler], "K").json()["jobs"][0]["status"] == 201
    assert client.post("/v1/jobs", json=sampler, headers={"idempotency-key": "K"}).status_code == 201
    assert client.post("/v1/jobs", json=sampler, headers={"idempotency-key": "K#0"}).status_code == 422


def test_an_empty_batch_is_no_error(client: httpx.Client) -> None:
    assert batch(client, []).json() == {"jobs": [], "warnings": []}


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        (b"[]", "", "must be a JSON object"),
        (b"{}", "/jobs", "is required"),
        (b'{"jobs": {}}', "/jobs", "must be an array"),
        (b'{"jobs": null}', "/jobs", "must be an array"),
        (b'{"jobs": [], "options": 1}', "/options", 'is not a field here; a batch is {"jobs": […]}'),
        (b'{"jobs": [' + b"1," * 1_000 + b"1]}", "/jobs", "holds 1001 jobs; at most 1000 fit a batch"),
    ],
)
def test_what_is_no_batch(client: httpx.Client, body: bytes, pointer: str, said: str) -> None:
    answer = client.post("/v1/jobs/batch", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": said}]


def test_operators_mix_projects_and_auditors_submit_nothing(
    client: httpx.Client, house: Any, sampler: dict[str, Any]
) -> None:
    jobs = [{**sampler, "project_id": project} for project in house.projects.values()]
    told = batch(client, [*jobs, sampler, {**sampler, "project_id": "prj_none"}], **house.headers("operator")).json()
    assert [one["status"] for one in told["jobs"]][:3] == [201, 201, 422]
    assert told["jobs"][2]["problem"]["errors"][0]["pointer"] == "/jobs/2/project_id"
    assert batch(client, jobs, **house.headers("auditor")).json()["code"] == "forbidden"


def test_a_batch_of_a_thousand_costs_little_beside_the_room(house: Any, sampler: dict[str, Any]) -> None:
    """Reading, checking and making the work documents of 1,000 jobs: some 50 ms; twenty times that is a mistake."""
    from api.documents import parse
    from api.routes.batches import _jobs
    from api.submission import submissions_of
    from dispatcher.model import Submission

    body = orjson.dumps({"jobs": [sampler] * 1_000})
    began_s = time.process_time()
    prepared = submissions_of(_jobs(parse(body), 1_000), house.caller("member of moz"), key="K")
    assert time.process_time() - began_s < 1
    assert all(isinstance(one, Submission) for one in prepared)


def test_a_batch_says_once_that_the_grants_run_out(
    client: httpx.Client, house: Any, sampler: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatcher import quota_marks

    assert client.post("/v1/jobs/batch", json={"jobs": [sampler]}).json()["warnings"] == []
    monkeypatch.setattr(quota_marks, "MARKS", (0,))
    answer = client.post("/v1/jobs/batch", json={"jobs": [sampler, {**sampler, "backend": "nowhere"}, sampler]})
    (warning,) = answer.json()["warnings"]
    assert (warning["project_id"], warning["percent"]) == (house.projects["moz"], 0)
    assert answer.headers["qubator-quota-warning"] == "0"
