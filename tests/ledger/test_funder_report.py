"""The reports to the city and the university about an autumn, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.flows import flows_of
from ledger.funder_report import Programme, Scope, funder_report
from ledger.terms import Rule, Terms


def report(bookstory: Any, funder_id: str, *, expired: bool = False, **changes: Any) -> dict[str, Any]:
    """November, with October before it."""
    story = bookstory.Story()
    story.october()
    before = len(story.entries)
    story.november()
    if expired:
        story.december()
    programmes = tuple(
        Programme(row.id, row.name, row.asset, row.shares, story.book.terms.get(row.id))
        for row in bookstory.PROGRAMMES.values()
        if funder_id in dict(row.shares)
    )
    own = {programme.id for programme in programmes}
    grants = tuple(grant for grant in story.book.grants.values() if grant.programme_id in own)
    told = {"funder_id": funder_id, "programmes": programmes, "grants": grants, "year": 2026}
    scope = Scope(**{**told, "at_us": bookstory.at("11-15 00:00"), **changes})
    earlier, period = story.entries[:before], story.entries[before:]
    return funder_report(scope, flows_of(earlier, {}), flows_of(period, story.facts), story.book.claims)


@pytest.fixture(scope="module")
def city(bookstory: Any) -> dict[str, Any]:
    return report(bookstory, "city")


def test_the_programme_of_the_city(city: dict[str, Any]) -> None:
    (programme,) = city["programmes"]
    assert (programme["budget"], programme["pledged"]) == (3_000_000, 2_000_000)
    # Granted: 1,000,000 and 100,000, of which 9,400 were clawed back. Captured: acme 200,700, zeta 600.
    figures = {"granted": 1_090_600, "held": 0, "available": 889_300, "captured": 201_300, "breakage": 0}
    assert {name: programme[name] for name in figures} == figures
    assert programme["remaining"] == 3_000_000 - 1_090_600
    # In November: zeta's grant was issued; of October's holds 241,200 nothing is held any more.
    assert programme["period"] == {
        "granted": 90_600, "held": -241_200, "available": 161_400, "captured": 170_400, "breakage": 0,
    }  # fmt: skip


def test_yearly_limits_hold_what_was_captured(city: dict[str, Any]) -> None:
    assert [(cap["limit"], cap["project_id"], cap["cap"], cap["claimed"]) for cap in city["programmes"][0]["caps"]] == [
        ("pool_year", "", 2_000_000, 201_300),
        ("cap_project_year", "acme", 500_000, 200_700),
        ("cap_project_year", "zeta", 500_000, 600),
    ]


def test_programmes_without_terms_have_no_limits(bookstory: Any) -> None:
    assert report(bookstory, "uni")["programmes"][0]["caps"] == []


def test_a_programme_with_a_pool_alone_has_that_limit_alone(bookstory: Any) -> None:
    terms = Terms("vouchers", 1, (Rule(600_000),), pool_year=7)
    programme = Programme("vouchers", "Vouchers", "CNY", bookstory.VOUCHERS, terms)
    (found,) = report(bookstory, "city", programmes=(programme,))["programmes"]
    assert [cap["limit"] for cap in found["caps"]] == ["pool_year"]


def test_the_two_funders_share_to_the_unit(city: dict[str, Any]) -> None:
    # 170,400 captured in November: two thirds and one third.
    assert [(share["funder_id"], share["captured"]) for share in city["shares"]] == [
        ("city", 113_600),
        ("district", 56_800),
    ]


def test_captures_by_project_and_workload_category(city: dict[str, Any], bookstory: Any) -> None:
    def found(told: dict[str, Any]) -> list[tuple[Any, ...]]:
        names = ("project_id", "category", "captured", "captured_by_all")
        return [tuple(row[name] for name in names) for row in told["captured"]]

    assert found(city) == [
        ("acme", "chemistry", 70_400, 105_600),
        ("acme", "general", 42_800, 64_200),
        ("zeta", "research", 400, 600),
    ]
    assert found(report(bookstory, "district")) == [
        ("acme", "chemistry", 35_200, 105_600),
        ("acme", "general", 21_400, 64_200),
        ("zeta", "research", 200, 600),
    ]


def test_a_grant_in_kind_is_reported_in_its_own_unit(bookstory: Any) -> None:
    found = report(bookstory, "uni")
    assert found["captured"] == [
        {
            "programme_id": "kind", "project_id": "zeta", "category": "research", "asset": "qpu_ms",
            "captured": 40, "captured_by_all": 40,
        }
    ]  # fmt: skip
    assert found["grants"][0]["available"] == 960


def test_what_expires_within_30_60_and_90_days(city: dict[str, Any]) -> None:
    # From November 15: g-acme ends on December 1, g-zeta on December 31.
    assert [(each["days"], each["amount"], each["grants"]) for each in city["expiring"]] == [
        (30, 749_300, ["g-acme"]),
        (60, 889_300, ["g-acme", "g-zeta"]),
        (90, 889_300, ["g-acme", "g-zeta"]),
    ]


def test_a_grant_that_ends_on_the_last_instant_of_a_horizon_is_in_it(bookstory: Any) -> None:
    end_us, days_30_us = bookstory.at("12-01 00:00"), 30 * 86_400_000_000
    on_time, too_early = (
        report(bookstory, "city", at_us=end_us - days_30_us - early_us)["expiring"][0] for early_us in (0, 1)
    )
    assert (on_time["days"], on_time["grants"]) == (30, ["g-acme"])
    assert (too_early["days"], too_early["grants"]) == (60, ["g-acme"])


def test_what_has_expired_is_breakage(bookstory: Any) -> None:
    found = report(bookstory, "city", expired=True)
    assert found["programmes"][0]["breakage"] == 749_300
    assert found["programmes"][0]["available"] == 140_000
    assert [each["amount"] for each in found["expiring"]] == [140_000, 140_000]


def test_grants_add_up(city: dict[str, Any]) -> None:
    for grant in city["grants"]:
        parts = sum(grant[name] for name in ("held", "available", "captured", "breakage"))
        assert grant["granted"] == parts
    assert [(grant["grant_id"], grant["granted"]) for grant in city["grants"]] == [
        ("g-acme", 950_000),
        ("g-zeta", 140_600),
    ]
