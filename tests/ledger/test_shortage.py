"""A no for want of means says what is needed, who could give what and why not more, and what would fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.allocation import allocate
from ledger.commands import PlaceHold
from ledger.model import Refusal
from ledger.shortage import REASONS
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py

ANN = Claimant(member_id="ann", tags=("vqe",), year=2026)


def test_refusals_of_a_hold_come_in_a_fixed_order(ledger: Ledger) -> None:
    """Each step takes away the reason before it, so the next one shows."""
    assert ledger.hold("j1", 10, at_us=50) == Refusal(
        "no_grant",
        "project acme has no grant and nothing in its wallet",
        (("asset", "CNY"), ("needed", 10)),
    )
    ledger.grant("past", 100, valid=(0, 50))
    assert ledger.hold("j1", 10, at_us=50) == Refusal(
        "grant_expired",
        "every grant of project acme has expired",
        (("asset", "CNY"), ("needed", 10), ("valid_until_us", 50)),
    )
    ledger.grant("future", 100, valid=(60, 1000))
    assert ledger.hold("j1", 10, at_us=50) == Refusal(
        "grant_not_started",
        "no grant of project acme has started yet",
        (("asset", "CNY"), ("needed", 10), ("valid_from_us", 60)),
    )
    ledger.grant("now", 9, valid=(50, 51))
    refusal = ledger.hold("j1", 10, at_us=50)
    assert refusal.code == "grant_exhausted"
    assert refusal.detail == (
        "the project's grants have 0.000009 CNY available and this job may cost up to 0.000010 CNY; ask for fewer "
        "shots or parameter sets, or for a larger grant (grant past has expired; grant now has no more available; "
        "grant future has not started)"
    )
    ledger.budget("member", "ann", 9)
    assert ledger.hold("j1", 10, at_us=50, claimant=ANN).code == "budget_exhausted"
    assert ledger.hold("j1", 9, at_us=50, claimant=ANN).kind == "hold"
    assert ledger.hold("j1", 9, at_us=50, claimant=ANN).code == "hold_exists"


def test_the_figures_behind_an_exhausted_grant(ledger: Ledger) -> None:
    """Of 100 ms the grant could pay 64; and indeed a job of 64 is admitted."""
    ledger.grant("G", 64)
    refusal = ledger.hold("j1", 100)
    assert dict(refusal.fields) == {
        "needed": 100,
        "available": 64,
        "missing": 36,
        "asset": "CNY",
        "wallet": 0,
        "sources": [
            {
                "grant_id": "G",
                "programme_id": "seed",
                "asset": "CNY",
                "available": 64,
                "pays": 64,
                "why_not_more": "available",
            }
        ],
        "would_fit": 64,
    }
    assert ledger.hold("j1", dict(refusal.fields)["would_fit"]).kind == "hold"


def test_a_wallet_is_short_where_no_grant_would_give_more(ledger: Ledger) -> None:
    ledger.terms(share_ppm=300_000)
    ledger.grant("G", 1_000)
    ledger.top_up(50)
    refusal = ledger.hold("j1", 100, claimant=ANN)
    assert refusal.code == "wallet_short"
    assert refusal.detail == (
        "this job may cost up to 0.000100 CNY; the project's grants pay 0.000030 CNY of it, and its wallet, "
        "with 0.000050 CNY, lacks 0.000020 CNY"
    )
    fields = dict(refusal.fields)
    assert (fields["available"], fields["missing"], fields["wallet"]) == (80, 20, 50)
    assert fields["would_fit"] == 71, "of 71 the grant pays 21, the wallet 50; of 72 it would be 21 and 51"
    assert ledger.hold("j2", 72, claimant=ANN).code == "wallet_short"
    assert ledger.hold("j2", 71, claimant=ANN).kind == "hold"


def test_a_cap_is_told(ledger: Ledger) -> None:
    ledger.terms(cap_per_job=10)
    ledger.grant("G", 1_000)
    refusal = ledger.hold("j1", 100, claimant=ANN)
    assert refusal.code == "wallet_short"
    assert refusal.detail.endswith("lacks 0.000090 CNY (grant G reaches its cap for one job)")


def test_a_budget_is_told(ledger: Ledger) -> None:
    ledger.grant("G", 1_000)
    ledger.budget("tag", "vqe", 90)
    ledger.hold("j1", 60, claimant=ANN)
    assert ledger.hold("j2", 31, claimant=ANN) == Refusal(
        "budget_exhausted",
        "the project's budget for tag vqe has 0.000030 CNY left this year and this job may cost up to 0.000031 CNY; "
        "an admin of the project can raise it",
        (("needed", 31), ("available", 30), ("asset", "CNY"), ("tag", "vqe"), ("limit", 90)),
    )


def test_of_two_budgets_that_are_used_up_always_the_same_is_named(ledger: Ledger) -> None:
    ledger.grant("G", 1_000)
    ledger.budget("tag", "vqe", 0)
    ledger.budget("member", "ann", 0)
    assert ledger.hold("j1", 5, claimant=ANN).fields[3] == ("member", "ann"), "whichever was set first"


def test_what_costs_the_same_for_any_size_fits_in_no_part(ledger: Ledger) -> None:
    ledger.grant("G", 5)
    job = replace(ledger.qpu(1, 10), resource="job")
    assert dict(ledger.hold("j1", job, ledger.qpu(10)).fields)["would_fit"] == 0


@pytest.mark.parametrize(
    ("terms", "grant", "reason"),
    [
        ({"valid_until_us": 5}, {}, "programme_not_valid"),
        ({"categories": ("chemistry",)}, {}, "category"),
        ({"stages": ("seed",)}, {}, "stage"),
        ({"age_months_max": 36}, {}, "age"),
        ({"traits": ("rural",)}, {}, "trait"),
        ({}, {"backends": ("garnet",)}, "other_backend"),
        ({}, {"members": ("bob",)}, "other_member"),
        ({}, {"valid": (0, 5)}, "expired"),
        ({"pool_year": 3}, {}, "pool_year"),
        ({"cap_project_year": 3}, {}, "cap_project_year"),
    ],
)
def test_every_reason_has_its_words(ledger: Ledger, terms: dict[str, Any], grant: dict[str, Any], reason: str) -> None:
    ledger.terms(**terms)
    ledger.grant("G", 1_000, **grant)
    ledger.top_up(1)
    command = PlaceHold(10, "j", "acme", "CNY", (ledger.qpu(10),), ANN)
    (source,) = allocate(ledger.book, command).sources
    assert source.reason == reason
    assert f"grant G {REASONS[reason]}" in ledger.hold("j", 10, claimant=ANN).detail


def test_a_shortage_names_what_other_jobs_hold(ledger: Ledger) -> None:
    ledger.grant("now", 20)
    ledger.hold("j1", 12, at_us=50)
    refusal = ledger.hold("j2", 10, at_us=50)
    assert refusal.code == "grant_exhausted"
    assert (
        "; jobs that have not ended hold 0.000012 CNY more, part of which comes back; ask for fewer" in refusal.detail
    )
