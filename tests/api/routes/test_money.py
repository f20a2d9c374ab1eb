"""Wallets, budgets, rates, terms and requests over HTTP: who may what, and every answer as it is described."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from api.schemas import money, people

YUAN = 1_000_000
PLUS: dict[str, Any] = {
    "name": "Startup plus",
    "funders": [{"name": "City fund", "weight": 3}, {"name": "State", "weight": 1}],
    "budget": "1000",
    "cap_project_year": "10",
    "rules": [{"share": "60 %", "stages": ["seed"]}, {"share": "50 %"}],
}
PAYMENT = {"amount": {"micro": 5 * YUAN, "asset": "CNY"}, "key": "invoice 17"}
PEOPLE = ("operator", "auditor", "admin of moz", "member of moz", "admin of lao")


@pytest.fixture
def call(client: httpx.Client, house: Any) -> Any:
    """`call(who, method, path, body)` → status and document; "{moz}" stands for the project."""

    def send(who: str, method: str, path: str, body: object = None, **params: str) -> tuple[int, Any]:
        path = path.replace("{moz}", house.projects["moz"])
        sent = {} if body is None else {"json": body}
        answer = client.request(method, path, headers=house.headers(who), params=params or None, **sent)
        return answer.status_code, answer.json()

    return send


def told(model: type[BaseModel], answer: tuple[int, Any], status: int = 200) -> Any:
    """The document of an answer, which is as it is described: nothing more in it, nothing less."""
    found, document = answer
    assert found == status, document
    parsed = model.model_validate(document)
    assert parsed.model_extra == {}
    return document


@pytest.fixture
def second(house: Any) -> str:
    house.member("second", None, "operator")
    return "second"


@pytest.fixture
def grant_id(call: Any) -> str:
    (grant,) = call("operator", "GET", "/v1/projects/{moz}/grants")[1]["grants"]
    return str(grant["id"])


ACT = {"kind": "claw_back", "subject": "grt_none", "body": {"amount": 1}, "reason": "why"}
MATRIX = [
    # method, path, body, and the statuses for PEOPLE
    ("POST", "/v1/projects/{moz}/wallet", PAYMENT, (201, 403, 403, 403, 403)),
    ("GET", "/v1/projects/{moz}/budgets", None, (200, 200, 200, 200, 404)),
    ("PUT", "/v1/projects/{moz}/budgets", {"kind": "tag", "key": "x", "limit": 1}, (200, 403, 200, 403, 404)),
    ("DELETE", "/v1/projects/{moz}/budgets?kind=tag&key=known", None, (200, 403, 200, 403, 404)),
    ("PUT", "/v1/projects/{moz}/profile", {"stage": "seed"}, (200, 403, 403, 403, 403)),
    ("GET", "/v1/rates", None, (200, 200, 200, 200, 200)),
    ("POST", "/v1/rates", {"resource": "qpu_ms", "unit_price": 1}, (201, 403, 403, 403, 403)),
    ("POST", "/v1/programmes/apply", {"programmes": [PLUS]}, (200, 403, 403, 403, 403)),
    ("POST", "/v1/programmes/apply", {"programmes": [PLUS], "dry_run": True}, (200, 403, 403, 403, 403)),
    ("GET", "/v1/programmes/{pgm}/terms", None, (200, 200, 403, 403, 403)),
    ("GET", "/v1/requests", None, (200, 200, 403, 403, 403)),
    ("POST", "/v1/requests", ACT, (404, 403, 403, 403, 403)),
    ("POST", "/v1/requests/req_none/approve", None, (404, 403, 403, 403, 403)),
    ("POST", "/v1/requests/req_none/refuse", None, (404, 403, 403, 403, 403)),
]


@pytest.mark.parametrize("number", range(len(PEOPLE)), ids=PEOPLE)
@pytest.mark.parametrize(("method", "path", "body", "statuses"), MATRIX, ids=[f"{row[0]} {row[1]}" for row in MATRIX])
def test_who_may_what(
    call: Any, house: Any, method: str, path: str, body: Any, statuses: tuple[int, ...], number: int
) -> None:
    call("operator", "PUT", "/v1/projects/{moz}/budgets", {"kind": "tag", "key": "known", "limit": 1})
    programme = call("operator", "GET", "/v1/programmes")[1]["programmes"][0]["id"]
    status, document = call(PEOPLE[number], method, path.replace("{pgm}", programme), body)
    assert status == statuses[number], document
    if status >= 400:
        assert document["code"] == {403: "forbidden", 404: "not_found"}[status]


def test_nothing_is_told_without_a_token(stranger: httpx.Client) -> None:
    for method, path, *_ in MATRIX:
        assert stranger.request(method, path).status_code == 401, path


def test_a_payment_is_booked_once(call: Any) -> None:
    where = "/v1/projects/{moz}/wallet"
    first = told(money.Booked, call("operator", "POST", where, PAYMENT), 201)
    assert (first["amount"], first["available"], first["again"]) == (5 * YUAN, 5 * YUAN, False)
    again = told(money.Booked, call("operator", "POST", where, PAYMENT), 200)
    assert again == {**first, "again": True}
    status, other = call("operator", "POST", where, {**PAYMENT, "amount": {"micro": 6 * YUAN}})
    assert (status, other["code"], other["booked"]) == (409, "already_exists", 5 * YUAN)
    back = {"amount": {"micro": 6 * YUAN}, "key": "refund", "direction": "out"}
    status, short = call("operator", "POST", where, back)
    assert (status, short["code"], short["available"], short["needed"]) == (402, "wallet_short", 5 * YUAN, 6 * YUAN)
    back["amount"] = {"micro": 5 * YUAN}
    assert told(money.Booked, call("operator", "POST", where, back), 201)["available"] == 0
    balance = call("member of moz", "GET", "/v1/projects/me/balance")[1]
    assert balance["wallet"] == {"available": 0, "held": 0}


def test_a_wallet_holds_the_facilitys_money_of_a_project_that_is_there(call: Any) -> None:
    euros = {"amount": {"micro": 1, "asset": "EUR"}, "key": "1"}
    status, answer = call("operator", "POST", "/v1/projects/{moz}/wallet", euros)
    assert (status, answer["detail"]) == (422, "A wallet holds CNY, not EUR.")
    assert call("operator", "POST", "/v1/projects/prj_none/wallet", PAYMENT)[0] == 404
    assert call("operator", "POST", "/v1/projects/me/wallet", PAYMENT)[0] == 422


def test_a_budget_is_set_counted_and_removed(call: Any, client: httpx.Client, sampler: dict[str, Any]) -> None:
    where = "/v1/projects/me/budgets"
    wanted = {"kind": "tag", "key": "nightly", "limit": 50 * YUAN}
    told(money.Budget, call("admin of moz", "PUT", where, wanted))
    made = client.post("/v1/jobs", json={**sampler, "tags": ["nightly"]}).json()
    (row,) = told(money.BudgetList, call("member of moz", "GET", where))["budgets"]
    assert "quote" in made, made
    ceiling = made["quote"]["ceiling"]["micro"]
    assert (row["limit"], row["claimed"], row["left"]) == (50 * YUAN, ceiling, 50 * YUAN - ceiling)
    told(money.Budget, call("admin of moz", "PUT", where, {**wanted, "limit": 0}))
    answer = client.post("/v1/jobs", json={**sampler, "tags": ["nightly"], "name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (402, "budget_exhausted")
    left = told(money.BudgetList, call("admin of moz", "DELETE", where, kind="tag", key="nightly"))
    assert left == {"budgets": []}
    assert call("admin of moz", "DELETE", where, kind="tag", key="nightly")[0] == 404


def test_a_budget_is_for_a_member_of_the_project(call: Any, house: Any) -> None:
    (theirs, *_) = call("operator", "GET", f"/v1/projects/{house.projects['lao']}/members")[1]["members"]
    wanted = {"kind": "member", "key": theirs["id"], "limit": 1}
    status, answer = call("admin of moz", "PUT", "/v1/projects/me/budgets", wanted)
    assert (status, answer["code"]) == (404, "not_found")


@pytest.mark.parametrize("query", [{}, {"kind": "tag"}, {"kind": "team", "key": "x"}, {"kind": "tag", "key": "a\x00"}])
def test_a_budget_to_remove_is_named(call: Any, query: dict[str, str]) -> None:
    status, answer = call("admin of moz", "DELETE", "/v1/projects/me/budgets", **query)
    assert (status, answer["code"]) == (422, "invalid_request")


def test_a_startup_is_described(call: Any) -> None:
    where = "/v1/projects/{moz}/profile"
    (funder,) = call("operator", "GET", "/v1/funders")[1]["funders"]
    profile = {"stage": "seed", "founded_us": 5, "traits": ["small"], "related": ["bureau", "aer"]}
    row = told(people.DescribedProject, call("operator", "PUT", where, profile))
    assert row.pop("warnings") == ["no programme asks for stage 'seed'", "no programme asks for the trait 'small'"]
    assert row["related"] == [funder["id"], "aer"]
    assert call("member of moz", "GET", "/v1/projects/{moz}")[1] == row
    status, answer = call("operator", "PUT", where, {"related": ["burau"]})
    assert (status, answer["related"]) == (422, "burau")
    assert call("operator", "PUT", where, {"founded_us": 2**62})[0] == 422
    assert call("operator", "PUT", "/v1/projects/prj_none/profile", {})[0] == 404


def test_the_rate_card(call: Any) -> None:
    before = told(money.RateCard, call("member of moz", "GET", "/v1/rates"))
    assert before["asset"] == "CNY"
    assert [row["resource"] for row in before["rates"]] == ["job", "qpu_ms", "shots"]
    wanted = {"resource": "qpu_ms", "unit_price": 700, "backend": "simulator", "hours": [22, 6]}
    line = told(money.Rate, call("operator", "POST", "/v1/rates", wanted), 201)
    assert {name: line[name] for name in wanted} == wanted
    assert told(money.RateCard, call("member of moz", "GET", "/v1/rates"))["rates"] == [*before["rates"], line]


@pytest.mark.parametrize(
    "change",
    [
        {"resource": "time"},
        {"backend": "aer9"},
        {"hours": [8, 8]},
        {"hours": [8, 25]},
        {"valid_from_us": 5},
        {"valid_until_us": 5},
        {"unit_price": -1},
        {"unit_price": 10**12},
        {"quantum": 0},
    ],
)
def test_what_is_no_rate(call: Any, change: dict[str, Any]) -> None:
    status, answer = call("operator", "POST", "/v1/rates", {"resource": "qpu_ms", "unit_price": 1, **change})
    assert (status, answer["code"]) == (422, "invalid_request")
    assert len(call("operator", "GET", "/v1/rates")[1]["rates"]) == 3


def test_programmes_are_applied_after_a_dry_run(call: Any) -> None:
    before = call("operator", "GET", "/v1/programmes")[1]
    dry = told(money.Applied, call("operator", "POST", "/v1/programmes/apply", {"programmes": [PLUS], "dry_run": True}))
    assert dry["dry_run"]
    assert call("operator", "GET", "/v1/programmes")[1] == before
    done = told(money.Applied, call("operator", "POST", "/v1/programmes/apply", {"programmes": [PLUS]}))
    assert done["applied"][0]["changes"] == dry["applied"][0]["changes"]
    assert "+ rule 1: 60 %, stage seed" in done["applied"][0]["changes"]
    programme = done["applied"][0]["programme_id"]
    changed = {**PLUS, "rules": [{"share": "40 %"}]}
    told(money.Applied, call("operator", "POST", "/v1/programmes/apply", {"programmes": [changed]}))
    versions = told(money.TermsList, call("auditor", "GET", f"/v1/programmes/{programme}/terms"))["terms"]
    assert [(one["version"], one["rules"][0]["share_ppm"]) for one in versions] == [(1, 600_000), (2, 400_000)]
    assert call("auditor", "GET", "/v1/programmes/pgm_none/terms")[0] == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"rules": [{"shrae": "5 %"}]}, "/programmes/0/rules/0/share"),
        ({"rules": [{"share": "30"}]}, "/programmes/0/rules/0/share"),
        ({"budget": 1.5}, "/programmes/0/budget"),
        ({"valid_from": "soon"}, "/programmes/0/valid_from"),
    ],
)
def test_a_mistake_in_a_programme_is_named(call: Any, change: dict[str, Any], pointer: str) -> None:
    wanted = {"programmes": [{**PLUS, **change}]}
    status, answer = call("operator", "POST", "/v1/programmes/apply", wanted)
    assert (status, answer["code"]) == (422, "invalid_request")
    assert pointer in [error["pointer"] for error in answer["errors"]]


@pytest.mark.parametrize("programmes", [[{**PLUS, "budget": "0"}], [PLUS, PLUS], [{**PLUS, "excluded": ["x"]}]])
def test_what_can_be_no_programme(call: Any, programmes: list[Any]) -> None:
    status, answer = call("operator", "POST", "/v1/programmes/apply", {"programmes": programmes})
    assert (status, answer["code"]) == (422, "invalid_request")
    assert "Startup plus" in answer["detail"]


def test_a_request_is_approved_by_a_second_operator(call: Any, second: str, grant_id: str) -> None:
    wanted = {"kind": "claw_back", "subject": grant_id, "body": {"amount": YUAN}, "reason": "moved away"}
    row = told(money.Act, call("operator", "POST", "/v1/requests", wanted), 201)
    assert {name: row[name] for name in wanted} == wanted
    assert told(money.ActList, call("auditor", "GET", "/v1/requests", state="open")) == {"requests": [row]}
    status, answer = call("operator", "POST", f"/v1/requests/{row['id']}/approve")
    assert (status, answer["code"]) == (403, "second_operator_needed")
    before = call("operator", "GET", "/v1/projects/{moz}/balance")[1]["available"]
    done = told(money.Act, call(second, "POST", f"/v1/requests/{row['id']}/approve"))
    assert (done["state"], done["decided_by"] != done["asked_by"]) == ("approved", True)
    assert before - call("operator", "GET", "/v1/projects/{moz}/balance")[1]["available"] == YUAN
    status, answer = call(second, "POST", f"/v1/requests/{row['id']}/refuse")
    assert (status, answer["code"], answer["state"]) == (409, "request_closed", "approved")
    assert call("auditor", "GET", "/v1/requests", state="open")[1] == {"requests": []}


def test_a_request_is_taken_back(call: Any, grant_id: str) -> None:
    wanted = {"kind": "increase", "subject": grant_id, "body": {"amount": 1}, "reason": "more"}
    row = call("operator", "POST", "/v1/requests", wanted)[1]
    assert told(money.Act, call("operator", "POST", f"/v1/requests/{row['id']}/refuse"))["state"] == "refused"


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("increase", {"amount": 10**12}, 402, "programme_exhausted"),
        ("claw_back", {"amount": 10**12}, 402, "grant_exhausted"),
        ("transfer", {"amount": 1, "to_grant_id": "{grant}"}, 422, "transfer_mismatch"),
        ("transfer", {"amount": 1, "to_grant_id": "grt_none"}, 404, "not_found"),
        ("transfer", {"amount": 1, "to_grant_id": ["x"]}, 404, "not_found"),
        ("transfer", {"amount": 1}, 422, "invalid_request"),
        ("increase", {"amount": True}, 422, "invalid_request"),
        ("increase", {"amount": 1.5}, 422, "invalid_request"),
        ("gift", {"amount": 1}, 422, "invalid_request"),
        ("correct", {"usage": {"shots": 1}}, 404, "not_found"),
        ("correct", {"usage": {"shots": "1"}}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_asked_for(
    call: Any, grant_id: str, kind: str, body: dict[str, Any], status: int, code: str
) -> None:
    named = {name: grant_id if value == "{grant}" else value for name, value in body.items()}
    wanted = {"kind": kind, "subject": grant_id, "body": named, "reason": "why"}
    found, answer = call("operator", "POST", "/v1/requests", wanted)
    assert (found, answer["code"]) == (status, code)
    assert call("operator", "GET", "/v1/requests")[1] == {"requests": []}


def test_a_job_that_waits_cannot_be_corrected(call: Any, client: httpx.Client, sampler: dict[str, Any]) -> None:
    job = client.post("/v1/jobs", json=sampler).json()["id"]
    wanted = {"kind": "correct", "subject": job, "body": {"usage": {"shots": 1}}, "reason": "why"}
    status, answer = call("operator", "POST", "/v1/requests", wanted)
    assert (status, answer["code"], answer["state"]) == (409, "hold_not_settled", "open")


def test_ids_and_decisions_that_can_be_none(call: Any) -> None:
    assert call("operator", "POST", "/v1/requests/a%20b/approve")[0] == 404
    assert call("operator", "POST", "/v1/requests/req_1/perhaps")[0] == 422
    assert call("operator", "GET", "/v1/requests", state="pending")[0] == 422
    assert call("operator", "GET", "/v1/programmes/a%20b/terms")[0] == 404
