"""What a programme pays, for whom, and why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.terms import (
    UNCONDITIONAL,
    Budget,
    Claimant,
    Offer,
    Rule,
    Terms,
    Unfit,
    cap_scope,
    offer,
    pool_scope,
    programme_of_scope,
)

STARTUP = Claimant(stage="seed", age_months=10, category="chemistry", traits=("women-led",), provider="ibm", year=2026)


def test_no_terms_pay_everything() -> None:
    assert offer(None, Claimant(), 5) == UNCONDITIONAL == Offer("", 1_000_000, 1_000_000, None)


def test_the_first_rule_that_fits_holds() -> None:
    rules = (Rule(900_000, stages=("growth",)), Rule(500_000, up_to_ppm=800_000, cap_per_job=7), Rule(100_000))
    assert offer(Terms("seed", 3, rules), STARTUP, 5) == Offer("seed@3#2", 500_000, 800_000, 7)


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ({"categories": ("optimisation",)}, "category"),
        ({"categories": ("chemistry",)}, ""),
        ({"stages": ("growth",)}, "stage"),
        ({"age_months_max": 10}, "age"),
        ({"age_months_max": 11}, ""),
        ({"traits": ("rural",)}, "trait"),
        ({"traits": ("rural", "women-led")}, ""),
    ],
)
def test_conditions_of_a_rule(conditions: dict[str, Any], reason: str) -> None:
    found = offer(Terms("seed", 1, (Rule(500_000, **conditions),)), STARTUP, 5)
    assert found == (Unfit(reason) if reason else Offer("seed@1#1", 500_000))


def test_a_startup_of_unknown_age_is_not_young() -> None:
    terms = Terms("seed", 1, (Rule(500_000, age_months_max=36),))
    assert offer(terms, replace(STARTUP, age_months=None), 5) == Unfit("age")


def test_the_reason_is_that_of_the_first_rule() -> None:
    terms = Terms("seed", 1, (Rule(1, stages=("growth",)), Rule(1, categories=("optimisation",))))
    assert offer(terms, STARTUP, 5) == Unfit("stage")


def test_some_get_more() -> None:
    terms = Terms("seed", 1, (Rule(500_000, uplift_ppm=100_000, uplift_traits=("women-led", "rural")),))
    assert offer(terms, STARTUP, 5) == Offer("seed@1#1", 600_000)
    assert offer(terms, replace(STARTUP, traits=()), 5) == Offer("seed@1#1", 500_000)


@pytest.mark.parametrize(("at_us", "valid"), [(9, False), (10, True), (19, True), (20, False)])
def test_terms_hold_in_their_time(at_us: int, valid: bool) -> None:
    terms = Terms("seed", 1, (Rule(1),), valid_from_us=10, valid_until_us=20)
    assert (offer(terms, STARTUP, at_us) == Unfit("programme_not_valid")) != valid


def test_related_parties_are_paid_only_where_the_terms_say_so() -> None:
    related = replace(STARTUP, related=("ibm",))
    assert offer(Terms("seed", 1, (Rule(1),)), related, 5) == Unfit("related_party")
    assert offer(Terms("seed", 1, (Rule(1),), excludes_related=False), related, 5) == Offer("seed@1#1", 1)
    assert offer(Terms("seed", 1, (Rule(1),)), replace(related, provider=""), 5) == Offer("seed@1#1", 1)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"share_ppm": 0}, "a share lies above 0 %"),
        ({"share_ppm": 1_000_001}, "at most at 100 %, not at 100.0001 %"),
        ({"share_ppm": 1, "up_to_ppm": 0}, "a share lies above 0 %"),
        ({"share_ppm": 600_000, "uplift_ppm": 400_001}, "at most 100 % together"),
        ({"share_ppm": 1, "cap_per_job": 0}, "a cap is at least 1 unit"),
    ],
)
def test_rules_make_sense(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Rule(**wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rules": ()}, "at least one rule"),
        ({"cap_project_year": 0}, "cap_project_year is at least 1 unit"),
        ({"pool_year": -1}, "pool_year is at least 1 unit"),
        ({"rollover_ppm": 1}, "a rollover is a share"),
        ({"rollover_days": 1}, "a rollover is a share"),
        ({"rollover_ppm": 1_000_001, "rollover_days": 1}, "a rollover is a share"),
    ],
)
def test_terms_make_sense(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(Terms("seed", 1, (Rule(1),)), **wrong)


def test_a_budget_concerns_its_member_or_its_tag() -> None:
    ann = Claimant(member_id="ann", tags=("vqe", "demo"))
    assert [Budget("acme", kind, key, 1).concerns(ann) for kind, key in (("member", "ann"), ("tag", "demo"))] == [
        True
    ] * 2
    assert [Budget("acme", kind, key, 1).concerns(ann) for kind, key in (("member", "vqe"), ("tag", "ann"))] == [
        False
    ] * 2
    assert Budget("acme", "tag", "vqe", 0).scope(2026) == "budget/acme/2026/tag/vqe"
    with pytest.raises(ValueError, match="for a member or a tag, not for a 'team'"):
        Budget("acme", "team", "x", 1)
    with pytest.raises(ValueError, match="a budget is at least 0, not -1"):
        Budget("acme", "tag", "x", -1)


def test_scopes_name_their_programme() -> None:
    assert (cap_scope("seed", "acme", 2026), pool_scope("seed", 2026)) == ("cap/seed/2026/acme", "pool/seed/2026")
    assert programme_of_scope("cap/seed/2026/acme") == programme_of_scope("pool/seed/2026") == "seed"
    assert programme_of_scope("budget/acme/2026/tag/pool/seed") is None
