"""A startup's own money and its own limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dispatcher.model import Caller, Refusal
from dispatcher.purses import KEY_LENGTH_MAX
from dispatcher.rules import Rules
from ledger.model import MOST_MICRO
from store import audit_log

YUAN = 1_000_000
# What the usual job of these stories costs, and what is held for it.
PRICE, HELD = 2_600, 126_100


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def wallet(zone: Any, caller: Caller) -> int:
    found: int = zone.room.balance(zone.operator, caller.project_id)["wallet"]["available"]
    return found


def test_money_comes_in_and_goes_back(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    told = zone.room.top_up(zone.operator, ann.project_id, 5 * YUAN, "invoice 17")
    assert told == {
        "project_id": ann.project_id,
        "asset": "CNY",
        "amount": 5 * YUAN,
        "available": 5 * YUAN,
        "entry": f"top_up/{ann.project_id}/invoice 17",
        "again": False,
    }
    told = zone.room.pay_out(zone.operator, ann.project_id, 2 * YUAN, "refund 1")
    assert (told["available"], told["entry"]) == (3 * YUAN, f"pay_out/{ann.project_id}/refund 1")
    assert wallet(zone, ann) == 3 * YUAN
    with zone.database.read() as conn:
        logged = [(row.act, row.detail["amount"]) for row in audit_log.list_audit(conn, 10) if "wallet" in row.act]
    assert sorted(logged) == [("wallet.pay_out", 2 * YUAN), ("wallet.top_up", 5 * YUAN)]
    assert zone.violations() == []


def test_the_same_payment_again_books_nothing_and_answers_the_same(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    first = zone.room.top_up(zone.operator, ann.project_id, 5 * YUAN, "17")
    rows = zone.rows()
    zone.clock.pass_(60)
    assert zone.room.top_up(zone.operator, ann.project_id, 5 * YUAN, "17") == {**first, "again": True}
    assert zone.rows() == rows
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: zone.room.pay_out(zone.operator, ann.project_id, YUAN, "back"), range(4)))
    assert sorted(answer["again"] for answer in answers) == [False, True, True, True]
    assert wallet(zone, ann) == 4 * YUAN
    again = zone.room.pay_out(zone.operator, ann.project_id, YUAN, "back")
    assert again["again"], "known, not refused, although what is left would do"
    assert zone.violations() == []


def test_a_payment_that_emptied_the_wallet_is_still_known(zone: Any) -> None:
    ann = zone.startup(grant=None)
    zone.room.top_up(zone.operator, ann.project_id, YUAN, "1")
    zone.room.pay_out(zone.operator, ann.project_id, YUAN, "1")
    assert zone.room.pay_out(zone.operator, ann.project_id, YUAN, "1")["again"]
    assert wallet(zone, ann) == 0


def test_a_key_is_for_one_amount_in_one_direction_of_one_project(zone: Any) -> None:
    ann, bob = zone.startup("acme", grant=None), zone.startup("zeta", grant=None)
    zone.room.top_up(zone.operator, ann.project_id, 5 * YUAN, "17")
    rows = zone.rows()
    answer = refusal(zone.room.top_up(zone.operator, ann.project_id, 6 * YUAN, "17"))
    assert (answer.code, answer.fields) == (
        "already_exists",
        {"key": "17", "booked": 5 * YUAN, "amount": 6 * YUAN},
    )
    assert "5.000000 CNY" in answer.detail
    assert zone.rows() == rows
    assert not zone.room.pay_out(zone.operator, ann.project_id, YUAN, "17")["again"]
    assert not zone.room.top_up(zone.operator, bob.project_id, 6 * YUAN, "17")["again"]


def test_no_more_goes_back_than_is_available(led: Any) -> None:
    ann = led.startup(grant=None)
    led.room.top_up(led.operator, ann.project_id, YUAN, "1")
    led.submit(ann)
    rows = led.rows()
    answer = refusal(led.room.pay_out(led.operator, ann.project_id, YUAN, "2"))
    assert answer.code == "wallet_short", "a part of it is held for a job"
    assert (answer.fields["needed"], answer.fields["available"]) == (YUAN, YUAN - HELD)
    assert led.rows() == rows
    assert led.room.pay_out(led.operator, ann.project_id, YUAN - HELD, "2")["available"] == 0
    assert led.violations() == []


@pytest.mark.parametrize(
    ("amount", "key"),
    [(0, "1"), (-1, "1"), (MOST_MICRO + 1, "1"), (1, ""), (1, "  "), (1, "x" * (KEY_LENGTH_MAX + 1))],
)
def test_what_is_no_payment(zone: Any, amount: int, key: str) -> None:
    ann = zone.startup(grant=None)
    rows = zone.rows()
    for call in (zone.room.top_up, zone.room.pay_out):
        assert refusal(call(zone.operator, ann.project_id, amount, key)).code == "invalid_request"
    assert zone.rows() == rows


def test_only_operators_book_payments(zone: Any) -> None:
    ann = zone.startup(grant=None)
    rows = zone.rows()
    for caller in (ann, zone.auditor):
        for call in (zone.room.top_up, zone.room.pay_out):
            assert refusal(call(caller, ann.project_id, YUAN, "1")).code == "forbidden"
    assert refusal(zone.room.top_up(zone.operator, "prj-nowhere", YUAN, "1")).code == "not_found"
    assert zone.rows() == rows


def test_a_job_pays_its_own_share_and_gets_back_what_it_did_not_use(led: Any) -> None:
    ann = led.startup(grant=None)
    led.room.top_up(led.operator, ann.project_id, YUAN, "1")
    receipt = led.run(ann).receipt
    assert (receipt["copay"], receipt["subsidised"]) == (PRICE, 0)
    assert wallet(led, ann) == YUAN - PRICE
    assert led.violations() == []


def test_a_budget_counts_what_is_held_and_what_was_paid(led: Any) -> None:
    ann = led.startup()
    before = led.room.set_budget(ann, ann.project_id, "member", ann.member_id, HELD + PRICE)
    assert (before["claimed"], before["left"]) == (0, HELD + PRICE)
    led.run(ann)
    led.submit(ann)
    (told,) = led.room.list_budgets(ann, ann.project_id)
    assert told == {**before, "claimed": HELD + PRICE, "left": 0}
    rows = led.rows()
    answer = refusal(led.ask(ann, priority=1))
    assert answer.code == "budget_exhausted"
    assert (answer.fields["available"], answer.fields["member"]) == (0, ann.member_id)
    assert led.rows() == rows
    led.submit(led.member(ann.project_id, "member"))
    assert led.violations() == []


def test_a_budget_of_a_tag_is_for_jobs_with_it(led: Any) -> None:
    ann = led.startup()
    led.room.set_budget(ann, ann.project_id, "tag", "nightly", 0)
    assert refusal(led.ask(ann, tags=("nightly", "vqe"))).fields["tag"] == "nightly"
    led.submit(ann, tags=("vqe",))


def test_a_budget_is_changed_and_removed(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup()
    zone.room.set_budget(ann, ann.project_id, "tag", "nightly", 0)
    assert zone.room.set_budget(ann, ann.project_id, "tag", "nightly", YUAN)["limit"] == YUAN
    zone.submit(ann, tags=("nightly",))
    (told,) = zone.room.list_budgets(ann, ann.project_id)
    assert (told["limit"], told["claimed"]) == (YUAN, HELD)
    assert zone.room.remove_budget(ann, ann.project_id, "tag", "nightly") is None
    assert zone.room.list_budgets(ann, ann.project_id) == []
    rows = zone.rows()
    assert refusal(zone.room.remove_budget(ann, ann.project_id, "tag", "nightly")).code == "not_found"
    assert zone.rows() == rows
    assert zone.room.set_budget(ann, ann.project_id, "tag", "nightly", YUAN)["claimed"] == HELD, "not forgotten"
    with zone.database.read() as conn:
        acts = [row.act for row in audit_log.list_audit(conn, 10) if row.act.startswith("budget")]
    assert acts.count("budget.set") == 3
    assert acts.count("budget.remove") == 1


def test_a_year_is_the_facilitys(led: Any) -> None:
    """Half past midnight on New Year's Day in Shanghai is still the old year in UTC."""
    shanghai = ZoneInfo("Asia/Shanghai")
    zone = type(led)(led.database, led.folder, rules=Rules(zone=shanghai), clock=led.clock)
    midnight = round(datetime(2028, 1, 1, tzinfo=shanghai).timestamp()) * 1_000_000
    ann = zone.startup(grant=10**7, until_us=midnight + 10**12)
    zone.clock.at_us = midnight - 1
    zone.room.set_budget(ann, ann.project_id, "tag", "x", HELD)
    zone.submit(ann, tags=("x",))
    assert refusal(zone.ask(ann, tags=("x",), priority=1)).code == "budget_exhausted"
    assert zone.room.list_budgets(ann, ann.project_id)[0]["year"] == 2027
    zone.clock.at_us = midnight
    (told,) = zone.room.list_budgets(ann, ann.project_id)
    assert (told["year"], told["claimed"]) == (2028, 0)
    zone.submit(ann, tags=("x",), priority=1)


def test_a_budget_is_for_a_member_of_the_project(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    olga = zone.room.create_member(zone.operator, None, "Olga", "operator")
    rows = zone.rows()
    for member_id in (bob.member_id, olga.id, "mem-nobody"):
        answer = refusal(zone.room.set_budget(ann, ann.project_id, "member", member_id, 1))
        assert (answer.code, answer.fields) == ("not_found", {"member_id": member_id})
    for kind, key, limit in (("team", "x", 1), ("tag", "", 1), ("tag", "x", -1), ("tag", "x", MOST_MICRO + 1)):
        assert refusal(zone.room.set_budget(ann, ann.project_id, kind, key, limit)).code == "invalid_request"
    assert zone.rows() == rows


def test_who_may_set_and_see_budgets(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    mia, there = zone.member(ann.project_id, "member"), ann.project_id
    expected = {"admin": (ann, ""), "operator": (zone.operator, ""), "member": (mia, "forbidden")}
    expected |= {"auditor": (zone.auditor, "forbidden"), "stranger": (bob, "not_found")}
    for who, (caller, code) in expected.items():
        told = zone.room.set_budget(caller, there, "tag", who, 1)
        assert (told.code if isinstance(told, Refusal) else "") == code, who
        removed = zone.room.remove_budget(caller, there, "tag", who)
        assert ("" if removed is None else removed.code) == code, who
        listed = zone.room.list_budgets(caller, there)
        assert listed.code == "not_found" if isinstance(listed, Refusal) else listed == [], who
        assert isinstance(listed, Refusal) == (who == "stranger")
    assert refusal(zone.room.set_budget(zone.operator, "prj-nowhere", "tag", "x", 1)).code == "not_found"
    assert refusal(zone.room.list_budgets(zone.operator, "prj-nowhere")).code == "not_found"
