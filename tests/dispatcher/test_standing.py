"""Where a project stands: settled, in flight, committed, what is left, in whose money, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model import Refusal

DAY_US = 86_400_000_000
HELD = 126_100
FIGURES = ("granted", "settled", "held", "available", "expired")


def standing(zone: Any, caller: Any) -> dict[str, Any]:
    balance = zone.room.balance(caller, caller.project_id)
    assert isinstance(balance, dict)
    return balance


@pytest.mark.parametrize("act", ["balance", "statement"])
def test_a_project_is_there_for_its_own_people_and_for_the_facility(everywhere: Any, act: str) -> None:
    zone = everywhere
    admin, stranger = zone.startup("acme", grant=5), zone.startup("zeta", grant=None)
    ask = getattr(zone.room, act)
    for reader in (admin, zone.member(admin.project_id, "member"), zone.operator, zone.auditor):
        assert ask(reader, admin.project_id)["granted"] == 5
    for reader, project_id in ((stranger, admin.project_id), (admin, "prj-nowhere"), (zone.operator, "prj-nowhere")):
        answer = ask(reader, project_id)
        assert isinstance(answer, Refusal)
        assert (answer.code, answer.fields) == ("not_found", {"project_id": project_id})


def test_a_project_without_grants_stands_at_nothing(everywhere: Any) -> None:
    ann = everywhere.startup(grant=None)
    assert standing(everywhere, ann) == {
        "project_id": ann.project_id,
        "asset": "CNY",
        "granted": 0,
        "settled": 0,
        "held": 0,
        "available": 0,
        "expired": 0,
        "in_flight": 0,
        "committed": 0,
        "wallet": {"available": 0, "held": 0},
        "in_kind": {},
        "runs_out_us": everywhere.clock.now_us(),
        "grants": [],
    }


def test_a_balance_adds_up_grant_by_grant(led: Any) -> None:
    ann = led.startup(grant=200_000)
    led.grant(ann.project_id, 1_000_000, priority=1)
    led.run(ann)
    led.submit(ann)
    led.submit(ann)
    balance = standing(led, ann)
    assert [balance[name] for name in FIGURES] == [1_200_000, 2_600, 2 * HELD, 1_200_000 - 2_600 - 2 * HELD, 0]
    first, second = balance["grants"]
    assert [first[name] for name in FIGURES] == [200_000, 2_600, 200_000 - 2_600, 0, 0]
    assert [second[name] for name in FIGURES] == [1_000_000, 0, 2 * HELD - 197_400, 1_000_000 - 2 * HELD + 197_400, 0]
    assert (first["priority"], second["priority"]) == (0, 1)
    assert first["funders"] == [[first["funder_id"], 1]]


def test_what_waits_is_committed_and_what_runs_is_in_flight(everywhere: Any) -> None:
    led = everywhere
    led.lead()
    ann = led.startup()
    first, _ = led.submit(ann), led.submit(ann)
    assert [standing(led, ann)[name] for name in ("in_flight", "committed", "held")] == [0, 2 * HELD, 2 * HELD]
    (order,) = led.turn()
    led.started(order)
    led.turn()
    assert [standing(led, ann)[name] for name in ("in_flight", "committed", "held")] == [HELD, HELD, 2 * HELD]
    led.room.cancel(ann, first.id)
    assert led.job(first).state == "cancelling"
    assert standing(led, ann)["in_flight"] == HELD, "what is being stopped may still be charged"
    led.stopped(order, used_us=1_000)
    led.turn()
    assert [standing(led, ann)[name] for name in ("settled", "in_flight", "committed")] == [1_500, 0, HELD]
    assert led.violations() == []


def test_the_startups_own_money_stands_beside_its_grants(everywhere: Any) -> None:
    led = everywhere
    led.lead()
    ann = led.startup(grant=None)
    led.grant(ann.project_id, 10**6, programme_id=led.programme("half", share_ppm=500_000))
    led.top_up(ann.project_id, 10**5)
    led.run(ann)
    led.submit(ann)
    balance = standing(led, ann)
    assert balance["wallet"] == {"available": 10**5 - 1_300 - HELD // 2, "held": HELD // 2}
    assert [balance[name] for name in FIGURES] == [10**6, 1_300, HELD // 2, 10**6 - 1_300 - HELD // 2, 0]
    assert balance["committed"] == HELD, "whoever pays it"
    statement = led.room.statement(ann, ann.project_id)
    assert (statement["charged"], statement["settled"]) == (2_600, 1_300)


def test_another_asset_is_shown_with_its_grant_and_not_mixed_into_the_sum(everywhere: Any) -> None:
    led = everywhere
    led.lead()
    ann = led.startup(grant=10_000)
    hours = led.programme("hours", asset="qpu_ms")
    led.grant(ann.project_id, 500, programme_id=hours, asset="qpu_ms", priority=1)
    led.run(ann)
    balance = standing(led, ann)
    assert (balance["granted"], [grant["asset"] for grant in balance["grants"]]) == (10_000, ["CNY", "qpu_ms"])
    in_kind = balance["in_kind"]
    assert in_kind["qpu_ms"].pop("runs_out_us") > led.clock.now_us()
    assert (balance["settled"], in_kind) == (
        1_100,
        {"qpu_ms": {"granted": 500, "settled": 3, "held": 0, "available": 497, "expired": 0}},
    )
    assert led.violations() == []


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


# How long it will last.


def test_without_any_use_grants_last_to_their_ends(everywhere: Any) -> None:
    zone = everywhere
    now = zone.clock.now_us()
    ann = zone.startup(until_us=now + 5 * DAY_US)
    zone.grant(ann.project_id, 10, until_us=now + 90 * DAY_US)
    assert standing(zone, ann)["runs_out_us"] == now + 90 * DAY_US


def test_at_the_pace_of_its_use_a_grant_runs_out_before_its_end(everywhere: Any) -> None:
    """Two jobs of 2,600 in two days: 1,300,000 are left for five hundred days."""
    led = everywhere
    led.lead()
    now = led.clock.now_us()
    ann = led.startup(grant=1_305_200, until_us=now + 5_000 * DAY_US)
    led.run(ann)
    led.clock.pass_(2 * 86_400)
    led.run(ann)
    assert standing(led, ann)["runs_out_us"] == led.clock.now_us() + 500 * DAY_US
    led.submit(ann)
    left = 1_300_000 - HELD
    assert standing(led, ann)["runs_out_us"] == led.clock.now_us() + left * 2 * DAY_US // 5_200, "held counts as used"


def test_a_first_afternoon_is_taken_for_a_day(led: Any) -> None:
    now = led.clock.now_us()
    ann = led.startup(grant=2_600 * 11, until_us=now + 5_000 * DAY_US)
    led.grant(ann.project_id, HELD, until_us=now + 3_600_000_000, priority=-1)
    led.run(ann)
    led.clock.pass_(3_600)
    led.turn()
    used, rest = led.room.grants(ann, ann.project_id)[0], standing(led, ann)
    assert rest["expired"] == HELD - 2_600
    assert rest["runs_out_us"] == led.clock.now_us() + 11 * DAY_US
    assert used.expired is False


def test_what_others_pay_does_not_shorten_the_grants_in_money(led: Any) -> None:
    """A grant in milliseconds and the wallet pay nearly all; the grant in money pays 100 a job, so it lasts long."""
    now = led.clock.now_us()
    ann = led.startup(grant=None)
    led.grant(ann.project_id, 10_100, until_us=now + 5_000 * DAY_US, resources=("shots",))
    led.grant(ann.project_id, 10**6, programme_id=led.programme("hours", asset="qpu_ms"), asset="qpu_ms")
    led.top_up(ann.project_id, 10**6)
    led.run(ann)
    assert led.room.statement(ann, ann.project_id)["charged"] == 2_600
    assert standing(led, ann)["runs_out_us"] == led.clock.now_us() + 100 * DAY_US


def test_each_native_unit_runs_out_by_its_own_pace(everywhere: Any) -> None:
    led = everywhere
    led.lead()
    now = led.clock.now_us()
    ann = led.startup(grant=None)
    until_us = now + 900_000 * DAY_US
    led.grant(
        ann.project_id, 1_000, programme_id=led.programme("hours", asset="qpu_ms"), asset="qpu_ms", until_us=until_us
    )
    led.top_up(ann.project_id, 10**6)
    assert standing(led, ann)["in_kind"]["qpu_ms"]["runs_out_us"] == until_us
    led.run(ann)
    told = standing(led, ann)["in_kind"]["qpu_ms"]
    assert 0 < told["settled"] < 1_000
    assert told["runs_out_us"] == led.clock.now_us() + told["available"] * DAY_US // told["settled"]


def test_use_of_long_ago_says_nothing(led: Any) -> None:
    until_us = led.clock.now_us() + 100 * DAY_US
    ann = led.startup(grant=50 * 2_600, until_us=until_us)
    led.run(ann)
    assert standing(led, ann)["runs_out_us"] == led.clock.now_us() + 49 * DAY_US
    led.clock.pass_(31 * 86_400)
    assert standing(led, ann)["runs_out_us"] == until_us
