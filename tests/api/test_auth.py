"""Who gets in, and who is told what they need."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from api.answers import Refused
from api.auth import known_form, needs, needs_sight, project_of
from dispatcher.model import Caller

MEMBER = Caller("mem_1", "prj_1", "member", "tok_1")
OPERATOR = Caller("mem_0", None, "operator", "tok_0")
STRAY = Caller("mem_2", "prj_1", "operator", "tok_2")


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.refusal.code


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic cWI6cWI=",
        "Bearer nonsense",
        "Bearer qb_unknown",
        "Bearer qb_\x7f",
        "Bearer qb_ü",
        "Bearer " + "q" * 100_000,
        "qb_unknown",
    ],
)
def test_a_token_that_opens_nothing(stranger: httpx.Client, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    answer = stranger.get("/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_opens_its_own_project(client: httpx.Client, house: Any) -> None:
    told = client.get("/v1/me").json()
    assert (told["project_id"], told["role"]) == (house.projects["moz"], "member")
    lower = client.get("/v1/me", headers={"authorization": f"bearer {house.secrets['operator']}"}).json()
    assert (lower["project_id"], lower["role"]) == (None, "operator")


def test_an_expired_token_says_so(stranger: httpx.Client, house: Any) -> None:
    house.member("guest", house.projects["moz"], "member", expires_us=house.room.now_us() + 2_000_000)
    deadline_s = time.monotonic() + 10
    while stranger.get("/v1/me", headers=house.headers("guest")).status_code == 200:
        assert time.monotonic() < deadline_s
    answer = stranger.get("/v1/me", headers=house.headers("guest"))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_a_revoked_token_is_an_unknown_one(client: httpx.Client, house: Any) -> None:
    token_id = client.get("/v1/me").json()["token_id"]
    assert client.delete(f"/v1/tokens/{token_id}").status_code == 200
    assert client.get("/v1/me").json()["code"] == "unauthenticated"


def test_a_role_is_needed_and_named() -> None:
    needs(MEMBER, "member", "admin")
    with pytest.raises(Refused) as caught:
        needs(MEMBER, "admin", "operator")
    assert caught.value.refusal.detail == "This needs the role admin or operator; your token has the role member."
    assert caught.value.refusal.fields == {"role": "member", "needed": ["admin", "operator"]}


def test_an_operator_of_one_project_is_none_of_the_facility() -> None:
    needs(OPERATOR, "operator")
    assert refused(needs, STRAY, "operator") == "forbidden"


def test_another_project_does_not_exist() -> None:
    needs_sight(MEMBER, "prj_1")
    needs_sight(OPERATOR, "prj_2")
    assert refused(needs_sight, MEMBER, "prj_2") == "not_found"
    assert refused(needs_sight, OPERATOR, "prj\x00") == "not_found"


def test_me_is_the_project_of_the_token() -> None:
    assert project_of(MEMBER, "me") == "prj_1"
    assert project_of(MEMBER, "prj_1") == "prj_1"
    assert refused(project_of, OPERATOR, "me") == "invalid_request"
    assert refused(project_of, MEMBER, "prj_2") == "not_found"


@pytest.mark.parametrize("identifier", ["", "a/b", "a\x00", "é", "x" * 101, "a b", "a\n"])
def test_an_id_that_cannot_be_one_is_not_found(identifier: str) -> None:
    assert refused(known_form, identifier, "job") == "not_found"


@pytest.mark.parametrize("odd", ["%00", "%0A", "..%2F..", "%F0%9F%92%A9", "'%20OR%201=1", "x" * 300, "%FF"])
def test_odd_ids_never_reach_the_room(
    client: httpx.Client, house: Any, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    for name in ("job", "result", "backend", "balance"):
        monkeypatch.setattr(house.room, name, None)
    for path in ("jobs/{}", "jobs/{}/result", "jobs/{}/events", "backends/{}", "projects/{}/balance"):
        assert client.get(f"/v1/{path.format(odd)}").json()["code"] == "not_found", path
