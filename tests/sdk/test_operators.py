"""Administrative calls, as requests of the HTTP contract."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from qubator.errors import Unavailable
from qubator.money import Money
from qubator.operators import Operators, micros


@pytest.fixture
def operators(script: Any) -> Operators:
    return Operators(script.connection())


def test_a_startup_is_set_up(script: Any, operators: Operators) -> None:
    script.say(*[script.answer(201, {"id": "x", "secret": "qb_1"})] * 6)
    operators.create_project("Photon Ltd", weight=200)
    operators.create_member("prj_1", "Ada", "admin")
    operators.create_token("prj_1", "mem_1", label="laptop", expires=datetime(2026, 1, 1, tzinfo=UTC))
    operators.create_funder("City")
    operators.create_programme("Seed", "fun_1", Money(5_000_000))
    operators.issue_grant("prj_1", "pgm_1", Money(1_000_000), valid_until=9, priority=1)
    assert list(zip(script.lines(), script.bodies(), strict=True)) == [
        ("POST /v1/projects", {"name": "Photon Ltd", "weight": 200}),
        ("POST /v1/projects/prj_1/members", {"name": "Ada", "role": "admin"}),
        ("POST /v1/projects/prj_1/tokens", {"member_id": "mem_1", "label": "laptop", "expires_us": 1767225600000000}),
        ("POST /v1/funders", {"name": "City"}),
        ("POST /v1/programmes", {"name": "Seed", "funder_id": "fun_1", "budget": {"micro": 5_000_000, "asset": "CNY"}}),
        (
            "POST /v1/grants",
            {"project_id": "prj_1", "programme_id": "pgm_1", "amount": {"micro": 1_000_000, "asset": "CNY"},
             "valid_until_us": 9, "priority": 1},
        ),
    ]  # fmt: skip


def test_a_programme_of_several_funders_and_a_grant_for_some_things_only(script: Any, operators: Operators) -> None:
    script.say(*[script.answer(201, {"id": "x"})] * 2)
    operators.create_programme("Seed", {"fun_1": 3, "fun_2": 1}, Money(5_000_000))
    operators.issue_grant(
        "prj_1", "pgm_1", Money(9, "shots"), valid_until=9, resources=["shots"], backends=["aer"], members=["mem_1"]
    )
    first, second = script.bodies()
    assert first["funders"] == [{"funder_id": "fun_1", "weight": 3}, {"funder_id": "fun_2", "weight": 1}]
    assert "funder_id" not in first
    assert second["amount"] == {"micro": 9, "asset": "shots"}
    assert (second["resources"], second["backends"], second["members"]) == (["shots"], ["aer"], ["mem_1"])


def test_a_creation_whose_outcome_is_unknown_is_not_repeated(script: Any, operators: Operators) -> None:
    script.say(httpx.ReadError("reset"))
    with pytest.raises(Unavailable):
        operators.create_funder("City")


def test_reads_and_ends(script: Any, operators: Operators) -> None:
    script.say(
        script.answer(200, {"projects": [{"id": "prj_1"}]}), script.answer(200, {"id": "prj_1"}),
        script.answer(200, {"members": []}), script.answer(200, {"tokens": []}), script.answer(200, {"funders": []}),
        script.answer(200, {"programmes": []}), script.answer(200, {"grants": []}), script.answer(204),
        script.answer(200, {"name": "aer", "state": "draining"}),
    )  # fmt: skip
    assert operators.projects() == [{"id": "prj_1"}]
    assert operators.project("prj_1") == {"id": "prj_1"}
    assert [operators.members(), operators.tokens("prj_1"), operators.funders(), operators.programmes()] == [
        [],
        [],
        [],
        [],
    ]
    assert operators.grants() == []
    operators.revoke_token("tok_1")
    assert operators.set_backend_state("aer", "draining", "maintenance")["state"] == "draining"
    assert script.lines()[-2:] == ["DELETE /v1/tokens/tok_1", "PUT /v1/backends/aer/state"]
    assert script.bodies()[-1] == {"state": "draining", "reason": "maintenance"}


def test_moments_are_microseconds() -> None:
    assert [micros(None), micros(5), micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))] == [None, 5, 1_000_000]


def test_no_project_means_the_facility_itself(script: Any, operators: Operators) -> None:
    script.say(*[script.answer(200, {"members": [], "tokens": []})] * 2, script.answer(201, {}), script.answer(201, {}))
    operators.members(None)
    operators.tokens(None)
    operators.create_member(None, "Eve", "auditor")
    operators.create_token(None, "mem_1", role="auditor")
    assert script.lines() == [
        "GET /v1/facility/members", "GET /v1/facility/tokens", "POST /v1/facility/members", "POST /v1/facility/tokens",
    ]  # fmt: skip
