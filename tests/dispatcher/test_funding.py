"""Who pays for what: funders, programmes, grants, and where a project stands."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model import Refusal
from store import audit_log

DAY_US = 86_400_000_000
HELD = 126_100


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def programme(zone: Any, budget: int = 1_000) -> Any:
    funder = zone.room.create_funder(zone.operator, "city")
    return zone.room.create_programme(zone.operator, "vouchers", funder.id, "CNY", budget)


def issue(zone: Any, project_id: str, programme_id: str, amount: int = 10, **terms: Any) -> Any:
    now = zone.clock.now_us()
    asked = {"valid_from_us": now, "valid_until_us": now + DAY_US, "priority": 0, "asset": "CNY"} | terms
    return zone.room.issue_grant(
        terms.get("caller", zone.operator),
        project_id,
        programme_id,
        asked["asset"],
        amount,
        asked["valid_from_us"],
        asked["valid_until_us"],
        asked["priority"],
    )


def test_a_budget_is_pledged_and_given_away(zone: Any) -> None:
    ann = zone.startup(grant=None)
    vouchers = programme(zone, 1_000)
    assert zone.room.list_programmes(zone.operator) == [(vouchers, 1_000)]
    grant = issue(zone, ann.project_id, vouchers.id, 400, priority=2)
    assert (grant.amount, grant.funder_id, grant.priority, grant.expired) == (400, vouchers.funder_id, 2, False)
    assert zone.room.list_programmes(zone.auditor) == [(vouchers, 600)]
    assert zone.room.grants(ann, ann.project_id) == [grant]
    assert refusal(issue(zone, ann.project_id, vouchers.id, 601)).code == "programme_exhausted"
    assert zone.violations() == []


def test_every_act_is_in_the_audit_log_with_its_actor(zone: Any) -> None:
    ann = zone.startup(grant=None)
    vouchers = programme(zone)
    grant = issue(zone, ann.project_id, vouchers.id)
    with zone.database.read() as conn:
        acts = [(row.actor, row.act, row.subject) for row in reversed(audit_log.list_audit(conn, 3))]
    assert acts == [
        ("mem-operator", "funder.create", vouchers.funder_id),
        ("mem-operator", "programme.create", vouchers.id),
        ("mem-operator", "grant.issue", grant.id),
    ]


ACTS = {
    "create_funder": lambda room, who, ids: room.create_funder(who, "state"),
    "create_programme": lambda room, who, ids: room.create_programme(who, "more", ids["funder"], "CNY", 5),
    "issue_grant": lambda room, who, ids: room.issue_grant(
        who, ids["project"], ids["programme"], "CNY", 5, 0, ids["until"], 0
    ),
    "list_funders": lambda room, who, ids: room.list_funders(who),
    "list_programmes": lambda room, who, ids: room.list_programmes(who),
    "grants": lambda room, who, ids: room.grants(who, ids["project"]),
    "balance": lambda room, who, ids: room.balance(who, ids["project"]),
    "statement": lambda room, who, ids: room.statement(who, ids["project"]),
}
EXPECTED = {  # member, admin, a stranger, operator, auditor: f(orbidden), n(ot found), y(es)
    "create_funder": "fffyf",
    "create_programme": "fffyf",
    "issue_grant": "fffyf",
    "list_funders": "fffyy",
    "list_programmes": "fffyy",
    "grants": "yynyy",
    "balance": "yynyy",
    "statement": "yynyy",
}
WORDS = {"f": "forbidden", "n": "not_found", "y": "yes"}


@pytest.mark.parametrize("act", ACTS)
def test_who_may_what(zone: Any, act: str) -> None:
    vouchers = programme(zone)
    admin = zone.startup("acme", grant=None)
    callers = [zone.member(admin.project_id, "member"), admin, zone.startup("zeta", grant=None)]
    ids = {"project": admin.project_id, "programme": vouchers.id, "funder": vouchers.funder_id}
    ids["until"] = zone.clock.now_us() + DAY_US
    for caller, expected in zip([*callers, zone.operator, zone.auditor], EXPECTED[act], strict=True):
        rows = zone.rows()
        answer = ACTS[act](zone.room, caller, ids)
        assert (answer.code if isinstance(answer, Refusal) else "yes") == WORDS[expected], caller
        if expected != "y":
            assert zone.rows() == rows


def test_what_does_not_fit_is_refused_without_a_trace(zone: Any) -> None:
    ann = zone.startup(grant=None)
    vouchers = programme(zone)
    now = zone.clock.now_us()
    hours = zone.room.create_programme(zone.operator, "hours", vouchers.funder_id, "qpu_ms", 50)
    rows = zone.rows()

    def code(answer: Any) -> str:
        assert zone.rows() == rows
        return refusal(answer).code

    assert code(zone.room.create_funder(zone.operator, "city")) == "already_exists"
    make = zone.room.create_programme
    assert code(make(zone.operator, "vouchers", vouchers.funder_id, "CNY", 1)) == "already_exists"
    assert code(make(zone.operator, "other", "fun-nowhere", "CNY", 1)) == "not_found"
    assert code(make(zone.operator, "other", vouchers.funder_id, "CNY", 0)) == "invalid_request"
    assert code(issue(zone, "prj-nowhere", vouchers.id)) == "not_found"
    assert code(issue(zone, ann.project_id, "pgm-nowhere")) == "not_found"
    assert code(issue(zone, ann.project_id, vouchers.id, 0)) == "invalid_request"
    assert code(issue(zone, ann.project_id, vouchers.id, -5)) == "invalid_request"
    assert code(issue(zone, ann.project_id, hours.id)) == "invalid_request"
    assert code(issue(zone, ann.project_id, vouchers.id, valid_until_us=now)) == "invalid_request"
    past = {"valid_from_us": now - DAY_US, "valid_until_us": now - 1}
    assert code(issue(zone, ann.project_id, vouchers.id, **past)) == "invalid_request"
    later = {"valid_from_us": now + DAY_US, "valid_until_us": now + DAY_US}
    assert code(issue(zone, ann.project_id, vouchers.id, **later)) == "invalid_request"
    assert code(issue(zone, ann.project_id, vouchers.id, 1_001)) == "programme_exhausted"


def test_a_project_without_grants_stands_at_nothing(zone: Any) -> None:
    ann = zone.startup(grant=None)
    balance = zone.room.balance(ann, ann.project_id)
    assert balance == {
        "project_id": ann.project_id,
        "asset": "CNY",
        "granted": 0,
        "settled": 0,
        "held": 0,
        "available": 0,
        "expired": 0,
        "grants": [],
    }
    assert zone.room.balance(ann, "prj-nowhere").code == "not_found"


def test_a_balance_adds_up_grant_by_grant(led: Any) -> None:
    ann = led.startup(grant=200_000)
    led.grant(ann.project_id, 1_000_000, priority=1)
    led.run(ann)
    led.submit(ann)
    led.submit(ann)
    balance = led.room.balance(ann, ann.project_id)
    names = ("granted", "settled", "held", "available", "expired")
    assert [balance[name] for name in names] == [1_200_000, 2_600, 2 * HELD, 1_200_000 - 2_600 - 2 * HELD, 0]
    first, second = balance["grants"]
    assert [first[name] for name in names] == [200_000, 2_600, 200_000 - 2_600, 0, 0]
    assert [second[name] for name in names] == [1_000_000, 0, 2 * HELD - 197_400, 1_000_000 - 2 * HELD + 197_400, 0]
    assert (first["priority"], second["priority"]) == (0, 1)


def test_a_statement_counts_the_jobs_and_what_the_facility_bore(led: Any) -> None:
    ann = led.startup()
    led.run(ann)
    job = led.submit(ann)
    led.room.cancel(ann, job.id)
    long = led.submit(ann)
    (order,) = led.turn()
    led.succeeded(order, used_us=1_000_000)
    led.turn()
    led.submit(ann)
    statement = led.room.statement(ann, ann.project_id)
    assert statement["jobs"] == {"succeeded": 2, "cancelled": 1, "queued": 1}
    price = led.job(long).receipt["price"]
    assert statement["charged"] == 2_600 + HELD == statement["settled"]
    assert statement["absorbed_by_facility"] == price - HELD
    assert statement["at_us"] == led.clock.now_us()


def test_another_asset_is_shown_with_its_grant_and_not_mixed_into_the_sum(zone: Any) -> None:
    ann = zone.startup(grant=1_000)
    funder = zone.room.create_funder(zone.operator, "state")
    hours = zone.room.create_programme(zone.operator, "hours", funder.id, "qpu_ms", 50)
    issue(zone, ann.project_id, hours.id, 50, asset="qpu_ms")
    balance = zone.room.balance(ann, ann.project_id)
    assert (balance["granted"], [grant["asset"] for grant in balance["grants"]]) == (1_000, ["CNY", "qpu_ms"])
    assert zone.violations() == []
