"""Programmes as data: what a plan makes, what it changes, and that a dry run and a refusal leave no trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model import Refusal
from dispatcher.plans import ProgrammePlan
from ledger.terms import Rule, Terms
from store import audit_log
from store import terms as terms_store

YUAN = 1_000_000
HALF = Terms("", 0, (Rule(500_000),), cap_project_year=10 * YUAN)
PLUS = ProgrammePlan("Startup plus", (("City", 1),), "CNY", 1_000 * YUAN, HALF)
JOINT = ProgrammePlan("Joint", (("City", 3), ("District", 1)), "CNY", 400 * YUAN, Terms("", 0, (Rule(200_000),)))


def contents(zone: Any) -> dict[str, list[str]]:
    """Every row of every table."""
    with zone.database.read() as conn:
        return {
            name: sorted(str(tuple(row)) for row in conn.exec_driver_sql(f'SELECT * FROM "{name}"'))
            for name in zone.rows()
        }


def apply(zone: Any, *plans: ProgrammePlan, dry_run: bool = False) -> Any:
    return zone.room.apply_programmes(zone.operator, plans, dry_run)


def refused(zone: Any, *plans: ProgrammePlan) -> Refusal:
    """The refusal of plans, the same in a dry run, after which the store is as it was."""
    before = contents(zone)
    answers = [apply(zone, *plans, dry_run=dry_run) for dry_run in (True, False)]
    assert isinstance(answers[0], Refusal), answers[0]
    assert answers[0] == answers[1]
    assert contents(zone) == before
    return answers[0]


def budgets(zone: Any) -> dict[str, tuple[int, list[int]]]:
    return {
        row.name: (left, [weight for _, weight in row.shares]) for row, left in zone.room.list_programmes(zone.operator)
    }


def test_a_plan_makes_funders_programme_budget_and_terms(everywhere: Any) -> None:
    zone = everywhere
    (made,) = apply(zone, JOINT)
    assert made.changes == (
        "+ funder City",
        "+ funder District",
        "+ programme Joint: 400.000000 CNY of City 3 : District 1",
        "+ rule 1: 20 %",
    )
    assert budgets(zone) == {"Joint": (400 * YUAN, [3, 1])}
    (terms,) = zone.room.terms_of(zone.operator, made.programme_id)
    assert terms == replace(JOINT.terms, programme_id=made.programme_id, version=1)
    with zone.database.read() as conn:
        acts = [row.act for row in audit_log.list_audit(conn, 10)]
    assert sorted(acts) == ["funder.create", "funder.create", "programme.apply"]
    assert zone.violations() == []


def test_a_dry_run_tells_the_same_and_writes_nothing(everywhere: Any) -> None:
    zone = everywhere
    before = contents(zone)
    dry = apply(zone, PLUS, JOINT, dry_run=True)
    assert contents(zone) == before
    done = apply(zone, PLUS, JOINT)
    assert [one.changes for one in dry] == [one.changes for one in done]
    assert [one.programme_id for one in dry] == [None, None]
    assert done[1].changes[0] == "+ funder District", "the city has been made for the first programme already"
    changed = replace(PLUS, budget=2_000 * YUAN, terms=Terms("", 0, (Rule(600_000),)))
    before = contents(zone)
    assert apply(zone, changed, dry_run=True) == apply(zone, changed, dry_run=True)
    assert contents(zone) == before
    assert apply(zone, changed, dry_run=True) == apply(zone, changed)


def test_applying_twice_changes_nothing(zone: Any) -> None:
    first = apply(zone, PLUS, JOINT)
    before = contents(zone)
    again = apply(zone, PLUS, JOINT)
    assert [one.changes for one in again] == [(), ()]
    assert [(one.programme_id, one.version) for one in again] == [(one.programme_id, 1) for one in first]
    assert contents(zone) == before


def test_new_terms_are_a_new_version_and_the_old_one_stays(zone: Any) -> None:
    (made,) = apply(zone, PLUS)
    (changed,) = apply(zone, replace(PLUS, terms=replace(HALF, rules=(Rule(600_000),))))
    assert changed.changes == ("- rule 1: 50 %", "+ rule 1: 60 %")
    assert (changed.programme_id, changed.version) == (made.programme_id, 2)
    versions = zone.room.terms_of(zone.auditor, made.programme_id)
    assert [(terms.version, terms.rules[0].share_ppm) for terms in versions] == [(1, 500_000), (2, 600_000)]
    (back,) = apply(zone, PLUS)
    assert back.version == 3, "going back is a change like any other"


def test_a_larger_budget_is_pledged_by_the_difference(zone: Any) -> None:
    apply(zone, JOINT)
    (raised,) = apply(zone, replace(JOINT, budget=500 * YUAN))
    assert raised.changes == ("- budget: 400.000000 CNY", "+ budget: 500.000000 CNY")
    assert budgets(zone)["Joint"] == (500 * YUAN, [3, 1])
    assert zone.violations() == []


def test_what_was_granted_does_not_count_as_missing(zone: Any) -> None:
    (made,) = apply(zone, PLUS)
    ann = zone.startup(grant=None)
    zone.grant(ann.project_id, 300 * YUAN, programme_id=made.programme_id)
    assert apply(zone, PLUS)[0].changes == ()
    assert budgets(zone)["Startup plus"][0] == 700 * YUAN


def test_a_smaller_budget_is_refused(zone: Any) -> None:
    apply(zone, PLUS)
    answer = refused(zone, replace(PLUS, budget=PLUS.budget - 1))
    assert answer.code == "invalid_request"
    assert answer.fields == {"name": "Startup plus", "pledged": PLUS.budget, "budget": PLUS.budget - 1}
    assert "1000.000000 CNY pledged and the plan says 999.999999 CNY" in answer.detail


def test_a_difference_that_cannot_be_shared_is_refused(zone: Any) -> None:
    """Each funder pledges at least one unit: of a millionth more, one of two would pledge nothing."""
    apply(zone, JOINT)
    answer = refused(zone, replace(JOINT, budget=JOINT.budget + 1))
    assert answer.code == "invalid_request"
    assert "'Joint' gets 0.000001 CNY more" in answer.detail


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"funders": (("City", 2),)}, "City in CNY"),
        ({"funders": (("State", 1),)}, "State in CNY"),
        ({"funders": (("City", 1), ("State", 1))}, "City 1 : State 1 in CNY"),
        ({"asset": "qpu_ms", "budget": 10**9}, "City in qpu_ms"),
    ],
)
def test_funders_and_asset_never_change(zone: Any, changed: dict[str, Any], said: str) -> None:
    apply(zone, PLUS)
    answer = refused(zone, replace(PLUS, **changed))
    assert answer.code == "invalid_request"
    assert f"the plan says {said}" in answer.detail
    assert "another name" in answer.detail


@pytest.mark.parametrize(
    "changed",
    [
        {"budget": 0},
        {"asset": "EUR"},
        {"asset": "job"},
        {"funders": (("City", 1), ("City", 2))},
        {"funders": (("City", 1), ("State", 1)), "budget": 1},
    ],
)
def test_what_can_be_no_programme(zone: Any, changed: dict[str, Any]) -> None:
    answer = refused(zone, replace(PLUS, **changed))
    assert answer.code == "invalid_request"
    assert "'Startup plus'" in answer.detail


def test_one_bad_plan_stops_them_all(zone: Any) -> None:
    refused(zone, JOINT, replace(PLUS, budget=0))


def test_one_name_is_described_once(zone: Any) -> None:
    """The second would be compared with the first, and refused when that is written already."""
    answer = refused(zone, PLUS, JOINT, replace(PLUS, funders=(("State", 1),)))
    assert (answer.code, answer.fields) == ("invalid_request", {"name": "Startup plus"})


def test_a_programme_in_native_units(zone: Any) -> None:
    hours = ProgrammePlan("Hours", (("City", 1),), "qpu_ms", 3_600_000, Terms("", 0, (Rule(1_000_000),)))
    (made,) = apply(zone, hours)
    assert made.changes[1] == "+ programme Hours: 3600000 qpu_ms of City"
    assert budgets(zone)["Hours"][0] == 3_600_000


def test_a_programme_made_by_hand_gets_its_first_terms(zone: Any) -> None:
    zone.programme("Startup plus", ("City", 1), budget=PLUS.budget)
    (made,) = apply(zone, PLUS)
    assert (made.version, made.changes[0]) == (1, "+ rule 1: 50 %")


def test_only_operators_apply_and_startups_do_not_read_terms(zone: Any) -> None:
    ann = zone.startup(grant=None)
    (made,) = apply(zone, PLUS)
    before = contents(zone)
    for caller in (ann, zone.member(ann.project_id, "member"), zone.auditor):
        before = contents(zone)
        for dry_run in (True, False):
            assert zone.room.apply_programmes(caller, [JOINT], dry_run).code == "forbidden"
        assert contents(zone) == before
    assert zone.room.terms_of(ann, made.programme_id).code == "forbidden"
    assert len(zone.room.terms_of(zone.auditor, made.programme_id)) == 1
    assert zone.room.terms_of(zone.operator, "pgm-nowhere").code == "not_found"


def test_a_quote_keeps_its_terms_while_new_ones_are_applied(led: Any) -> None:
    """The half that was quoted is paid, although the programme now pays a tenth; without the quote it is a tenth."""
    (made,) = apply(led, PLUS)
    ann = led.startup(grant=None)
    led.grant(ann.project_id, 100 * YUAN, programme_id=made.programme_id)
    led.room.top_up(led.operator, ann.project_id, YUAN, "1")
    (quoted,) = led.room.quote(ann, [led.submission()])
    apply(led, replace(PLUS, terms=replace(HALF, rules=(Rule(100_000),))))
    with led.database.read() as conn:
        assert terms_store.in_force(conn, [made.programme_id])[made.programme_id].version == 2
    promised = led.run(ann, quote_id=quoted.quote_id).receipt
    today = led.run(ann).receipt
    rules = [[payer["rule"] for payer in receipt["payers"]] for receipt in (promised, today)]
    assert rules == [[f"{made.programme_id}@1#1", ""], [f"{made.programme_id}@2#1", ""]]
    assert promised["price"] == today["price"] == 2_600
    assert (promised["subsidised"], today["subsidised"]) == (1_300, 260)
    assert led.violations() == []


def test_words_that_nothing_answers_to_are_told_and_applied(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    zone.describe(ann.project_id, stage="seed")
    apply(zone, replace(PLUS, terms=Terms("", 0, (Rule(500_000, stages=("seed",), categories=("chemistry",)),))))
    wrong = replace(JOINT, terms=Terms("", 0, (Rule(200_000, stages=("sead",), categories=("chemistri",)),)))
    said = (
        "rule 1: no startup is of stage 'sead'; there are seed",
        "rule 1: only this programme names the category 'chemistri'; is it 'chemistry'?",
    )
    assert [one.warnings for one in apply(zone, wrong, dry_run=True)] == [said]
    assert [one.warnings for one in apply(zone, wrong)] == [said]
    again = apply(zone, wrong)
    assert [(one.changes, one.warnings) for one in again] == [((), said)], "its own words are no answer"
