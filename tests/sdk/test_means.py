"""A refusal for want of means, in lines for people."""

from __future__ import annotations

import pytest

from ledger.shortage import REASONS
from qubator.errors import from_problem
from qubator.means import WHY_NOT_MORE, means_lines

SOURCE = {"grant_id": "grt_1", "asset": "qpu_ms", "available": 2_000, "pays": 1_500, "why_not_more": "cap_per_job"}
FIELDS = {"needed": 9, "available": 4, "missing": 5, "asset": "CNY", "wallet": 1, "sources": [SOURCE], "would_fit": 3}


def test_every_reason_of_the_ledger_has_its_words() -> None:
    assert WHY_NOT_MORE.keys() == REASONS.keys()


def test_every_figure_has_its_line() -> None:
    assert means_lines(FIELDS) == [
        "  needed     0.000009 CNY at most",
        "  available  0.000004 CNY",
        "  missing    0.000005 CNY",
        "  wallet     0.000001 CNY of the project's own",
        "  grant      grt_1 pays 1,500 qpu_ms of 2,000 qpu_ms available: it reaches its",
        "             cap for one job",
        "  would fit  a smaller job of this kind, of at most 0.000003 CNY",
    ]


def test_what_is_not_told_has_no_line() -> None:
    assert means_lines({"missing": 9}) == ["  missing    0.000009 CNY"]
    assert means_lines({"needed": 9, "available": 1}) == []
    assert means_lines({**FIELDS, "sources": "none", "would_fit": 0})[-1].startswith("  wallet")


def test_a_reason_that_is_news_is_told_as_it_is() -> None:
    told = means_lines({"missing": 1, "sources": [{**SOURCE, "why_not_more": "full_moon"}]})
    assert told[-1].endswith("available: full moon")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    assert max(map(len, means_lines(FIELDS, width=width))) <= width


def test_the_exception_says_it_too() -> None:
    error = from_problem(402, {"code": "grant_exhausted", "detail": "too dear", **FIELDS})
    assert str(error).splitlines() == ["too dear [grant_exhausted]", *means_lines(FIELDS)]
    other = from_problem(422, {"code": "cost_limit", "detail": "too dear", "missing": 5})
    assert str(other) == "too dear [cost_limit]"
