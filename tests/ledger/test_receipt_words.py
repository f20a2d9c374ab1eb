"""A receipt in sentences."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.price import Usage, charge, quote
from ledger.rates import RateLine
from ledger.receipt import receipt
from ledger.receipt_words import explanation, percent
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py

RATES = (RateLine("r1", "job", 1_000), RateLine("r2", "qpu_ms", 200), RateLine("r3", "shots", 1_500, 1_000))


def told(ledger: Ledger, usage: Usage, *, void: bool = False) -> list[str]:
    quoted = quote(RATES, Usage(10, 1_024), Usage(30, 1_024))
    ledger.hold("j1", *quoted.ceiling.lines, claimant=Claimant(year=2026))
    if void:
        ledger.void("j1")
    else:
        ledger.settle("j1", *charge(RATES, usage).lines)
    document = receipt(ledger.book.holds["j1"], ledger.entries, quoted, usage, ledger.book.grants)
    assert document["explanation"] == explanation(document)
    return explanation(document)


def test_usage_times_rate_who_paid_and_what_came_back(ledger: Ledger) -> None:
    ledger.terms(share_ppm=600_000)
    ledger.grant("A", 100_000, funders=(("city", 2), ("bank", 1)))
    ledger.top_up(50_000)
    assert told(ledger, Usage(12, 1_024)) == [
        "job: 1 job at 0.001000 CNY per job = 0.001000 CNY.",
        "QPU time: 12 ms at 0.000200 CNY per ms = 0.002400 CNY.",
        "shots: 2000 shots at 0.001500 CNY per 1000 shots = 0.003000 CNY.",
        "Together 0.006400 CNY.",
        (
            "Grant A of programme seed, funded by city (0.002560 CNY) and bank (0.001280 CNY), paid 0.003840 CNY, "
            "its share of 60 % (rule seed@1#1)."
        ),
        "The project's own wallet paid 0.002560 CNY.",
        "0.003600 CNY of the 0.010000 CNY held was not needed.",
    ]


def test_in_kind_is_told_with_what_it_is_worth(ledger: Ledger) -> None:
    ledger.grant("K", 100, asset="qpu_ms", programme="kind")
    ledger.grant("A", 100_000)
    words = told(ledger, Usage(12, 1_024))
    assert words[4] == "Grant K of programme kind, funded by city, paid 12 qpu_ms, worth 0.002400 CNY."
    assert words[5] == "Grant A of programme seed, funded by city, paid 0.004000 CNY."


def test_a_cap_is_told_only_where_it_mattered_in_the_end(ledger: Ledger) -> None:
    ledger.terms(cap_per_job=9_000)
    ledger.grant("A", 100_000)
    ledger.top_up(50_000)
    cut = "Grant A would have paid more, but reaches its cap for one job."
    twin = type(ledger)(ledger.book.copy(), list(ledger.entries))
    assert cut in told(ledger, Usage(30, 1_024))
    assert cut not in told(twin, Usage(12, 1_024))


def test_a_cap_that_one_line_would_have_used_up_pays_the_others_where_that_cost_less(ledger: Ledger) -> None:
    ledger.terms(share_ppm=300_000, cap_per_job=1_500)
    ledger.grant("A", 100_000)
    ledger.top_up(50_000)
    words = told(ledger, Usage(2, 1_024))
    assert words[4] == (
        "Grant A of programme seed, funded by city, paid 0.001320 CNY, its share of 30 % (rule seed@1#1)."
    )
    assert words[5] == "The project's own wallet paid 0.003080 CNY."
    assert not any("would have" in sentence for sentence in words), "30 % of 0.004400 are below the cap"


def test_what_the_facility_absorbed_is_told(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    assert told(ledger, Usage(50, 1_024))[-1] == (
        "The price exceeds the hold of 0.010000 CNY; the facility absorbed 0.004000 CNY."
    )


def test_a_voided_job_says_so(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    assert told(ledger, Usage(0, 0), void=True) == ["Nothing was charged: the hold of 0.010000 CNY was given back."]


@pytest.mark.parametrize(
    ("ppm", "words"),
    [(300_000, "30 %"), (1_000_000, "100 %"), (333_333, "33.3333 %"), (125_000, "12.5 %"), (1, "0.0001 %")],
)
def test_percent(ppm: int, words: str) -> None:
    assert percent(ppm) == words
