"""Who there is and who may what: projects, members, tokens, and the first operator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model import Caller, Refusal
from dispatcher.people import secret_hash
from store import audit_log

DAY_US = 86_400_000_000


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def callers(zone: Any) -> dict[str, Caller]:
    """One of each role: two of acme, one of zeta, and the facility's own."""
    admin = zone.startup("acme", grant=None)
    return {
        "member": zone.member(admin.project_id, "member"),
        "admin": admin,
        "stranger": zone.startup("zeta", grant=None),
        "operator": zone.operator,
        "auditor": zone.auditor,
    }


def told(answer: Any) -> str:
    return answer.code if isinstance(answer, Refusal) else "yes"


ROLES = ("member", "admin", "stranger", "operator", "auditor")
# What each role is told, in that order: f(orbidden), n(ot found), or y(es).
MATRIX: list[tuple[str, Any, str]] = [
    ("create_project", lambda room, who, there: room.create_project(who, "new"), "fffyf"),
    ("create_member", lambda room, who, there: room.create_member(who, there, "Bo", "member"), "fynyf"),
    ("create_admin", lambda room, who, there: room.create_member(who, there, "Bo", "admin"), "fynyf"),
    ("create_operator", lambda room, who, there: room.create_member(who, None, "Bo", "operator"), "fffyf"),
    ("list_members", lambda room, who, there: room.list_members(who, there), "yynyy"),
    ("list_facility_members", lambda room, who, there: room.list_members(who, None), "fffyy"),
    ("list_tokens", lambda room, who, there: room.list_tokens(who, there), "yynyy"),
    ("list_facility_tokens", lambda room, who, there: room.list_tokens(who, None), "fffyy"),
]
WORDS = {"f": "forbidden", "n": "not_found", "y": "yes"}


@pytest.mark.parametrize("number", range(len(ROLES)), ids=ROLES)
@pytest.mark.parametrize(
    ("act", "expected"), [(act, told) for _, act, told in MATRIX], ids=[name for name, *_ in MATRIX]
)
def test_who_may_what(zone: Any, act: Any, expected: str, number: int) -> None:
    everybody = callers(zone)
    rows = zone.rows()
    answer = act(zone.room, everybody[ROLES[number]], everybody["admin"].project_id)
    assert told(answer) == WORDS[expected[number]]
    if expected[number] != "y":
        assert zone.rows() == rows


def test_a_project_is_written_with_its_weight_and_told_to_the_scheduler(led: Any) -> None:
    row = led.room.create_project(led.operator, "acme", 300)
    assert (row.name, row.weight, row.created_us) == ("acme", 300, led.clock.now_us())
    led.turn()
    assert led.dispatcher._state.projects[row.id].weight == 300
    with led.database.read() as conn:
        (entry,) = audit_log.list_audit(conn, 10)
    assert (entry.actor, entry.act, entry.subject) == ("mem-operator", "project.create", row.id)
    assert entry.detail == {"name": "acme", "weight": 300}


@pytest.mark.parametrize("weight", [0, -1, 1_000_001])
def test_a_weight_has_its_limits(zone: Any, weight: int) -> None:
    rows = zone.rows()
    assert refusal(zone.room.create_project(zone.operator, "acme", weight)).code == "invalid_request"
    assert zone.rows() == rows


def test_a_name_is_given_once_even_at_the_same_moment(zone: Any) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: zone.room.create_project(zone.operator, "acme"), range(4)))
    assert sorted(map(told, answers)) == ["already_exists"] * 3 + ["yes"]
    assert zone.rows()["projects"] == 1


def test_projects_as_each_sees_them(zone: Any) -> None:
    ann, bob = zone.startup("acme", grant=None), zone.startup("zeta", grant=None)
    assert [row.id for row in zone.room.list_projects(ann)] == [ann.project_id]
    assert [row.name for row in zone.room.list_projects(zone.operator)] == ["acme", "zeta"]
    assert zone.room.list_projects(zone.auditor) == zone.room.list_projects(zone.operator)
    assert zone.room.get_project(ann, ann.project_id).name == "acme"
    assert zone.room.get_project(ann, bob.project_id) is None
    assert zone.room.get_project(zone.operator, "prj-nowhere") is None


def test_roles_live_where_they_belong(zone: Any) -> None:
    ann = zone.startup(grant=None)
    for project_id, role in (
        (ann.project_id, "operator"),
        (ann.project_id, "auditor"),
        (None, "member"),
        (None, "admin"),
    ):
        answer = refusal(zone.room.create_member(zone.operator, project_id, "Bo", role))
        assert (answer.code, answer.fields) == ("invalid_request", {"role": role})
    assert refusal(zone.room.create_member(ann, ann.project_id, "Bo", "operator")).fields["needed"] == "operator"
    assert refusal(zone.room.create_member(zone.operator, "prj-nowhere", "Bo", "member")).code == "not_found"


def test_a_token_opens_the_door_for_whom_it_was_made(zone: Any) -> None:
    ann = zone.startup()
    token, secret = zone.room.create_token(ann, ann.project_id, ann.member_id, "admin", "laptop", None)
    assert zone.room.authenticate(secret) == Caller(ann.member_id, ann.project_id, "admin", token.id)
    assert (token.label, token.expires_us, token.revoked_us) == ("laptop", None, None)
    assert secret.startswith("qb_")
    assert len(secret) == 3 + 43, "256 random bits"


def test_the_secret_is_nowhere_in_the_store(zone: Any) -> None:
    ann = zone.startup()
    _, secret = zone.room.create_token(ann, ann.project_id, ann.member_id, "admin", "laptop", None)
    with zone.database.read() as conn:
        dump = [str(tuple(row)) for name in zone.rows() for row in conn.exec_driver_sql(f'SELECT * FROM "{name}"')]
    assert not any(secret in line for line in dump)
    assert sum(secret_hash(secret) in line for line in dump) == 1


@pytest.mark.parametrize("secret", ["", "qb_", "qb_nobody", "Bearer", "qb_\x00", "é" * 500])
def test_an_unknown_secret_opens_nothing(zone: Any, secret: str) -> None:
    assert refusal(zone.room.authenticate(secret)).code == "unauthenticated"


def test_a_token_expires_at_its_moment(zone: Any) -> None:
    ann = zone.startup()
    until_us = zone.clock.now_us() + DAY_US
    _, secret = zone.room.create_token(ann, ann.project_id, ann.member_id, "member", "x", until_us)
    zone.clock.at_us = until_us - 1
    assert isinstance(zone.room.authenticate(secret), Caller)
    zone.clock.at_us = until_us
    answer = refusal(zone.room.authenticate(secret))
    assert (answer.code, answer.fields) == ("token_expired", {"expired_us": until_us})


def test_a_token_cannot_be_born_expired(zone: Any) -> None:
    ann = zone.startup()
    rows = zone.rows()
    now = zone.clock.now_us()
    answer = zone.room.create_token(ann, ann.project_id, ann.member_id, "member", "x", now)
    assert (refusal(answer).code, zone.rows()) == ("invalid_request", rows)


def test_a_revoked_token_opens_nothing_and_is_revoked_once(zone: Any) -> None:
    ann = zone.startup()
    token, secret = zone.room.create_token(ann, ann.project_id, ann.member_id, "member", "x", None)
    revoked = zone.room.revoke_token(ann, token.id)
    assert revoked.revoked_us == zone.clock.now_us()
    assert refusal(zone.room.authenticate(secret)).code == "unauthenticated", "not even that it existed is told"
    rows = zone.rows()
    zone.clock.pass_(5)
    assert zone.room.revoke_token(ann, token.id) == revoked
    assert zone.rows() == rows


def test_members_make_tokens_for_themselves_alone(zone: Any) -> None:
    ann = zone.startup()
    mia, project_id = zone.member(ann.project_id, "member"), ann.project_id
    zeta = zone.startup("zeta")

    def make(caller: Caller, project_id: str | None, member_id: str, role: str) -> str:
        rows = zone.rows()
        answer = told(zone.room.create_token(caller, project_id, member_id, role, "x", None))
        assert answer == "yes" or zone.rows() == rows
        return answer

    assert make(mia, project_id, mia.member_id, "member") == "yes"
    assert make(mia, project_id, mia.member_id, "admin") == "forbidden"
    assert make(mia, project_id, ann.member_id, "member") == "forbidden"
    assert make(mia, None, mia.member_id, "member") == "forbidden", "a token without a project would see them all"
    assert make(mia, zeta.project_id, mia.member_id, "member") == "not_found"
    assert make(ann, project_id, mia.member_id, "member") == "yes"
    assert make(ann, project_id, ann.member_id, "admin") == "yes"
    assert make(ann, project_id, ann.member_id, "operator") == "forbidden"
    assert make(ann, None, ann.member_id, "admin") == "forbidden"
    assert make(ann, project_id, zeta.member_id, "member") == "not_found"
    assert make(ann, zeta.project_id, zeta.member_id, "member") == "not_found"
    assert make(zone.auditor, project_id, mia.member_id, "member") == "forbidden"
    assert make(zone.operator, project_id, mia.member_id, "member") == "yes"
    assert make(zone.operator, None, mia.member_id, "operator") == "not_found", "she is no member of the facility"
    assert make(zone.operator, None, "mem-nobody", "operator") == "not_found"
    assert make(zone.operator, project_id, mia.member_id, "operator") == "invalid_request"


def test_the_facilitys_own_people_and_tokens_are_listed_apart(zone: Any) -> None:
    ann = zone.startup()
    olga = zone.room.create_member(zone.operator, None, "Olga", "operator")
    facility, _ = zone.room.create_token(zone.operator, None, olga.id, "operator", "desk", None)
    own, _ = zone.room.create_token(ann, ann.project_id, ann.member_id, "admin", "laptop", None)
    assert zone.room.list_members(zone.operator, None) == [olga]
    assert [row.id for row in zone.room.list_members(zone.operator, ann.project_id)] == [ann.member_id]
    assert zone.room.list_tokens(zone.auditor, None) == [facility]
    assert zone.room.list_tokens(zone.auditor, ann.project_id) == [own]
    mia = zone.member(ann.project_id, "member")
    mias, _ = zone.room.create_token(mia, ann.project_id, mia.member_id, "member", "x", None)
    assert zone.room.list_tokens(mia, ann.project_id) == [mias], "a member sees their own"
    assert zone.room.list_tokens(ann, ann.project_id) == [own, mias]


def test_who_may_revoke_whose_token(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    mia = zone.member(ann.project_id, "member")
    olga = zone.room.create_member(zone.operator, None, "Olga", "operator")

    def token_of(caller: Caller, role: str) -> str:
        return zone.room.create_token(zone.operator, caller.project_id, caller.member_id, role, "x", None)[0].id

    facility = token_of(replace(zone.operator, member_id=olga.id), "operator")
    anns, mias = token_of(ann, "admin"), token_of(mia, "member")
    assert told(zone.room.revoke_token(mia, anns)) == "not_found"
    assert told(zone.room.revoke_token(bob, anns)) == "not_found"
    assert told(zone.room.revoke_token(ann, facility)) == "not_found"
    assert told(zone.room.revoke_token(ann, "tok-nowhere")) == "not_found"
    assert told(zone.room.revoke_token(zone.auditor, anns)) == "forbidden"
    assert told(zone.room.revoke_token(mia, mias)) == "yes"
    assert told(zone.room.revoke_token(ann, anns)) == "yes"
    assert told(zone.room.revoke_token(zone.operator, facility)) == "yes"


def test_the_first_operator_is_made_once(everywhere: Any) -> None:
    zone = everywhere
    with ThreadPoolExecutor(4) as pool:
        secrets = [one for one in pool.map(lambda _: zone.room.first_operator(), range(4)) if one is not None]
    assert len(secrets) == 1
    caller = zone.room.authenticate(secrets[0])
    assert (caller.role, caller.project_id) == ("operator", None)
    assert zone.room.first_operator() is None
    zone.room.revoke_token(caller, caller.token_id)
    assert zone.room.first_operator() is None, "not even when that token was revoked"
