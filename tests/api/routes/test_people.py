"""Projects, members and tokens: who may make whom, and what a secret is shown for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.schemas import people

EVERYBODY = ("operator", "auditor", "admin of moz", "member of moz", "admin of lao", "member of lao")


def allowed(client: httpx.Client, house: Any, method: str, path: str, body: Any = None) -> dict[str, int]:
    """The status that each of the people gets."""
    told = {}
    for who in EVERYBODY:
        answer = client.request(method, path, json=body, headers=house.headers(who))
        assert answer.status_code < 400 or answer.headers["content-type"] == "application/problem+json"
        told[who] = answer.status_code
    return told


def statuses(*found: int) -> dict[str, int]:
    return dict(zip(EVERYBODY, found, strict=True))


def test_who_am_i(client: httpx.Client, house: Any) -> None:
    told = client.get("/v1/me").json()
    people.CallerTold.model_validate(told)
    assert (told["role"], told["project_id"]) == ("member", house.projects["moz"])


def test_everybody_lists_the_projects_that_exist_for_them(client: httpx.Client, house: Any) -> None:
    def names(who: str) -> set[str]:
        told = client.get("/v1/projects", headers=house.headers(who)).json()
        people.ProjectList.model_validate(told)
        return {project["name"] for project in told["projects"]}

    assert names("operator") == names("auditor") == {"moz", "lao"}
    assert names("admin of moz") == names("member of moz") == {"moz"}


def test_operators_make_projects(client: httpx.Client, house: Any) -> None:
    assert allowed(client, house, "POST", "/v1/projects", {"name": "new"}) == statuses(201, 403, 403, 403, 403, 403)
    answer = client.post("/v1/projects", json={"name": "new"}, headers=house.headers("operator"))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")
    made = client.post("/v1/projects", json={"name": "third", "weight": 7}, headers=house.headers("operator"))
    people.Project.model_validate(made.json())
    assert (made.json()["weight"], made.headers["location"]) == (7, f"/v1/projects/{made.json()['id']}")


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "a\x00"}, {"name": "a", "weight": 0}, {"name": "a", "weight": True}, [], {"nam": 1}],
)
def test_what_is_no_project(client: httpx.Client, house: Any, body: Any) -> None:
    answer = client.post("/v1/projects", json=body, headers=house.headers("operator"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["", "/members", "/tokens", "/grants", "/balance", "/statement"])
def test_a_project_is_read_by_its_people_and_those_above(client: httpx.Client, house: Any, path: str) -> None:
    moz = f"/v1/projects/{house.projects['moz']}{path}"
    assert allowed(client, house, "GET", moz) == statuses(200, 200, 200, 200, 404, 404)
    assert allowed(client, house, "GET", f"/v1/projects/me{path}") == statuses(422, 422, 200, 200, 200, 200)
    assert allowed(client, house, "GET", f"/v1/projects/prj_none{path}") == statuses(404, 404, 404, 404, 404, 404)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("member", statuses(201, 403, 201, 403, 404, 404)),
        ("admin", statuses(201, 403, 201, 403, 404, 404)),
        ("auditor", statuses(422, 403, 403, 403, 404, 404)),
        ("operator", statuses(422, 403, 403, 403, 404, 404)),
    ],
)
def test_who_makes_members_of_a_project(client: httpx.Client, house: Any, role: str, expected: dict[str, int]) -> None:
    path = f"/v1/projects/{house.projects['moz']}/members"
    assert allowed(client, house, "POST", path, {"name": "Li Hua", "role": role}) == expected


def test_a_new_member_is_listed_and_gets_a_token_that_works(client: httpx.Client, house: Any) -> None:
    admin = house.headers("admin of moz")
    member = client.post("/v1/projects/me/members", json={"name": "Li Hua"}, headers=admin).json()
    people.Member.model_validate(member)
    assert member in client.get("/v1/projects/me/members").json()["members"]
    asked = {"member_id": member["id"], "label": "laptop"}
    made = client.post("/v1/projects/me/tokens", json=asked, headers=admin)
    people.TokenMade.model_validate(made.json())
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["secret"]
    assert secret.startswith("qb_")
    who = client.get("/v1/me", headers={"authorization": f"Bearer {secret}"}).json()
    assert (who["member_id"], who["token_id"]) == (member["id"], made.json()["id"])
    assert secret not in client.get("/v1/projects/me/tokens", headers=admin).text


def test_a_token_lives_for_a_year_unless_told_otherwise(client: httpx.Client, house: Any) -> None:
    default = client.post("/v1/projects/me/tokens", json={}).json()
    assert default["expires_us"] - default["created_us"] == pytest.approx(365 * 86_400_000_000, abs=10_000_000)
    soon = house.room.now_us() + 10**9
    assert client.post("/v1/projects/me/tokens", json={"expires_us": soon}).json()["expires_us"] == soon
    assert client.post("/v1/projects/me/tokens", json={"expires_us": 5}).json()["code"] == "invalid_request"


def test_members_make_tokens_for_themselves_only(client: httpx.Client, house: Any) -> None:
    admin_id = client.get("/v1/me", headers=house.headers("admin of moz")).json()["member_id"]
    assert client.post("/v1/projects/me/tokens", json={"member_id": admin_id}).status_code == 403
    assert client.post("/v1/projects/me/tokens", json={"role": "admin"}).status_code == 403
    assert client.post("/v1/projects/me/tokens", json={"role": "operator"}).status_code == 403
    own = client.post("/v1/projects/me/tokens", json={"label": "mine"}).json()
    mine = client.get("/v1/projects/me/tokens").json()["tokens"]
    assert {token["member_id"] for token in mine} == {own["member_id"]}
    everybodys = client.get("/v1/projects/me/tokens", headers=house.headers("admin of moz")).json()["tokens"]
    assert len({token["member_id"] for token in everybodys}) == 2


def test_admins_cannot_rise_above_their_project(client: httpx.Client, house: Any) -> None:
    admin = house.headers("admin of moz")
    theirs = client.get("/v1/me", headers=house.headers("member of lao")).json()["member_id"]
    for body in ({"role": "operator"}, {"role": "auditor"}):
        assert client.post("/v1/projects/me/tokens", json=body, headers=admin).status_code == 403
    assert client.post("/v1/projects/me/tokens", json={"member_id": theirs}, headers=admin).status_code == 404
    lao = f"/v1/projects/{house.projects['lao']}"
    assert client.post(f"{lao}/tokens", json={}, headers=admin).status_code == 404
    assert client.post(f"{lao}/members", json={"name": "x"}, headers=admin).status_code == 404


def test_revoking_is_for_those_who_could_have_made_the_token(client: httpx.Client, house: Any) -> None:
    def revoke(token_id: str, who: str) -> int:
        return client.delete(f"/v1/tokens/{token_id}", headers=house.headers(who)).status_code

    token = client.post("/v1/projects/me/tokens", json={}).json()
    assert revoke(token["id"], "auditor") == 403
    assert revoke(token["id"], "admin of lao") == 404
    assert revoke(token["id"], "member of lao") == 404
    assert revoke(token["id"], "member of moz") == 200
    assert client.get("/v1/me", headers={"authorization": f"Bearer {token['secret']}"}).status_code == 401
    again = client.delete(f"/v1/tokens/{token['id']}", headers=house.headers("admin of moz"))
    people.Token.model_validate(again.json())
    assert again.json()["revoked_us"] is not None
    assert revoke("tok_none", "operator") == 404


def test_operators_make_operators_and_auditors_of_the_facility(client: httpx.Client, house: Any) -> None:
    body = {"name": "auditor general", "role": "auditor"}
    assert allowed(client, house, "POST", "/v1/facility/members", body) == statuses(201, 403, 403, 403, 403, 403)
    assert allowed(client, house, "GET", "/v1/facility/members") == statuses(200, 200, 403, 403, 403, 403)
    assert allowed(client, house, "GET", "/v1/facility/tokens") == statuses(200, 200, 403, 403, 403, 403)
    operator = house.headers("operator")
    told = client.get("/v1/facility/members", headers=operator).json()
    people.MemberList.model_validate(told)
    (made,) = [member for member in told["members"] if member["name"] == "auditor general"]
    asked = {"member_id": made["id"], "role": "auditor"}
    assert allowed(client, house, "POST", "/v1/facility/tokens", asked) == statuses(201, 403, 403, 403, 403, 403)
    people.TokenList.model_validate(client.get("/v1/facility/tokens", headers=operator).json())
    member = {"name": "x", "role": "member"}
    assert client.post("/v1/facility/members", json=member, headers=operator).json()["code"] == "invalid_request"
