"""Programmes as operators write them: what a file means, and that each mistake is named with its place."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.schemas.programme_file import (
    FunderEntry,
    ProgrammeEntry,
    RuleEntry,
    WrongProgramme,
    entries_of,
    plans_of,
)
from dispatcher.plans import ProgrammePlan
from ledger.terms import Rule, Terms

SHANGHAI = ZoneInfo("Asia/Shanghai")
BASE = """
[[programmes]]
name = "Plus"
budget = "500"
funders = [{ name = "City" }]
rules = [{ share = "50 %" }]
"""


def plans(text: str, zone: Any = UTC, currency: str = "CNY") -> list[ProgrammePlan]:
    return plans_of(entries_of(tomllib.loads(text)), zone, currency)


def wrong(text: str) -> str:
    with pytest.raises(WrongProgramme) as found:
        plans(text)
    return str(found.value)


def with_rule(rule: str) -> str:
    return BASE.replace('{ share = "50 %" }', f"{{ {rule} }}")


def test_the_least_that_a_programme_is() -> None:
    (plan,) = plans(BASE)
    terms = Terms("Plus", 0, (Rule(500_000),))
    assert plan == ProgrammePlan("Plus", (("City", 1),), "CNY", 500_000_000, terms)


def test_all_that_a_programme_may_say() -> None:
    (plan,) = plans(
        """
        [[programmes]]
        name = "Rich"
        asset = "CNY"
        budget = 1_000_000
        funders = [{ name = "City", weight = 3 }, { name = "State", weight = 1 }]
        excluded = ["storage_mib_h"]
        excludes_related = false
        claim_group = "city"
        cap_project_year = "10_000.5"
        pool_year = 500_000
        valid_from = 2027-01-01
        valid_until = "2028-01-01"
        rollover = "12.5 %"
        rollover_days = 90
        [[programmes.rules]]
        share = "60 %"
        up_to = "99.9999%"
        categories = ["research"]
        stages = ["seed", "early"]
        age_months_max = 12
        traits = ["small"]
        uplift = "10 %"
        uplift_traits = ["rural"]
        cap_per_job = "0.000001"
        """,
        SHANGHAI,
    )
    assert (plan.funders, plan.budget) == ((("City", 3), ("State", 1)), 10**12)
    assert plan.terms == Terms(
        "Rich",
        0,
        (Rule(600_000, 999_999, ("research",), ("seed", "early"), 12, ("small",), 100_000, ("rural",), 1),),
        ("storage_mib_h",),
        False,
        "city",
        10_000_500_000,
        500_000 * 1_000_000,
        round(datetime(2026, 12, 31, 16, tzinfo=UTC).timestamp()) * 1_000_000,
        round(datetime(2027, 12, 31, 16, tzinfo=UTC).timestamp()) * 1_000_000,
        125_000,
        90,
    )


def test_the_facilitys_money_and_native_units() -> None:
    (plan,) = plans(BASE, currency="EUR")
    assert (plan.asset, plan.budget) == ("EUR", 500_000_000)
    (plan,) = plans(BASE + 'asset = "qpu_ms"\ncap_project_year = 7\n')
    assert (plan.asset, plan.budget, plan.terms.cap_project_year) == ("qpu_ms", 500, 7)


@pytest.mark.parametrize(
    "share",
    [
        '"50"',
        "50",
        "0.5",
        "true",
        '"fifty %"',
        '"-1 %"',
        '"1e1 %"',
        '"NaN %"',
        '"1e999999999 %"',
        '"0.00001 %"',
        '"% "',
    ],
)
def test_what_is_no_share(share: str) -> None:
    assert wrong(with_rule(f"share = {share}")).startswith('/programmes/0/rules/0/share must be a share such as "30 %"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (with_rule('share = "100.0001 %"'), "/programmes/0/rules/0/share must be at most 100 %, not 100.0001 %"),
        (with_rule('share = "0 %"'), "Plus: rule 1: a share lies above 0 %"),
        (with_rule('share = "5 %", up_to = "0 %"'), "Plus: rule 1: a share lies above 0 %"),
        (
            with_rule('share = "95 %", uplift = "5.5 %", uplift_traits = ["x"]'),
            "Plus: rule 1: share and uplift are at most 100 % together, not 100.5 %",
        ),
        (with_rule('share = "5 %", uplift = "5 %"'), "Plus: rule 1: uplift and uplift_traits belong together"),
        (with_rule('share = "5 %", uplift_traits = ["x"]'), "Plus: rule 1: uplift and uplift_traits belong together"),
        (with_rule('share = "5 %", cap_per_job = 0'), "Plus: rule 1: a cap is at least 1 unit"),
        (with_rule('shrae = "5 %"'), '/programmes/0/rules/0/shrae is not a field here; is "share" meant?'),
        (with_rule('stages = ["seed"]'), "/programmes/0/rules/0/share is required"),
        (with_rule('share = "5 %", stages = "seed"'), "/programmes/0/rules/0/stages must be an array"),
        (with_rule('share = "5 %", age_months_max = 12.0'), "/programmes/0/rules/0/age_months_max must be an integer"),
        (BASE + "bugdet = 5", '/programmes/0/bugdet is not a field here; is "budget" meant?'),
        (BASE + 'excluded = ["time"]', "Plus: excluded names 'time'; there are job, qpu_ms"),
        (
            BASE + 'asset = "shots"\nexcluded = ["shots"]',
            "Plus: a programme in shots pays for shots alone, and excludes it",
        ),
        (BASE + "excludes_related = 1", "/programmes/0/excludes_related should be a valid boolean"),
        (BASE + "rollover_days = 5", "programme Plus: a rollover is a share up to 100 % and a number of days"),
        (BASE + "cap_project_year = 0", "programme Plus: cap_project_year is at least 1 unit"),
        (BASE + "cap_project_year = 1.5", '/programmes/0/cap_project_year must be an amount such as "12.5"'),
        (BASE + 'pool_year = "0.0000001"', '/programmes/0/pool_year must be an amount such as "12.5"'),
        (BASE + "pool_year = -1", '/programmes/0/pool_year must be an amount such as "12.5"'),
        (BASE + 'pool_year = "1__000"', '/programmes/0/pool_year must be an amount such as "12.5"'),
        (BASE + "pool_year = 9_007_199_255", "Plus: pool_year is 9007199255; at most 9007199254 CNY are allowed"),
        (BASE + 'asset = "shots"\npool_year = "1.5"', "Plus: pool_year is 1.5, which is no whole amount of shots"),
        (BASE + "valid_from = 2027-01-01T12:00:00", "/programmes/0/valid_from must be a day such as 2027-01-01"),
        (BASE + "valid_from = 1767225600", "/programmes/0/valid_from must be a day such as 2027-01-01"),
        (BASE + 'valid_from = "2027-02-30"', "/programmes/0/valid_from must be a day such as 2027-01-01"),
        (
            BASE + "valid_from = 2027-01-01\nvalid_until = 2027-01-01",
            "Plus: valid_until, 2027-01-01, must lie after valid_from, 2027-01-01",
        ),
        (BASE.replace('"Plus"', '" Plus"'), "/programmes/0/name must not begin or end with white space"),
        (BASE.replace('"City"', '"a\\u0000b"'), "/programmes/0/funders/0/name must not contain the character U+0000"),
        (BASE.replace('[{ name = "City" }]', "[]"), "/programmes/0/funders"),
        ("", "/programmes is required"),
        ("programmes = 5", "/programmes must be an array"),
        ("programme = 5\nprogrammes = 6", '/programme is not a field here; is "programmes" meant?'),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, said: str) -> None:
    assert said in wrong(text)


def test_all_mistakes_are_named_at_once() -> None:
    said = wrong(with_rule('shrae = "5 %"') + "bugdet = 5")
    assert said.count("is not a field here") == 2
    assert "share is required" in said


@pytest.mark.parametrize("document", [None, [], "x", 5, {"programmes": [5]}])
def test_what_is_no_file_at_all(document: object) -> None:
    with pytest.raises(WrongProgramme):
        entries_of(document)


SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates())


@given(st.dictionaries(st.sampled_from(sorted(ProgrammeEntry.model_fields)), SIMPLE | st.lists(SIMPLE, max_size=3)))
def test_no_value_breaks_the_reader(told: dict[str, Any]) -> None:
    """Whatever stands under a known name is a programme, or a mistake that is named."""
    document = {"programmes": [{**tomllib.loads(BASE)["programmes"][0], **told}]}
    with suppress(WrongProgramme):
        (plan,) = plans_of(entries_of(document), SHANGHAI, "CNY")
        assert plan.terms.rules


@pytest.mark.parametrize("model", [FunderEntry, RuleEntry, ProgrammeEntry])
def test_examples_are_valid(model: Any) -> None:
    for example in model.model_config["json_schema_extra"]["examples"]:
        model.model_validate(example)
