"""Who pays for what: funders, programmes and grants. (Where a project stands: test_standing.)"""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model import GrantTerms, Refusal
from store import audit_log, book

DAY_US = 86_400_000_000
HELD = 126_100


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def programme(zone: Any, budget: int = 1_000, *funders: tuple[str, int]) -> Any:
    shares = [(zone.funder(name), weight) for name, weight in funders or (("city", 1),)]
    return zone.room.create_programme(zone.operator, "vouchers", shares, "CNY", budget)


def issue(zone: Any, project_id: str, programme_id: str, amount: int = 10, **terms: Any) -> Any:
    now = zone.clock.now_us()
    asked = {"valid_from_us": now, "valid_until_us": now + DAY_US, "priority": 0, "asset": "CNY"} | terms
    return zone.room.issue_grant(
        zone.operator, GrantTerms(project_id=project_id, programme_id=programme_id, amount=amount, **asked)
    )


def test_a_budget_is_pledged_and_given_away(zone: Any) -> None:
    ann = zone.startup(grant=None)
    vouchers = programme(zone, 1_000)
    assert zone.room.list_programmes(zone.operator) == [(vouchers, 1_000)]
    grant = issue(zone, ann.project_id, vouchers.id, 400, priority=2)
    assert (grant.amount, grant.funders, grant.priority, grant.expired) == (400, ((vouchers.funder_id, 1),), 2, False)
    assert zone.room.list_programmes(zone.auditor) == [(vouchers, 600)]
    assert zone.room.grants(ann, ann.project_id) == [grant]
    assert refusal(issue(zone, ann.project_id, vouchers.id, 601)).code == "programme_exhausted"
    assert zone.violations() == []


def test_every_act_is_in_the_audit_log_with_its_actor(zone: Any) -> None:
    ann = zone.startup(grant=None)
    vouchers = programme(zone)
    zone.room.raise_budget(zone.operator, vouchers.id, 5, "2027")
    grant = issue(zone, ann.project_id, vouchers.id)
    with zone.database.read() as conn:
        rows = list(reversed(audit_log.list_audit(conn, 4)))
    assert [(row.actor, row.act, row.subject) for row in rows] == [
        ("mem-operator", "funder.create", vouchers.funder_id),
        ("mem-operator", "programme.create", vouchers.id),
        ("mem-operator", "programme.raise", vouchers.id),
        ("mem-operator", "grant.issue", grant.id),
    ]
    assert rows[1].detail["funders"] == [[vouchers.funder_id, 1]]
    assert rows[2].detail == {"amount": 5, "key": "2027"}


# A programme with several funders.


def pledged(zone: Any) -> dict[str, int]:
    with zone.database.read() as conn:
        return {name: -amount for (name, _), amount in book.all_balances(conn).items() if name.startswith("funder/")}


def test_two_funders_share_a_programme_one_to_one_and_each_pays_half_of_every_job(led: Any) -> None:
    ann = led.startup(grant=None)
    both = programme(led, 10**6, ("state", 1), ("club", 1))
    state, club = (funder_id for funder_id, _ in both.funders)
    assert (both.funder_id, pledged(led)) == (state, {f"funder/{state}": 500_000, f"funder/{club}": 500_000})
    assert led.room.list_programmes(led.operator) == [(both, 10**6)]
    led.grant(ann.project_id, 10**6)
    led.run(ann)
    led.rate("shots", 1, 1)
    led.submit(ann, work={"shots": 1_001})
    (order,) = led.turn()
    led.succeeded(order, shots=1_001)
    led.turn()
    with led.database.read() as conn:
        earned = {name: amount for (name, _), amount in book.all_balances(conn).items() if "earned" in name}
    assert earned == {f"facility/earned/funder/{state}": 1_300 + 1_751, f"facility/earned/funder/{club}": 1_300 + 1_750}
    assert led.violations() == []


def test_weights_share_every_pledge_and_what_does_not_divide_is_the_first_ones(zone: Any) -> None:
    vouchers = programme(zone, 100, ("state", 2), ("club", 1))
    state, club = (funder_id for funder_id, _ in vouchers.funders)
    assert pledged(zone) == {f"funder/{state}": 67, f"funder/{club}": 33}
    assert zone.room.raise_budget(zone.operator, vouchers.id, 5, "more") == vouchers
    assert pledged(zone) == {f"funder/{state}": 71, f"funder/{club}": 34}
    assert zone.violations() == []


def test_the_same_raise_again_changes_nothing(zone: Any) -> None:
    vouchers = programme(zone, 100, ("state", 1), ("club", 1))
    zone.room.raise_budget(zone.operator, vouchers.id, 10, "2027")
    rows, before = zone.rows(), pledged(zone)
    answer = refusal(zone.room.raise_budget(zone.operator, vouchers.id, 10, "2027"))
    assert (answer.code, answer.fields) == ("already_exists", {"key": "2027"})
    assert refusal(zone.room.raise_budget(zone.operator, "pgm-nowhere", 10, "2027")).code == "not_found"
    assert refusal(zone.room.raise_budget(zone.operator, vouchers.id, 0, "0")).code == "invalid_request"
    assert (zone.rows(), pledged(zone)) == (rows, before)
    zone.room.raise_budget(zone.operator, vouchers.id, 10, "2028")
    assert zone.room.list_programmes(zone.operator) == [(vouchers, 120)]


def test_a_budget_reaches_every_funder_or_is_refused_with_what_is_needed(zone: Any) -> None:
    shares = [(zone.funder("state"), 5), (zone.funder("club"), 2), (zone.funder("bank"), 3)]

    def create(name: str, budget: int) -> Any:
        return zone.room.create_programme(zone.operator, name, shares, "CNY", budget)

    for budget in (-7, 0, 1, 4):
        answer = refusal(create("vouchers", budget))
        assert (answer.code, answer.fields) == ("invalid_request", {"budget": budget, "least": 5})
        assert answer.detail == f"budget is {budget}; at least 5 is needed, so that each funder pledges 1 or more."
    assert not isinstance(create("vouchers", 5), Refusal)
    assert min(pledged(zone).values()) == 1
    alone = zone.room.create_programme(zone.operator, "alone", shares[:1], "CNY", 0)
    assert refusal(alone).detail == "budget is 0; at least 1 is needed."


ACTS = {
    "create_funder": lambda room, who, ids: room.create_funder(who, "bank"),
    "create_programme": lambda room, who, ids: room.create_programme(who, "more", [(ids["funder"], 1)], "CNY", 5),
    "raise_budget": lambda room, who, ids: room.raise_budget(who, ids["programme"], 5, "key"),
    "issue_grant": lambda room, who, ids: room.issue_grant(
        who, GrantTerms(ids["project"], ids["programme"], "CNY", 5, 0, ids["until"], 0)
    ),
    "list_funders": lambda room, who, ids: room.list_funders(who),
    "list_programmes": lambda room, who, ids: room.list_programmes(who),
    "grants": lambda room, who, ids: room.grants(who, ids["project"]),
}
EXPECTED = {  # member, admin, a stranger, operator, auditor: f(orbidden), n(ot found), y(es)
    "create_funder": "fffyf",
    "create_programme": "fffyf",
    "raise_budget": "fffyf",
    "issue_grant": "fffyf",
    "list_funders": "fffyy",
    "list_programmes": "fffyy",
    "grants": "yynyy",
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
    ann, bob = zone.startup(grant=None), zone.startup("zeta", grant=None)
    vouchers = programme(zone)
    city = [(vouchers.funder_id, 1)]
    now = zone.clock.now_us()
    hours = zone.room.create_programme(zone.operator, "hours", city, "qpu_ms", 50)
    rows = zone.rows()

    def code(answer: Any) -> str:
        assert zone.rows() == rows
        return refusal(answer).code

    assert code(zone.room.create_funder(zone.operator, "city")) == "already_exists"
    make = zone.room.create_programme
    assert code(make(zone.operator, "vouchers", city, "CNY", 1)) == "already_exists"
    assert code(make(zone.operator, "other", [("fun-nowhere", 1)], "CNY", 1)) == "not_found"
    assert code(make(zone.operator, "other", [*city, ("fun-nowhere", 1)], "CNY", 9)) == "not_found"
    assert code(make(zone.operator, "other", city, "CNY", 0)) == "invalid_request"
    assert code(make(zone.operator, "other", city, "EUR", 1)) == "invalid_request"
    assert code(make(zone.operator, "other", [], "CNY", 1)) == "invalid_request"
    assert code(make(zone.operator, "other", [(vouchers.funder_id, 0)], "CNY", 1)) == "invalid_request"
    assert code(make(zone.operator, "other", city * 2, "CNY", 9)) == "invalid_request"
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
    # A restriction that nothing could ever meet is a mistake, and nobody would notice it later.
    assert code(issue(zone, ann.project_id, vouchers.id, resources=("qubits",))) == "invalid_request"
    assert code(issue(zone, ann.project_id, vouchers.id, backends=("aer", "ibm_torino"))) == "invalid_request"
    assert code(issue(zone, ann.project_id, vouchers.id, members=("mem-nobody",))) == "not_found"
    assert code(issue(zone, ann.project_id, vouchers.id, members=(ann.member_id, bob.member_id))) == "not_found"
    in_kind = {"asset": "qpu_ms", "resources": ("shots",)}
    assert code(issue(zone, ann.project_id, hours.id, **in_kind)) == "invalid_request"


# Grants that pay for some things only.


def payers(job: Any, zone: Any) -> dict[str, int]:
    with zone.database.read() as conn:
        hold = book.hold_of(conn, job.id)
    found: dict[str, int] = {}
    for part in hold.slices:
        found[part.payer] = found.get(part.payer, 0) + part.amount
    return found


def test_a_grant_for_one_backend_pays_for_no_other(zone: Any) -> None:
    ann = zone.startup(grant=None)
    narrow = zone.grant(ann.project_id, 10**6, backends=("aer-mps",))
    answer = refusal(zone.ask(ann, backend="aer"))
    assert answer.code == "wallet_short"
    assert answer.fields["sources"][0]["why_not_more"] == "other_backend"
    assert "is for other backends" in answer.detail
    assert payers(zone.submit(ann, backend="aer-mps"), zone) == {narrow: HELD}
    wide = zone.grant(ann.project_id, 10**6)
    assert payers(zone.submit(ann, backend="aer"), zone) == {wide: HELD}
    assert payers(zone.submit(ann, backend="aer-mps"), zone) == {narrow: HELD}, "the restricted one burns first"
    assert zone.violations() == []


def test_a_grant_for_one_member_pays_for_no_other(zone: Any) -> None:
    ann = zone.startup(grant=None)
    bo = zone.member(ann.project_id, "member")
    own = zone.grant(ann.project_id, 10**6, members=(bo.member_id,))
    answer = refusal(zone.ask(ann))
    assert (answer.code, answer.fields["sources"][0]["why_not_more"]) == ("wallet_short", "other_member")
    assert payers(zone.submit(bo), zone) == {own: HELD}
    assert zone.room.grants(ann, ann.project_id)[0].members == (bo.member_id,)


def test_a_grant_for_one_resource_leaves_the_others_to_the_next(zone: Any) -> None:
    ann = zone.startup(grant=None)
    time_only = zone.grant(ann.project_id, 10**6, resources=("qpu_ms",))
    zone.top_up(ann.project_id, 1_100)
    assert payers(zone.submit(ann), zone) == {time_only: 125_000, "wallet": 1_100}
    answer = refusal(zone.ask(ann))
    assert (answer.code, answer.fields["missing"]) == ("wallet_short", 1_100)
    assert zone.violations() == []
