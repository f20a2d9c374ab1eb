"""Many jobs in few requests, none twice, none lost."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from qubator import batches
from qubator.errors import BatchRefused, Refused, WaitTimeout
from qubator.job import Job
from qubator.submission import Submission

BELL2 = 'OPENQASM 2.0;include "qelib1.inc";qreg q[1];creg c[1];measure q->c;'


class Desk:
    """A service's batch endpoint: knows keys, refuses jobs whose name says so, is full at first if told so."""

    def __init__(self, answer: Any, *, full_at_first: int = 0) -> None:
        self.answer = answer
        self.full = full_at_first
        self.jobs: dict[str, str] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        rows = []
        for index, body in enumerate(json.loads(request.content)["jobs"]):
            place = f"{key}#{index}"
            if body.get("name") == "bad":
                problem = {"code": "no_measurement", "detail": "measures nothing", "status": 422}
                rows.append({"index": index, "status": 422, "problem": problem})
            elif place not in self.jobs and self.full and index >= 2:
                rows.append({"index": index, "status": 429, "problem": {"code": "queue_full", "retry_after_s": 3}})
            else:
                status = 200 if place in self.jobs else 201
                job_id = self.jobs.setdefault(place, f"job_{len(self.jobs)}")
                rows.append({"index": index, "status": status, "job": {"id": job_id, "state": "queued"}})
        self.full = max(0, self.full - 1)
        return self.answer(200, {"jobs": rows})


def submissions(count: int, **terms: Any) -> list[Submission]:
    return [Submission(BELL2, seed=seed, **terms) for seed in range(count)]


def test_chunks_are_bounded_by_count(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_JOBS", 3)
    script.say(*[Desk(script.answer)] * 3)
    outcomes = batches.submit_all(script.connection(), submissions(7), "K")
    assert [len(body["jobs"]) for body in script.bodies()] == [3, 3, 1]
    assert [request.headers["Idempotency-Key"] for request in script.requests] == ["K.0", "K.1", "K.2"]
    assert len({job.id for job in outcomes}) == 7
    assert [body["options"]["seed"] for chunk in script.bodies() for body in chunk["jobs"]] == list(range(7))


def test_chunks_are_bounded_by_bytes_and_a_giant_travels_alone(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_BYTES", 1_000)
    giant = Submission(BELL2 + "//" + "x" * 3_000)
    script.say(*[Desk(script.answer)] * 3)
    batches.submit_all(script.connection(), [*submissions(2), giant, *submissions(2)], "K")
    assert [len(body["jobs"]) for body in script.bodies()] == [2, 1, 2]


def test_no_jobs_are_no_request(script: Any) -> None:
    assert batches.submit_all(script.connection(), [], "K") == []


def test_a_lost_answer_makes_no_job_twice(script: Any) -> None:
    desk = Desk(script.answer)

    def carry_out_and_lose(request: httpx.Request) -> httpx.Response:
        desk(request)
        raise httpx.ReadError("reset")

    script.say(carry_out_and_lose, desk)
    outcomes = batches.submit_all(script.connection(), submissions(5), "K")
    assert len(desk.jobs) == 5
    assert [job.id for job in outcomes] == list(desk.jobs.values())


def test_a_full_queue_is_waited_for_and_the_rest_only_named_again(script: Any) -> None:
    desk = Desk(script.answer, full_at_first=2)
    script.say(desk, desk, desk)
    outcomes = batches.submit_all(script.connection(draw=0.0), submissions(5), "K")
    assert [job.id for job in outcomes] == ["job_0", "job_1", "job_2", "job_3", "job_4"]
    assert script.slept_s == [3.0, 3.0]


def test_a_queue_that_stays_full_is_a_refusal_in_the_end(script: Any) -> None:
    script.say(Desk(script.answer, full_at_first=9), Desk(script.answer, full_at_first=9))
    outcomes = batches.submit_all(script.connection(total_s=5.0, draw=0.0), submissions(3), "K")
    assert [getattr(each, "code", "job") for each in outcomes] == ["job", "job", "queue_full"]


def test_refusals_stand_in_their_places(script: Any) -> None:
    script.say(Desk(script.answer))
    jobs = [Submission(BELL2), Submission(BELL2, name="bad"), Submission(BELL2)]
    outcomes = batches.submit_all(script.connection(), jobs, "K")
    assert [type(each) for each in outcomes] == [Job, Refused, Job]
    with pytest.raises(
        BatchRefused, match=r"1 of 3 jobs were refused; the first is number 1: measures nothing"
    ) as caught:
        batches.raise_refusals(outcomes)
    assert caught.value.jobs == [outcomes[0], None, outcomes[2]]
    assert caught.value.refusals == {1: outcomes[1]}


def record(number: int, state: str) -> dict[str, Any]:
    return {"id": f"job_{number}", "state": state, "primitive": "sampler", "version": 1, "created_us": 1_000 + number}


def test_a_few_jobs_are_waited_for_one_by_one(script: Any) -> None:
    jobs = [Job(script.connection(), record(n, "queued")) for n in range(3)]
    script.say(*[script.answer(200, record(n, "succeeded")) for n in range(3)])
    assert batches.wait_all(script.connection(), jobs, None) == jobs
    asked = [line.split("?wait=") for line in script.lines()]
    assert [path for path, _ in asked] == [f"GET /v1/jobs/job_{n}" for n in range(3)]
    assert all(25 < float(held) <= 30 for _, held in asked), "a held request lasts as long as is left of a turn"


def test_many_jobs_are_read_by_pages_and_one_held_request(script: Any) -> None:
    connection = script.connection()
    jobs = [Job(connection, record(n, "queued")) for n in range(30)]
    half = [record(n, "succeeded" if n < 20 else "running") for n in range(30)]
    script.say(
        script.answer(200, {"jobs": half[15:][::-1], "next_cursor": "c"}),
        script.answer(200, {"jobs": half[:15][::-1], "next_cursor": None}),
        *[script.answer(200, record(n, "succeeded")) for n in range(20, 30)],
    )
    batches.wait_all(connection, jobs, None)
    assert all(job.state == "succeeded" for job in jobs)
    *pages, held = script.lines()[:3]
    assert pages == [
        "GET /v1/jobs?since_us=1000&until_us=1030&limit=500",
        "GET /v1/jobs?since_us=1000&until_us=1030&limit=500&cursor=c",
    ]
    assert held.startswith("GET /v1/jobs/job_20?wait=")


def test_a_time_limit_over_all_jobs_is_kept(script: Any) -> None:
    jobs = [Job(script.connection(), record(n, "queued")) for n in range(2)]
    with pytest.raises(WaitTimeout, match="2 of 2 jobs still open after 0 s"):
        batches.wait_all(script.connection(), jobs, 0.0)
