"""Problem documents (RFC 9457), as documentation: what `api.answers` writes."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from api.schemas.fields import Told

PROBLEM_EXAMPLE: dict[str, Any] = {
    "type": "/problems/invalid_request",
    "title": "The request is not valid",
    "status": 422,
    "detail": "/pubs/0/shots must be an integer.",
    "code": "invalid_request",
    "instance": "/v1/jobs",
    "request_id": "req_5f0c1c2f9a3b4d5e",
    "errors": [{"pointer": "/pubs/0/shots", "detail": "must be an integer"}],
}
EXPLAINED_EXAMPLE: dict[str, Any] = {
    "code": "grant_exhausted",
    "type": "/problems/grant_exhausted",
    "status": 402,
    "title": "The project's grants do not cover this job",
    "meaning": "What is available is less than the most this job can be charged.",
    "next": "Wait for running jobs to give back what they do not use, or ask for another grant.",
    "retryable": False,
}


class ProblemDocument(Told):
    """Why a request was refused or a job failed; figures behind the detail stand beside these fields."""

    model_config = ConfigDict(json_schema_extra={"examples": [PROBLEM_EXAMPLE]})

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = None
    request_id: str | None = None
    errors: list[dict[str, str]] | None = Field(default=None, description="By JSON pointer or parameter name.")


class ProblemExplained(Told):
    """A row of the problem table."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXPLAINED_EXAMPLE]})

    code: str
    type: str
    status: int
    title: str
    meaning: str
    next: str
    retryable: bool


class ProblemList(Told):
    """The whole problem table."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"problems": [EXPLAINED_EXAMPLE]}]})

    problems: list[ProblemExplained]
