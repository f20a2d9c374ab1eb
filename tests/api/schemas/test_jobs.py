"""Job requests: JSON kinds are taken as they are."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from api.schemas.jobs import ESTIMATOR_EXAMPLE, SAMPLER_EXAMPLE, BatchRequest, JobRequest

CIRCUIT = {"format": "openqasm2", "content": "a"}
JOB: dict[str, Any] = {"primitive": "sampler", "pubs": [{"circuit": CIRCUIT}]}


def test_the_examples_are_valid() -> None:
    JobRequest.model_validate(SAMPLER_EXAMPLE)
    JobRequest.model_validate(ESTIMATOR_EXAMPLE)
    BatchRequest.model_validate({"jobs": [SAMPLER_EXAMPLE, ESTIMATOR_EXAMPLE]})


@pytest.mark.parametrize(
    "wrong",
    [
        {"primitive": "Sampler"},
        {"primitive": None},
        {"pubs": None},
        {"pubs": {}},
        {"pubs": [{"circuit": CIRCUIT}] * 1_001},
        {"pubs": [{"circuit": True}]},
        {"pubs": [{"circuit": 0.0}]},
        {"pubs": [{"circuit": [CIRCUIT]}]},
        {"pubs": [{"circuit": {**CIRCUIT, "content": ""}}]},
        {"pubs": [{"circuit": {**CIRCUIT, "content": 5}}]},
        {"pubs": [{"circuit": {**CIRCUIT, "more": 5}}]},
        {"pubs": [{"circuit": CIRCUIT, "shots": True}]},
        {"pubs": [{"circuit": CIRCUIT, "shots": 10.0}]},
        {"pubs": [{"circuit": CIRCUIT, "shots": "10"}]},
        {"pubs": [{"circuit": CIRCUIT, "precision": "0.1"}]},
        {"options": None},
        {"options": {"shots": True}},
        {"options": {"seed": -1}},
        {"options": {"seed": 2**63}},
        {"options": {"seed": 1.5}},
        {"backend": ""},
        {"backend": None},
        {"priority": 101},
        {"priority": -101},
        {"priority": 1.0},
        {"name": ""},
        {"tags": "a"},
        {"tags": ["a"] * 21},
        {"tags": [""]},
        {"metadata": []},
        {"time_limit_s": 0},
        {"time_limit_s": 0.0001},
        {"time_limit_s": 1_000_000_001},
        {"time_limit_s": True},
        {"max_cost": -1},
        {"max_cost": 1.5},
        {"max_cost": 2**60},
        {"project_id": "a/b"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_is_not_taken(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JobRequest.model_validate({**JOB, **wrong})


@pytest.mark.parametrize(
    "right",
    [
        {"options": {"seed": 2**63 - 1, "precision": 0}},
        {"time_limit_s": 1},
        {"time_limit_s": 0.5},
        {"max_cost": 0},
        {"pubs": []},
        {"pubs": [{"circuit": CIRCUIT, "shots": None, "parameter_values": None}]},
        {"priority": 100},
    ],
    ids=str,
)
def test_what_is_taken(right: dict[str, Any]) -> None:
    JobRequest.model_validate({**JOB, **right})
