"""A receipt that anybody can add up by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ledger.model import BrokenInvariant
from ledger.price import Charge, Rate, Usage, charge, quote
from ledger.receipt import receipt

Ledger = Any  # the fixture's class lives in conftest.py

RATE = Rate("aer", per_job=1_000, per_qpu_ms=200, per_kshot=1_500, version="2026-01")
QUOTE = quote(RATE, estimate_ms=10, ceiling_ms=30, shots=1024)
USAGE = Usage(qpu_ms=12, shots=1024, cpu_ms=40)


def _run(ledger: Ledger, usage: Usage = USAGE) -> dict[str, Any]:
    """Hold, settle and explain the job j1."""
    priced = charge(RATE, usage)
    ledger.hold("j1", QUOTE.hold_amount)
    ledger.settle("j1", priced.amount)
    return _receipt(ledger, priced, usage)


def _receipt(ledger: Ledger, priced: Charge, usage: Usage) -> dict[str, Any]:
    return receipt(ledger.book.holds["j1"], ledger.entries, priced, QUOTE, usage, ledger.book.grants)


def test_a_receipt_in_full(ledger: Ledger) -> None:
    ledger.grant("A", 4_000, priority=1)
    ledger.grant("B", 10_000, priority=2)
    shown = _run(ledger)
    assert shown == {
        "v": 1,
        "job_id": "j1",
        "project_id": "acme",
        "asset": "CNY",
        "state": "settled",
        "usage": {"qpu_ms": 12, "shots": 1024, "cpu_ms": 40},
        "rate": {"backend": "aer", "per_job": 1_000, "per_qpu_ms": 200, "per_kshot": 1_500, "version": "2026-01"},
        "lines": [
            {"what": "job", "quantity": 1, "unit": "job", "unit_price": 1_000, "per": 1, "amount": 1_000},
            {"what": "QPU time", "quantity": 12, "unit": "ms", "unit_price": 200, "per": 1, "amount": 2_400},
            {"what": "shots", "quantity": 1024, "unit": "shot", "unit_price": 1_500, "per": 1_000, "amount": 1_536},
        ],
        "price": 4_936,
        "charged": 4_936,
        "quoted": {"expected": 4_536, "ceiling": 8_536},
        "held": 8_536,
        "released": 3_600,
        "absorbed_by_facility": 0,
        "payers": [
            {
                "grant_id": "A",
                "programme_id": "seed",
                "funder_id": "city",
                "held": 4_000,
                "paid": 4_000,
                "released": 0,
                "released_to": "available",
            },
            {
                "grant_id": "B",
                "programme_id": "seed",
                "funder_id": "city",
                "held": 4_536,
                "paid": 936,
                "released": 3_600,
                "released_to": "available",
            },
        ],
        "entries": [
            {"id": "hold/j1", "kind": "hold", "at_us": 10},
            {"id": "settle/j1", "kind": "settle", "at_us": 20},
        ],
        "explanation": [
            "job: 1 job at 0.001000 CNY per job = 0.001000 CNY.",
            "QPU time: 12 ms at 0.000200 CNY per ms = 0.002400 CNY.",
            "shots: 1024 shots at 0.001500 CNY per 1000 shots = 0.001536 CNY.",
            "Together 0.004936 CNY.",
            "Grant A of programme seed, funded by city, paid 0.004000 CNY.",
            "Grant B of programme seed, funded by city, paid 0.000936 CNY.",
            "0.003600 CNY of the 0.008536 CNY held was not needed.",
        ],
    }
    assert json.loads(json.dumps(shown)) == shown


def test_a_receipt_tells_what_the_facility_absorbed(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    shown = _run(ledger, Usage(qpu_ms=50, shots=1024))
    assert (shown["price"], shown["charged"], shown["absorbed_by_facility"]) == (12_536, 8_536, 4_000)
    assert shown["released"] == 0
    assert shown["explanation"][-1] == (
        "The price exceeds the hold of 0.008536 CNY; the facility absorbed 0.004000 CNY."
    )


def test_a_receipt_tells_that_the_rest_came_back_too_late(ledger: Ledger) -> None:
    ledger.grant("A", 100_000, valid=(0, 1000))
    ledger.hold("j1", QUOTE.hold_amount)
    ledger.expire("A")
    priced = charge(RATE, USAGE)
    ledger.settle("j1", priced.amount, at_us=1500)
    (payer,) = _receipt(ledger, priced, USAGE)["payers"]
    assert (payer["released"], payer["released_to"]) == (3_600, "expired")


def test_a_voided_job_costs_nothing_and_says_so(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    ledger.hold("j1", QUOTE.hold_amount)
    ledger.void("j1")
    shown = _receipt(ledger, Charge((), 0), Usage(0, 0))
    assert (shown["state"], shown["charged"], shown["released"], shown["lines"]) == ("voided", 0, 8_536, [])
    assert shown["explanation"] == ["Nothing was charged: the hold of 0.008536 CNY was given back."]


def test_other_jobs_stay_out_of_it(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    ledger.hold("j2", 5)
    ledger.settle("j2", 5)
    assert [entry["id"] for entry in _run(ledger)["entries"]] == ["hold/j1", "settle/j1"]


def test_an_asset_without_decimals_is_counted_bare(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    _run(ledger)
    hold = replace(ledger.book.holds["j1"], asset="shots")
    shown = receipt(hold, ledger.entries, charge(RATE, USAGE), QUOTE, USAGE, ledger.book.grants)
    assert shown["explanation"][3] == "Together 4936 shots."


def test_there_is_no_receipt_before_the_end(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    ledger.hold("j1", 5)
    with pytest.raises(ValueError, match="job j1 is still open"):
        _receipt(ledger, Charge((), 0), USAGE)


def test_a_receipt_that_does_not_add_up_is_a_bug(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    _run(ledger)
    with pytest.raises(BrokenInvariant, match="charged 4936, priced 0"):
        _receipt(ledger, Charge((), 0), USAGE)
    ledger.entries = [entry for entry in ledger.entries if entry.kind != "settle"]
    with pytest.raises(BrokenInvariant, match="0 was paid, 0 released, 0 absorbed"):
        _receipt(ledger, charge(RATE, USAGE), USAGE)
