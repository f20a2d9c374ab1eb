"""Acts on money that two operators must want."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model import Caller, Refusal
from store import audit_log
from store.rows import RequestRow

YUAN = 1_000_000
DAY_US = 86_400_000_000
SECOND = Caller("mem-second", None, "operator", "tok-second")


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def asked(zone: Any, kind: Any, subject: str, reason: str = "because", **body: Any) -> RequestRow:
    answer = zone.room.ask(zone.operator, kind, subject, body, reason)
    assert isinstance(answer, RequestRow), answer
    return answer


def approved(zone: Any, kind: Any, subject: str, **body: Any) -> RequestRow:
    answer = zone.room.decide_request(SECOND, asked(zone, kind, subject, **body).id, True)
    assert isinstance(answer, RequestRow), answer
    return answer


def unchanged(zone: Any, act: Callable[[], Any]) -> Refusal:
    """The refusal of an act that leaves nothing behind."""
    rows = zone.rows()
    answer = refusal(act())
    assert zone.rows() == rows
    return answer


def amounts(zone: Any, caller: Caller) -> dict[str, int]:
    """What is available of each grant."""
    balance = zone.room.balance(zone.operator, caller.project_id)
    return {line["id"]: line["available"] for line in balance["grants"]}


def test_it_is_posted_when_the_second_operator_approves(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    grant_id = zone.grant(ann.project_id, 10)
    row = asked(zone, "increase", grant_id, "a larger trial", amount=5)
    assert (row.state, row.asked_by, row.decided_by) == ("open", "mem-operator", None)
    assert amounts(zone, ann) == {grant_id: 10}, "asking posts nothing"
    assert zone.room.list_requests(zone.auditor, "open") == [row]
    zone.clock.pass_(60)
    done = zone.room.decide_request(SECOND, row.id, True)
    assert done == replace(row, state="approved", decided_by="mem-second", decided_us=zone.clock.now_us())
    assert amounts(zone, ann) == {grant_id: 15}
    assert zone.room.list_requests(zone.operator, "open") == []
    assert zone.room.list_requests(zone.operator, None) == [done]
    with zone.database.read() as conn:
        acts = [(one.act, one.actor) for one in audit_log.list_audit(conn, 10) if one.subject == row.id]
    assert sorted(acts) == [("request.approved", "mem-second"), ("request.ask", "mem-operator")]
    assert zone.violations() == []


def test_whoever_asked_does_not_approve(zone: Any) -> None:
    ann = zone.startup()
    (grant_id,) = amounts(zone, ann)
    row = asked(zone, "claw_back", grant_id, amount=1)
    other_token = replace(zone.operator, token_id="tok-other")
    for caller in (zone.operator, other_token):
        answer = unchanged(zone, lambda caller=caller: zone.room.decide_request(caller, row.id, True))
        assert (answer.code, answer.fields) == ("second_operator_needed", {"asked_by": "mem-operator"})
    taken_back = zone.room.decide_request(zone.operator, row.id, False)
    assert (taken_back.state, taken_back.decided_by) == ("refused", "mem-operator")
    assert amounts(zone, ann) == {grant_id: 10**7}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_a_request_is_decided_once(zone: Any, first: bool, second: bool) -> None:
    ann = zone.startup()
    (grant_id,) = amounts(zone, ann)
    row = asked(zone, "claw_back", grant_id, amount=1)
    zone.room.decide_request(SECOND, row.id, first)
    answer = unchanged(zone, lambda: zone.room.decide_request(SECOND, row.id, second))
    assert (answer.code, answer.fields) == ("request_closed", {"state": "approved" if first else "refused"})
    assert amounts(zone, ann) == {grant_id: 10**7 - first}


def test_of_two_operators_at_once_one_approves(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup()
    (grant_id,) = amounts(zone, ann)
    row = asked(zone, "claw_back", grant_id, amount=3)
    others = [Caller(f"mem-{number}", None, "operator", "tok") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: zone.room.decide_request(one, row.id, True), others))
    assert sorted(one.code if isinstance(one, Refusal) else one.state for one in answers) == [
        "approved",
        *["request_closed"] * 3,
    ]
    assert amounts(zone, ann) == {grant_id: 10**7 - 3}
    assert zone.violations() == []


def test_the_four_kinds_move_what_they_say(everywhere: Any) -> None:
    zone = everywhere
    programme = zone.programme("vouchers", ("city", 3), ("state", 1), budget=1_000)
    ann, bob = zone.startup("acme", grant=None), zone.startup("zeta", grant=None)
    mine = zone.grant(ann.project_id, 100, programme_id=programme)
    theirs = zone.grant(bob.project_id, 100, programme_id=programme)
    approved(zone, "increase", mine, amount=50)
    approved(zone, "transfer", mine, amount=30, to_grant_id=theirs)
    approved(zone, "claw_back", theirs, amount=20)
    assert {**amounts(zone, ann), **amounts(zone, bob)} == {mine: 120, theirs: 110}
    assert [left for _, left in zone.room.list_programmes(zone.operator)] == [1_000 - 200 - 50 + 20]
    assert zone.violations() == []


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("increase", {"amount": 10**15}, "programme_exhausted"),
        ("claw_back", {"amount": 10**7 + 1}, "grant_exhausted"),
        ("transfer", {"amount": 10**7 + 1, "to_grant_id": "SECOND"}, "grant_exhausted"),
        ("transfer", {"amount": 1, "to_grant_id": "FIRST"}, "transfer_mismatch"),
        ("transfer", {"amount": 1, "to_grant_id": "OTHER"}, "transfer_mismatch"),
        ("transfer", {"amount": 1, "to_grant_id": "grt-nowhere"}, "not_found"),
    ],
)
def test_what_cannot_be_carried_out_cannot_be_asked_for(zone: Any, kind: Any, body: dict[str, Any], code: str) -> None:
    ann = zone.startup()
    (first,) = amounts(zone, ann)
    names = {"FIRST": first, "SECOND": zone.grant(ann.project_id, 5)}
    names["OTHER"] = zone.grant(ann.project_id, 5, programme_id=zone.programme("other"))
    told = {name: names.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    answer = unchanged(zone, lambda: zone.room.ask(zone.operator, kind, first, told, "why"))
    assert answer.code == code
    assert answer.detail.endswith(".")


@pytest.mark.parametrize("kind", ["increase", "claw_back", "transfer", "correct"])
def test_what_is_not_there(zone: Any, kind: Any) -> None:
    bodies = {"transfer": {"amount": 1, "to_grant_id": "grt-x"}, "correct": {"usage": {"shots": 1}}}
    for subject in ("grt-nowhere", "job\x00", "", "x" * 101):
        body = bodies.get(kind, {"amount": 1})
        answer = unchanged(
            zone, lambda subject=subject, body=body: zone.room.ask(zone.operator, kind, subject, body, "y")
        )
        assert answer.code == "not_found"
    assert refusal(zone.room.decide_request(SECOND, "req-nowhere", True)).code == "not_found"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("gift", {"amount": 1}),
        ("increase", {}),
        ("increase", {"amount": 1, "to_grant_id": "x"}),
        ("transfer", {"amount": 1}),
        ("claw_back", {"usage": {}}),
        ("increase", {"amount": 0}),
        ("increase", {"amount": -1}),
        ("increase", {"amount": True}),
        ("increase", {"amount": 1.5}),
        ("increase", {"amount": "1"}),
        ("increase", {"amount": None}),
        ("increase", {"amount": 2**53 + 1}),
        ("correct", {"usage": None}),
        ("correct", {"usage": {}}),
        ("correct", {"usage": {"qpu": 1}}),
        ("correct", {"usage": {"qpu_ms": -1}}),
        ("correct", {"usage": {"qpu_ms": 1.0}}),
        ("correct", {"usage": {"qpu_ms": True}}),
        ("correct", {"usage": {"qpu_ms": 2**60}}),
    ],
)
def test_what_is_no_request(led: Any, kind: Any, body: dict[str, Any]) -> None:
    job = led.run(led.startup())
    answer = unchanged(led, lambda: led.room.ask(led.operator, kind, job.id, body, "why"))
    assert answer.code == "invalid_request"


@pytest.mark.parametrize("target", [["grt"], 5, None, "a b"])
def test_a_transfer_goes_to_a_grant(zone: Any, target: Any) -> None:
    (grant_id,) = amounts(zone, zone.startup())
    body = {"amount": 1, "to_grant_id": target}
    assert unchanged(zone, lambda: zone.room.ask(zone.operator, "transfer", grant_id, body, "y")).code == "not_found"


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_given(zone: Any, reason: str) -> None:
    (grant_id,) = amounts(zone, zone.startup())
    answer = unchanged(zone, lambda: zone.room.ask(zone.operator, "increase", grant_id, {"amount": 1}, reason))
    assert (answer.code, answer.fields["limit"]) == ("invalid_request", 500)


def test_a_grant_that_has_been_emptied_meanwhile(led: Any) -> None:
    """What was possible when it was asked for is not any more: it stays open, and is possible again later."""
    ann = led.startup(grant=200_000)
    (grant_id,) = amounts(led, ann)
    row = asked(led, "claw_back", grant_id, amount=150_000)
    job = led.submit(ann)
    answer = unchanged(led, lambda: led.room.decide_request(SECOND, row.id, True))
    assert (answer.code, answer.fields["available"]) == ("grant_exhausted", 200_000 - 126_100)
    assert led.room.list_requests(led.operator, "open") == [row]
    led.room.cancel(ann, job.id)
    led.turn()
    assert led.room.decide_request(SECOND, row.id, True).state == "approved"
    assert amounts(led, ann) == {grant_id: 50_000}
    assert led.violations() == []


@pytest.mark.parametrize("posted", [False, True])
def test_nothing_is_given_to_a_grant_whose_time_is_over(led: Any, posted: bool) -> None:
    """Before its end is posted as well: what came in between would be breakage at once."""
    ann = led.startup()
    (ending,) = amounts(led, ann)
    lasting = led.grant(ann.project_id, 100, until_us=led.clock.now_us() + 30 * DAY_US)
    increase = asked(led, "increase", ending, amount=5)
    into = asked(led, "transfer", lasting, amount=5, to_grant_id=ending)
    out = asked(led, "transfer", ending, amount=5, to_grant_id=lasting)
    led.clock.at_us += 2 * DAY_US
    if posted:
        led.turn()
        assert amounts(led, ann)[ending] == 0
    for row in (increase, into):
        answer = unchanged(led, lambda row=row: led.room.decide_request(SECOND, row.id, True))
        assert (answer.code, answer.fields["grant_id"]) == ("grant_expired", ending)
    if posted:
        assert unchanged(led, lambda: led.room.decide_request(SECOND, out.id, True)).code == "grant_expired"
    else:
        assert led.room.decide_request(SECOND, out.id, True).state == "approved"
    assert led.violations() == []


def test_who_may_what(zone: Any) -> None:
    ann = zone.startup()
    (grant_id,) = amounts(zone, ann)
    row = asked(zone, "increase", grant_id, amount=1)
    for caller in (ann, zone.member(ann.project_id, "member"), zone.auditor):
        startup = caller.project_id is not None
        for act in (
            lambda who=caller: zone.room.ask(who, "increase", grant_id, {"amount": 1}, "y"),
            lambda who=caller: zone.room.decide_request(who, row.id, True),
            lambda who=caller: zone.room.decide_request(who, row.id, False),
        ):
            assert unchanged(zone, act).code == "forbidden"
        for read in (zone.room.list_requests(caller, None), zone.room.grant(caller, grant_id)):
            assert isinstance(read, Refusal) == startup
    assert zone.room.grant(zone.operator, grant_id).id == grant_id
    assert refusal(zone.room.grant(zone.operator, "grt-nowhere")).code == "not_found"
