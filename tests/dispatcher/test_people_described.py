"""What programmes ask about a startup is written down by operators, and decides who pays for it."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model import Refusal
from ledger.terms import Rule
from store import audit_log

YUAN = 1_000_000
DAY_US = 86_400_000_000


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def described(zone: Any, project_id: str, stage: str = "", founded_us: int | None = None, **told: Any) -> Any:
    parties = (told.get("traits", ()), told.get("related", ()))
    return zone.room.describe_project(told.get("caller", zone.operator), project_id, stage, founded_us, *parties)


def payers(zone: Any, caller: Any) -> list[tuple[str, int]]:
    """Who paid a job, and their shares in percent."""
    return [(payer["payer"], payer["share_ppm"] // 10_000) for payer in zone.run(caller).receipt["payers"]]


def test_a_startup_is_described_and_described_anew(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    now = zone.clock.now_us()
    city = zone.funder("city")
    row = described(zone, ann.project_id, "seed", now, traits=("small", "rural"), related=("city", "aer-mps", city))
    assert (row.stage, row.founded_us, row.traits, row.related) == ("seed", now, ("small", "rural"), (city, "aer-mps"))
    assert zone.room.get_project(ann, ann.project_id) == row
    anew = described(zone, ann.project_id, "early")
    assert (anew.founded_us, anew.traits, anew.related) == (None, (), ()), "in place of what was there"
    assert zone.room.get_project(ann, ann.project_id) == anew
    with zone.database.read() as conn:
        logged = [one.detail for one in audit_log.list_audit(conn, 10) if one.act == "project.describe"]
    assert {"stage": "seed", "founded_us": now, "traits": ["small", "rural"], "related": [city, "aer-mps"]} in logged


def test_what_cannot_be_said_of_a_startup(zone: Any) -> None:
    ann = zone.startup(grant=None)
    rows, now = zone.rows(), zone.clock.now_us()
    answer = refusal(described(zone, ann.project_id, founded_us=now + 1))
    assert (answer.code, answer.fields) == ("invalid_request", {"founded_us": now + 1, "now_us": now})
    answer = refusal(described(zone, ann.project_id, related=("aer", "cty")))
    assert (answer.code, answer.fields) == ("invalid_request", {"related": "cty"})
    assert refusal(described(zone, "prj-nowhere")).code == "not_found"
    for caller in (ann, zone.auditor):
        assert refusal(described(zone, ann.project_id, caller=caller)).code == "forbidden"
    assert zone.rows() == rows


def test_the_stage_and_the_trait_choose_the_rule(led: Any) -> None:
    programme = led.programme("plus", budget=10**9)
    seed = Rule(600_000, stages=("seed", "early"), uplift_ppm=100_000, uplift_traits=("rural",))
    led.terms(programme, seed, Rule(500_000))
    ann = led.startup(grant=None)
    grant_id = led.grant(ann.project_id, YUAN, programme_id=programme)
    led.room.top_up(led.operator, ann.project_id, YUAN, "1")
    assert payers(led, ann)[0] == (grant_id, 50)
    described(led, ann.project_id, "early")
    assert payers(led, ann)[0] == (grant_id, 60)
    described(led, ann.project_id, "early", traits=("rural",))
    assert payers(led, ann)[0] == (grant_id, 70)
    assert led.violations() == []


@pytest.mark.parametrize(("days", "fits"), [(0, True), (364, True), (366, False)])
def test_a_rule_for_young_startups_counts_from_the_day_of_foundation(led: Any, days: int, fits: bool) -> None:
    programme = led.programme("young", budget=10**9)
    led.terms(programme, Rule(1_000_000, age_months_max=12))
    ann = led.startup(grant=None)
    led.grant(ann.project_id, YUAN, programme_id=programme)
    led.room.top_up(led.operator, ann.project_id, YUAN, "1")
    assert payers(led, ann) == [("wallet", 100)], "nobody knows how young it is"
    described(led, ann.project_id, founded_us=led.clock.now_us() - days * DAY_US)
    assert (payers(led, ann) != [("wallet", 100)]) == fits


def test_a_funder_among_the_related_parties_pays_nothing(led: Any) -> None:
    """Its terms say so; a programme of others pays, and where nobody is left the wallet does."""
    mixed = led.programme("mixed", ("city", 1), ("bank", 1), share_ppm=600_000)
    plain = led.programme("plain", ("city", 1), share_ppm=500_000)
    ann = led.startup(grant=None)
    led.grant(ann.project_id, YUAN, programme_id=mixed, priority=0)
    paying = led.grant(ann.project_id, YUAN, programme_id=plain, priority=1)
    led.room.top_up(led.operator, ann.project_id, YUAN, "1")
    led.room.describe_project(led.operator, ann.project_id, "seed", None, (), ("bank",))
    assert [payer["payer"] for payer in led.run(ann).receipt["payers"]] == [paying, "wallet"]
    led.room.describe_project(led.operator, ann.project_id, "seed", None, (), ("city",))
    assert [payer["payer"] for payer in led.run(ann).receipt["payers"]] == ["wallet"]
    led.terms(plain, Rule(500_000), version=2, excludes_related=False)
    assert [payer["payer"] for payer in led.run(ann).receipt["payers"]] == [paying, "wallet"]
    assert led.violations() == []


def test_a_word_that_no_programme_asks_for_is_told_to_operators(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    zone.terms(zone.programme("seed", ("city", 1)), Rule(500_000, stages=("seed",)))
    described(zone, ann.project_id, "sead")
    assert zone.room.unasked(zone.operator, ann.project_id) == (
        "no programme asks for stage 'sead'; they ask for seed",
    )
    assert zone.room.unasked(ann, ann.project_id) == ()
    assert zone.room.unasked(zone.operator, "prj_none") == ()
    described(zone, ann.project_id, "seed")
    assert zone.room.unasked(zone.operator, ann.project_id) == ()
