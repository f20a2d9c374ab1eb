"""Funders, programmes and grants: written by operators, read by those they concern."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.schemas import funding

YUAN = 1_000_000


@pytest.fixture
def operator(house: Any) -> dict[str, str]:
    return dict(house.headers("operator"))


@pytest.fixture
def programme(client: httpx.Client, operator: dict[str, str]) -> str:
    funder = client.post("/v1/funders", json={"name": "fund"}, headers=operator).json()
    funding.Funder.model_validate(funder)
    asked = {"name": "vouchers 2", "funder_id": funder["id"], "budget": {"micro": 100 * YUAN}}
    answer = client.post("/v1/programmes", json=asked, headers=operator)
    assert answer.status_code == 201
    funding.Programme.model_validate(answer.json())
    assert answer.json()["available"] == {"micro": 100 * YUAN, "asset": "CNY"}
    return str(answer.json()["id"])


def grant(house: Any, programme: str, **change: Any) -> dict[str, Any]:
    return {
        "project_id": house.projects["moz"],
        "programme_id": programme,
        "amount": {"micro": 30 * YUAN, "asset": "CNY"},
        "valid_until_us": house.room.now_us() + 10**12,
        **change,
    }


def test_a_grant_comes_out_of_a_budget(
    client: httpx.Client, house: Any, operator: dict[str, str], programme: str
) -> None:
    before = client.get("/v1/projects/me/balance").json()
    answer = client.post("/v1/grants", json=grant(house, programme, priority=5), headers=operator)
    told = answer.json()
    assert answer.status_code == 201
    funding.Grant.model_validate(told)
    assert (told["amount"], told["priority"], told["expired"]) == ({"micro": 30 * YUAN, "asset": "CNY"}, 5, False)
    assert abs(told["valid_from_us"] - house.room.now_us()) < 10_000_000
    listed = client.get("/v1/programmes", headers=operator).json()
    funding.ProgrammeList.model_validate(listed)
    left = {one["id"]: one["available"]["micro"] for one in listed["programmes"]}
    assert left[programme] == 70 * YUAN
    mine = client.get("/v1/projects/me/grants").json()
    funding.GrantList.model_validate(mine)
    assert told in mine["grants"]
    after = client.get("/v1/projects/me/balance").json()
    assert after["available"] - before["available"] == 30 * YUAN


def test_more_than_the_budget_is_refused(
    client: httpx.Client, house: Any, operator: dict[str, str], programme: str
) -> None:
    asked = grant(house, programme, amount={"micro": 100 * YUAN + 1})
    answer = client.post("/v1/grants", json=asked, headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (402, "programme_exhausted")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"project_id": "prj_none"}, 404, "not_found"),
        ({"programme_id": "pgm_none"}, 404, "not_found"),
        ({"amount": {"micro": 0}}, 422, "invalid_request"),
        ({"amount": {"micro": 5, "asset": "shots"}}, 422, "invalid_request"),
        ({"valid_until_us": 5}, 422, "invalid_request"),
        ({"valid_until_us": 2**63}, 422, "invalid_request"),
        ({"valid_from_us": 2**62}, 422, "invalid_request"),
        ({"priority": -1}, 422, "invalid_request"),
    ],
)
def test_what_is_no_grant(
    client: httpx.Client,
    house: Any,
    operator: dict[str, str],
    programme: str,
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = client.post("/v1/grants", json=grant(house, programme, **change), headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_names_are_given_once(client: httpx.Client, operator: dict[str, str], programme: str) -> None:
    assert client.post("/v1/funders", json={"name": "fund"}, headers=operator).json()["code"] == "already_exists"
    funder = client.get("/v1/funders", headers=operator).json()
    funding.FunderList.model_validate(funder)
    asked = {"name": "vouchers 2", "funder_id": funder["funders"][0]["id"], "budget": {"micro": 1}}
    assert client.post("/v1/programmes", json=asked, headers=operator).json()["code"] == "already_exists"
    asked = {"name": "other", "funder_id": "fun_none", "budget": {"micro": 1}}
    assert client.post("/v1/programmes", json=asked, headers=operator).json()["code"] == "not_found"


@pytest.mark.parametrize("who", ["auditor", "admin of moz", "member of moz"])
def test_only_operators_write(client: httpx.Client, house: Any, programme: str, who: str) -> None:
    headers = house.headers(who)
    money = {"micro": 1}
    for path, body in (
        ("/v1/funders", {"name": "x"}),
        ("/v1/programmes", {"name": "x", "funder_id": "f", "budget": money}),
        ("/v1/grants", grant(house, programme)),
    ):
        answer = client.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path


def test_startups_do_not_see_funders_and_programmes(client: httpx.Client, house: Any) -> None:
    for path in ("/v1/funders", "/v1/programmes"):
        assert client.get(path).status_code == 403
        assert client.get(path, headers=house.headers("admin of moz")).status_code == 403
        assert client.get(path, headers=house.headers("auditor")).status_code == 200


def test_a_balance_adds_up(client: httpx.Client, house: Any, sampler: dict[str, Any]) -> None:
    for _ in range(3):
        client.post("/v1/jobs", json=sampler)
    told = client.get("/v1/projects/me/balance").json()
    funding.Balance.model_validate(told)
    assert told["held"] > 0
    for figures in (told, *told["grants"]):
        assert figures["granted"] == sum(figures[name] for name in ("settled", "held", "available", "expired"))
    statement = client.get("/v1/projects/me/statement").json()
    funding.Statement.model_validate(statement)
    assert {name: statement[name] for name in told} == told
    assert statement["jobs"] == {"queued": 3}
