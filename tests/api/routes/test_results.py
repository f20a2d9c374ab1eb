"""Results: the bytes as they were written, or counts; and why there is none."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import pytest

from api.limits import ApiLimits
from api.schemas.results import ARRAYS_EXAMPLE, COUNTS_EXAMPLE


@pytest.fixture
def job(client: httpx.Client, sampler: dict[str, Any]) -> str:
    return str(client.post("/v1/jobs", json=sampler).json()["id"])


def test_arrays_are_the_bytes_of_the_backend(client: httpx.Client, house: Any, job: str) -> None:
    written = b'{ "v":1, "odd":  "spelling" }'
    house.finish(job, written)
    answer = client.get(f"/v1/jobs/{job}/result")
    assert (answer.status_code, answer.content) == (200, written)
    assert answer.headers["content-type"] == "application/json"


def test_counts_are_made_of_arrays(client: httpx.Client, house: Any, job: str) -> None:
    house.finish(job, orjson.dumps(ARRAYS_EXAMPLE))
    assert client.get(f"/v1/jobs/{job}/result?format=counts").json() == COUNTS_EXAMPLE


def test_a_job_that_runs_has_no_result_yet(client: httpx.Client, house: Any, job: str) -> None:
    for query in ("", "?wait=0.01", "?format=counts"):
        answer = client.get(f"/v1/jobs/{job}/result{query}")
        assert (answer.status_code, answer.json()["code"], answer.json()["state"]) == (
            409,
            "job_not_finished",
            "queued",
        )


def test_a_failed_job_has_none_and_says_why(client: httpx.Client, house: Any, job: str) -> None:
    house.move(job, "failed", problem={"code": "circuit_failed", "detail": "The gate is not known."})
    answer = client.get(f"/v1/jobs/{job}/result?wait=30")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_has_no_result")
    assert "The gate is not known." in answer.json()["detail"]
    assert answer.json()["problem"]["code"] == "circuit_failed"


def test_a_cancelled_job_has_none(client: httpx.Client, house: Any, job: str) -> None:
    house.move(job, "cancelled")
    assert client.get(f"/v1/jobs/{job}/result").json()["code"] == "job_has_no_result"


def test_counts_that_would_be_too_large(client: httpx.Client, house: Any, app: Any, job: str) -> None:
    app.state.desk.limits = ApiLimits(counts_bytes=10)
    house.finish(job, orjson.dumps(ARRAYS_EXAMPLE))
    answer = client.get(f"/v1/jobs/{job}/result?format=counts")
    assert (answer.status_code, answer.json()["code"]) == (422, "result_too_large")
    assert client.get(f"/v1/jobs/{job}/result").status_code == 200


def test_another_format_is_refused(client: httpx.Client, job: str) -> None:
    assert client.get(f"/v1/jobs/{job}/result?format=xml").json()["errors"][0]["parameter"] == "format"
