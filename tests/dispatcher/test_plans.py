"""What applying a programme would change, in words that people read."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dispatcher.plans import differences, funders_in_words, same_terms
from ledger.terms import Rule, Terms

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YEAR_US = round(datetime(2027, 1, 1, tzinfo=SHANGHAI).timestamp()) * 1_000_000
PLAIN = Terms("pgm", 1, (Rule(500_000),))
RICH = Terms(
    "pgm",
    2,
    (
        Rule(
            600_000,
            up_to_ppm=900_000,
            categories=("research", "training"),
            stages=("seed",),
            age_months_max=12,
            traits=("small",),
            uplift_ppm=125_000,
            uplift_traits=("rural",),
            cap_per_job=2_500_000,
        ),
        Rule(500_000),
    ),
    excluded=("storage_mib_h",),
    excludes_related=False,
    claim_group="city",
    cap_project_year=10_000_000,
    pool_year=500_000_000,
    valid_from_us=NEW_YEAR_US,
    valid_until_us=NEW_YEAR_US + 3_600_000_000,
    rollover_ppm=500_000,
    rollover_days=30,
)


def told(before: Terms | None, after: Terms, asset: str = "CNY") -> list[str]:
    return list(differences(before, after, asset, SHANGHAI))


def test_a_new_programme_is_all_that_is_not_usual() -> None:
    assert told(None, PLAIN) == ["+ rule 1: 50 %"]
    rule = (
        "60 %, 12.5 % more with rural, up to 90 % together with those before it, category research or training, "
        "stage seed, younger than 12 months, with small, at most 2.500000 CNY a job"
    )
    assert told(None, RICH) == [
        f"+ rule 1: {rule}",
        "+ rule 2: 50 %",
        "+ excluded costs: storage_mib_h",
        "+ related parties: paid for like others",
        "+ claim group: city",
        "+ cap for one project and year: 10.000000 CNY",
        "+ pool of a year: 500.000000 CNY",
        "+ valid from: 2027-01-01",
        "+ valid until: 2027-01-01 01:00:00",
        "+ rollover: 50 % for 30 days",
    ]


def test_what_was_stands_before_what_will_be() -> None:
    changed = Terms("pgm", 2, (Rule(600_000),), cap_project_year=1_000_000)
    assert told(PLAIN, changed) == [
        "- rule 1: 50 %",
        "+ rule 1: 60 %",
        "- cap for one project and year: none",
        "+ cap for one project and year: 1.000000 CNY",
    ]
    assert told(changed, PLAIN)[-1] == "+ cap for one project and year: none"


def test_a_rule_more_and_a_rule_less() -> None:
    both = Terms("pgm", 2, (Rule(500_000), Rule(200_000)))
    assert told(PLAIN, both) == ["+ rule 2: 20 %"]
    assert told(both, PLAIN) == ["- rule 2: 20 %"]


def test_native_units_have_no_decimals_and_other_clocks_other_days() -> None:
    assert "+ cap for one project and year: 10000000 qpu_ms" in told(None, RICH, "qpu_ms")
    assert "+ valid from: 2026-12-31 16:00:00" in list(differences(None, RICH, "CNY", UTC))


def test_the_same_terms_of_another_version_are_no_difference() -> None:
    other = Terms("another", 7, PLAIN.rules)
    assert same_terms(PLAIN, other)
    assert told(PLAIN, other) == []
    assert not same_terms(PLAIN, RICH)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("excluded", ("shots",)),
        ("excludes_related", False),
        ("claim_group", "x"),
        ("cap_project_year", 1),
        ("pool_year", 1),
        ("valid_from_us", 1_000_000),
        ("valid_until_us", 1_000_000),
    ],
)
def test_no_difference_goes_without_words(field: str, value: object) -> None:
    """What is not told would not be written down either."""
    other = Terms("pgm", 1, PLAIN.rules, **{field: value})  # type: ignore[arg-type]
    assert len(told(PLAIN, other)) == 2
    assert not same_terms(PLAIN, other)


def test_funders_stand_with_their_weights_where_there_are_several() -> None:
    assert funders_in_words((("city", 1),)) == "city"
    assert funders_in_words((("city", 3), ("state", 1))) == "city 3 : state 1"
