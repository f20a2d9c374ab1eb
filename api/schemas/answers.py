"""Answers about jobs, as documentation: what `api.shapes` writes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from api.schemas.fields import Amount, Told
from api.schemas.prices import FINDINGS_EXAMPLE, QUOTE_EXAMPLE, Quote, Usage
from api.schemas.problems import PROBLEM_EXAMPLE, ProblemDocument

JobState = Literal["queued", "running", "cancelling", "succeeded", "failed", "cancelled"]

_JOB = "job_01J8Z3V7Q4M2"
_LINKS: dict[str, Any] = {
    "self": f"/v1/jobs/{_JOB}",
    "result": f"/v1/jobs/{_JOB}/result",
    "receipt": f"/v1/jobs/{_JOB}/receipt",
    "events": f"/v1/jobs/{_JOB}/events",
}


JOB_EXAMPLE: dict[str, Any] = {
    "id": _JOB,
    "project_id": "prj_01J8Z3",
    "member_id": "mem_01J8Z3",
    "primitive": "sampler",
    "name": "Bell pair",
    "state": "succeeded",
    "version": 3,
    "priority": 0,
    "category": "general",
    "backend": "aer",
    "backend_asked": "auto",
    "tags": ["demo"],
    "metadata": {},
    "created_us": 1_790_000_000_000_000,
    "created_at": "2026-09-21T14:13:20.000000Z",
    "started_us": 1_790_000_000_012_000,
    "started_at": "2026-09-21T14:13:20.012000Z",
    "ended_us": 1_790_000_000_016_000,
    "ended_at": "2026-09-21T14:13:20.016000Z",
    "cancel_requested_us": None,
    "time_limit_us": 60_000_000,
    "max_cost": None,
    "estimate_us": 2_600,
    "quote": QUOTE_EXAMPLE,
    "cost": {"micro": 2_603, "asset": "CNY"},
    "wait_reason": None,
    "findings": FINDINGS_EXAMPLE,
    "problem": None,
    "usage": {"qpu_ms": 3, "shots": 1_024, "cpu_ms": 3, "gpu_ms": 0, "storage_mib_h": 1},
    "result_bytes": 412,
    "links": _LINKS,
}
WARNING_EXAMPLE: dict[str, Any] = {
    "code": "quota",
    "project_id": "prj_01J8Z3",
    "percent": 80,
    "used": 80_126_103,
    "granted": 100_000_000,
    "asset": "CNY",
    "detail": "80 % of the project's grants in CNY are used: 80.126103 CNY of 100.000000 CNY are spent or held.",
}
BRIEF_EXAMPLE: dict[str, Any] = {
    name: JOB_EXAMPLE[name]
    for name in ("id", "project_id", "name", "version", "backend", "created_us", "quote", "links")
} | {"state": "queued", "version": 1}
CHANGE_EXAMPLE: dict[str, Any] = {
    "id": _JOB,
    "state": "running",
    "version": 2,
    "reason": "started",
    "at_us": 1_790_000_000_012_000,
    "at": "2026-09-21T14:13:20.012000Z",
}
ATTEMPT_EXAMPLE: dict[str, Any] = {
    "id": f"{_JOB}/0.1",
    "number": 1,
    "worker_id": "wrk_01J8Z3",
    "backend": "aer",
    "state": "succeeded",
    "leased_us": 1_790_000_000_010_000,
    "started_us": 1_790_000_000_012_000,
    "ended_us": 1_790_000_000_016_000,
    "failure": None,
}


class Links(Told):
    """Where to read on."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINKS]})

    self: str
    result: str
    receipt: str
    events: str


class Job(Told):
    """A job. `version` grows with every change; `wait_reason` is told of a queued job that is read alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [JOB_EXAMPLE]})

    id: str
    project_id: str
    member_id: str
    primitive: Literal["sampler", "estimator"]
    name: str | None
    state: JobState
    version: int
    priority: int
    category: str
    backend: str
    backend_asked: str
    tags: list[str]
    metadata: dict[str, Any]
    created_us: int
    created_at: str
    started_us: int | None
    started_at: str | None
    ended_us: int | None
    ended_at: str | None
    cancel_requested_us: int | None
    time_limit_us: int
    max_cost: int | None
    estimate_us: int
    quote: Quote
    cost: Amount | None
    wait_reason: str | None
    findings: dict[str, Any]
    problem: ProblemDocument | None
    usage: Usage | None
    result_bytes: int | None
    links: Links


class QuotaWarning(Told):
    """That so much of what a project was granted is spent or held."""

    model_config = ConfigDict(json_schema_extra={"examples": [WARNING_EXAMPLE]})

    code: Literal["quota"]
    project_id: str
    percent: Literal[80, 95]
    used: int
    granted: int
    asset: str
    detail: str


class JobMade(Job):
    """A job as its submission answers it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**JOB_EXAMPLE, "warnings": [WARNING_EXAMPLE]}]})

    warnings: list[QuotaWarning]


class JobPage(Told):
    """Jobs, newest first, their findings without the single circuits; `next_cursor` null ends the list."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"jobs": [JOB_EXAMPLE], "next_cursor": None}]})

    jobs: list[Job]
    next_cursor: str | None


class BriefJob(Told):
    """A job as a batch answers it."""

    model_config = ConfigDict(json_schema_extra={"examples": [BRIEF_EXAMPLE]})

    id: str
    project_id: str
    name: str | None
    state: JobState
    version: int
    backend: str
    created_us: int
    quote: Quote
    links: Links


class Outcome(Told):
    """What became of one job of a batch: `job` with status 201 (or 200: it was there), or `problem`."""

    index: int
    status: int
    job: BriefJob | None = None
    problem: ProblemDocument | None = None


class BatchAnswer(Told):
    """One outcome for each job of the batch, in its order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "jobs": [
                        {"index": 0, "status": 201, "job": BRIEF_EXAMPLE},
                        {"index": 1, "status": 422, "problem": PROBLEM_EXAMPLE},
                    ],
                    "warnings": [WARNING_EXAMPLE],
                }
            ]
        }
    )

    jobs: list[Outcome]
    warnings: list[QuotaWarning]


class Change(Told):
    """One step of a job's life."""

    model_config = ConfigDict(json_schema_extra={"examples": [CHANGE_EXAMPLE]})

    id: str
    state: JobState
    version: int
    reason: str
    at_us: int
    at: str


class Attempt(Told):
    """One try of a job on one worker."""

    model_config = ConfigDict(json_schema_extra={"examples": [ATTEMPT_EXAMPLE]})

    id: str
    number: int
    worker_id: str
    backend: str
    state: str
    leased_us: int
    started_us: int | None
    ended_us: int | None
    failure: dict[str, Any] | None


class History(Told):
    """All steps and all attempts, oldest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"history": [CHANGE_EXAMPLE], "attempts": [ATTEMPT_EXAMPLE]}]}
    )

    history: list[Change]
    attempts: list[Attempt]
