"""What is said no to for want of means: 402 where paying helps, and else what the request itself is."""

from __future__ import annotations

from api.problems_of_money import MONEY
from ledger.shortage import REASONS


def test_a_want_of_means_is_a_402() -> None:
    assert {row.code for row in MONEY if row.status == 402} == {
        "no_grant",
        "grant_not_started",
        "grant_expired",
        "grant_exhausted",
        "wallet_short",
        "budget_exhausted",
        "programme_exhausted",
    }


def test_no_reason_of_a_source_is_taken_for_a_problem_of_its_own() -> None:
    assert {row.code for row in MONEY} & REASONS.keys() == set()
