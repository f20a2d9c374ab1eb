"""Terms survive the way through JSON, whatever they say."""

from __future__ import annotations

import json

import pytest

from ledger.model import FULL_PPM
from ledger.terms import Rule, Terms
from ledger.terms_json import rule_from_json, terms_from_json, terms_to_json

PLAIN = Terms("p", 1, (Rule(FULL_PPM),))
RICH = Terms(
    programme_id="p",
    version=3,
    rules=(
        Rule(300_000, 900_000, ("research",), ("seed", "early"), 12, ("small",), 100_000, ("domestic",), 5_000),
        Rule(200_000),
    ),
    excluded=("shots",),
    excludes_related=False,
    claim_group="city",
    cap_project_year=10,
    pool_year=100,
    valid_from_us=1,
    valid_until_us=2,
    rollover_ppm=500_000,
    rollover_days=90,
)


@pytest.mark.parametrize("terms", [PLAIN, RICH])
def test_terms_read_back_are_the_same(terms: Terms) -> None:
    assert terms_from_json(json.loads(json.dumps(terms_to_json(terms)))) == terms


def test_every_field_is_written() -> None:
    assert set(terms_to_json(RICH)) == set(Terms.__slots__)
    assert set(terms_to_json(RICH)["rules"][0]) == set(Rule.__slots__)


def test_what_is_no_terms_is_refused() -> None:
    with pytest.raises(KeyError):
        terms_from_json({"programme_id": "p"})
    with pytest.raises(TypeError):
        rule_from_json({"share_ppm": 1, "shares": 2})
    with pytest.raises(ValueError, match="a share lies above"):
        rule_from_json({"share_ppm": 0})
