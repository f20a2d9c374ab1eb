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


GROUPS = {
    "compilation": {
        "mode": "single", "optimization_level": 3, "seed": 0, "initial_layout": [0, 4], "budget_ms": 60_000,
    },
    "dynamical_decoupling": {"enable": True, "sequence_type": "XX"},
    "twirling": {"enable_gates": True, "num_randomizations": 256},
    "resilience": {
        "measure_mitigation": True, "zne_mitigation": True,
        "zne": {"noise_factors": [1, 3], "extrapolator": "richardson"},
    },
}  # fmt: skip


def test_groups_for_devices_are_taken_whole_in_part_or_not_at_all() -> None:
    taken = JobRequest.model_validate({**JOB, "options": GROUPS}).options
    for group, members in GROUPS.items():
        assert getattr(taken, group).model_dump() == members
        assert JobRequest.model_validate({**JOB, "options": {group: {}}})
    assert JobRequest.model_validate({**JOB, "options": dict.fromkeys(GROUPS)}).options.compilation is None


@pytest.mark.parametrize(
    ("group", "wrong"),
    [
        ("compilation", "portfolio"),
        ("compilation", {"mode": "best"}),
        ("compilation", {"optimization_level": 4}),
        ("compilation", {"optimization_level": True}),
        ("compilation", {"seed": 2**31}),
        ("compilation", {"initial_layout": [-1]}),
        ("compilation", {"initial_layout": [0.0]}),
        ("compilation", {"budget_ms": 60_001}),
        ("compilation", {"level": 3}),
        ("dynamical_decoupling", {"sequence_type": "XpXm"}),
        ("dynamical_decoupling", {"enable": 1}),
        ("twirling", {"num_randomizations": 0}),
        ("twirling", {"num_randomizations": 257}),
        ("twirling", {"num_randomizations": "all"}),
        ("resilience", True),
        ("resilience", {"zne": {"noise_factors": [1]}}),
        ("resilience", {"zne": {"noise_factors": list(range(1, 10))}}),
        ("resilience", {"zne": {"extrapolator": "cubic"}}),
        ("resilience", {"pec_mitigation": True}),
    ],
)
def test_what_a_group_does_not_have_is_refused_where_it_stands(group: str, wrong: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        JobRequest.model_validate({**JOB, "options": {group: wrong}})
    assert refused.value.errors()[0]["loc"][:2] == ("options", group)
