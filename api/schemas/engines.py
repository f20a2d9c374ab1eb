"""Engines: requests and answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import Asked, Note, Told

_ENGINE: dict[str, Any] = {
    "name": "prismq.clifford",
    "runs": "Clifford circuits",
    "package": "prism-q",
    "licence": "MIT OR Apache-2.0",
    "version": "0.35.0",
    "on_probation": True,
    "state": "quarantined",
    "reason": "contradicted by stim on part 0 of job_01",
    "compared": 1_200,
    "disagreed": 1,
}
_DISAGREEMENT: dict[str, Any] = {
    "seq": 1,
    "at_us": 1_800_000_000_000_000,
    "job_id": "job_01",
    "finding": {"engine": "prismq.clifford", "other": "stim", "alarm": 1e-12, "guilty": ["prismq.clifford"]},
}


class EngineStateRequest(Asked):
    """What an operator decides about an engine; one under quarantine is not used."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "trusted", "reason": "mended in 0.36"}]})

    state: Literal["trusted", "quarantined"]
    reason: Note = ""


class Engine(Told):
    """One of those among which the backend `ideal` chooses."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ENGINE]})

    name: str
    runs: str = Field(description="What it is for.")
    package: str | None = Field(description="Null for those of the service itself.")
    licence: str
    version: str | None = Field(description="Null where the package is not installed beside the service.")
    on_probation: bool = Field(description="Young: more of its answers are compared with those of others.")
    state: Literal["trusted", "quarantined"]
    reason: str
    compared: int = Field(description="How often an answer of it stood beside one of another library.")
    disagreed: int = Field(description="How often they differed twice, beyond chance; whoever was wrong.")


class EngineList(Told):
    """All engines."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"engines": [_ENGINE]}]})

    engines: list[Engine]


class Disagreement(Told):
    """Two engines gave answers that cannot both be right; `finding` says who, on what, and how sure that is."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DISAGREEMENT]})

    seq: int
    at_us: int
    job_id: str
    finding: dict[str, Any]


class DisagreementList(Told):
    """A page, the newest first; `before` of the next one, or null at the end."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"disagreements": [_DISAGREEMENT], "before": None}]})

    disagreements: list[Disagreement]
    before: int | None
