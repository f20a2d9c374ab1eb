"""A receipt that anybody can add up by hand, and work out again from what it carries."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.model import BrokenInvariant
from ledger.price import Usage, charge, quote
from ledger.rates import RateLine
from ledger.receipt import receipt, replay
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py

RATES = (RateLine("r1", "job", 1_000), RateLine("r2", "qpu_ms", 200), RateLine("r3", "shots", 1_500, 1_000))
QUOTE = quote(RATES, Usage(10, 1_024), Usage(30, 1_024))
USAGE = Usage(qpu_ms=12, shots=1_024, cpu_ms=40)
CEILING = 1_000 + 30 * 200 + 2 * 1_500
PRICE = 1_000 + 12 * 200 + 2 * 1_500


def _hold(ledger: Ledger) -> None:
    assert ledger.hold("j1", *QUOTE.ceiling.lines, claimant=Claimant(year=2026)).kind == "hold"


def _settle(ledger: Ledger, usage: Usage = USAGE) -> dict[str, Any]:
    ledger.settle("j1", *charge(RATES, usage).lines)
    return _receipt(ledger, usage)


def _receipt(ledger: Ledger, usage: Usage = USAGE) -> dict[str, Any]:
    return receipt(ledger.book.holds["j1"], ledger.entries, QUOTE, usage, ledger.book.grants)


def _replayed_exactly(shown: dict[str, Any]) -> bool:
    again = replay(json.loads(json.dumps(shown)))
    captured = [part["captured"] for part in shown["slices"]]
    own = {name: shown[name] for name in ("price", "charged", "absorbed_by_facility")}
    return bool(again == own | {"captured": captured})


def test_a_receipt_in_full(ledger: Ledger) -> None:
    """Of 6,400 the voucher pays 60 %, line by line: 600, 1,440, 1,800. The wallet pays 400, 960, 1,200."""
    ledger.terms(share_ppm=600_000)
    ledger.grant("A", 100_000, funders=(("city", 2), ("bank", 1)))
    ledger.top_up(50_000)
    _hold(ledger)
    shown = _settle(ledger)
    assert {name: shown[name] for name in ("v", "job_id", "project_id", "asset", "state")} == {
        "v": 2,
        "job_id": "j1",
        "project_id": "acme",
        "asset": "CNY",
        "state": "settled",
    }
    assert shown["usage"] == {"qpu_ms": 12, "shots": 1_024, "cpu_ms": 40, "gpu_ms": 0, "storage_mib_h": 0}
    assert [line["amount"] for line in shown["lines"]] == [1_000, 2_400, 3_000]
    assert (shown["price"], shown["charged"], shown["absorbed_by_facility"]) == (PRICE, PRICE, 0)
    assert (shown["subsidised"], shown["copay"]) == (3_840, 2_560)
    assert (shown["held"], shown["released"]) == (CEILING, CEILING - PRICE)
    assert shown["quoted"]["expected"] == 1_000 + 2_000 + 3_000
    assert shown["payers"] == [
        {
            "payer": "A",
            "grant_id": "A",
            "programme_id": "seed",
            "funder_id": "city",
            "funders": [{"funder_id": "city", "paid": 2_560}, {"funder_id": "bank", "paid": 1_280}],
            "asset": "CNY",
            "held": 6_000,
            "paid": 3_840,
            "worth": 3_840,
            "released": 2_160,
            "released_to": "available",
            "share_ppm": 600_000,
            "rule": "seed@1#1",
        },
        {
            "payer": "wallet",
            "grant_id": None,
            "programme_id": None,
            "funder_id": None,
            "funders": [],
            "asset": "CNY",
            "held": 4_000,
            "paid": 2_560,
            "worth": 2_560,
            "released": 1_440,
            "released_to": "wallet",
            "share_ppm": 1_000_000,
            "rule": "",
        },
    ]
    assert [part["captured"] for part in shown["slices"]] == [600, 1_440, 1_800, 400, 960, 1_200]
    assert shown["entries"] == [
        {"id": "hold/j1", "kind": "hold", "at_us": 10},
        {"id": "settle/j1", "kind": "settle", "at_us": 20},
    ]
    assert (shown["cuts"], shown["settlements"]) == ([], [])
    assert json.loads(json.dumps(shown)) == shown
    assert _replayed_exactly(shown)


def test_a_receipt_of_somebody_paid_in_kind(ledger: Ledger) -> None:
    """The 12 ms are paid in kind, worth 2,400; the rest of 4,000 by the grant in money."""
    ledger.grant("K", 100, asset="qpu_ms", programme="kind")
    ledger.grant("A", 100_000)
    _hold(ledger)
    shown = _settle(ledger)
    assert [(one["payer"], one["asset"], one["paid"], one["worth"]) for one in shown["payers"]] == [
        ("K", "qpu_ms", 12, 2_400),
        ("A", "CNY", 4_000, 4_000),
    ]
    assert (shown["charged"], shown["subsidised"], shown["copay"]) == (PRICE, PRICE, 0)
    assert _replayed_exactly(shown)


def test_a_receipt_tells_what_the_facility_absorbed(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    _hold(ledger)
    shown = _settle(ledger, Usage(qpu_ms=50, shots=1_024))
    assert (shown["price"], shown["charged"], shown["absorbed_by_facility"]) == (14_000, CEILING, 4_000)
    assert shown["released"] == 0
    assert _replayed_exactly(shown)


def test_a_receipt_tells_that_the_rest_came_back_too_late(ledger: Ledger) -> None:
    ledger.grant("A", 100_000, valid=(0, 1000))
    _hold(ledger)
    ledger.expire("A")
    (payer,) = _settle(ledger)["payers"]
    assert (payer["released"], payer["released_to"]) == (CEILING - PRICE, "expired")


def test_a_voided_job_costs_nothing(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    _hold(ledger)
    ledger.void("j1")
    shown = _receipt(ledger)
    assert (shown["state"], shown["charged"], shown["released"], shown["lines"]) == ("voided", 0, CEILING, [])
    assert _replayed_exactly(shown)


def test_a_corrected_receipt_is_replayed_through_its_settlements(ledger: Ledger) -> None:
    ledger.terms(share_ppm=600_000)
    ledger.grant("A", 100_000)
    ledger.top_up(50_000)
    _hold(ledger)
    _settle(ledger, Usage(40, 1_024))
    for usage in (Usage(20, 1_024), Usage(3, 10)):
        ledger.correct("j1", *charge(RATES, usage).lines)
        shown = _receipt(ledger)
        assert shown["price"] == charge(RATES, usage).amount
        assert _replayed_exactly(shown)
    assert [[line["quantity"] for line in lines] for lines in shown["settlements"]] == [
        [1, 40, 2],
        [1, 20, 2],
        [1, 3, 1],
    ]
    assert [entry["kind"] for entry in shown["entries"]] == ["hold", "settle", "correct", "correct"]


def test_the_road_to_a_correction_matters_to_the_last_unit(ledger: Ledger) -> None:
    """Halves in kind of three quanta, two used, then one: only those who had paid for two can pay for one."""
    for name in ("a", "b"):
        ledger.terms(name, 500_000)
        ledger.grant(name, 1, programme=name, asset="qpu_ms")
    ledger.grant("G", 100)
    rates = (RateLine("r", "qpu_ms", 7),)
    ledger.hold("j1", *charge(rates, Usage(3, 0)).lines)
    ledger.settle("j1", *charge(rates, Usage(2, 0)).lines)
    ledger.correct("j1", *charge(rates, Usage(1, 0)).lines)
    quoted = quote(rates, Usage(3, 0), Usage(3, 0))
    shown = receipt(ledger.book.holds["j1"], ledger.entries, quoted, Usage(1, 0), ledger.book.grants)
    assert ledger.paid("j1") == {"a": 1, "b": 0, "G": 0}
    assert _replayed_exactly(shown)


usages = st.builds(Usage, st.integers(0, 60), st.integers(0, 5_000))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(usages, st.integers(0, 40), st.integers(0, 8_000), st.integers(1, 1_000_000))
def test_every_receipt_adds_up_and_is_replayed_exactly(
    ledger: Ledger, usage: Usage, kind: int, money: int, share_ppm: int
) -> None:
    ledger = type(ledger)()  # each example has its own
    ledger.terms(share_ppm=share_ppm)
    if kind:
        ledger.grant("K", kind, asset="qpu_ms")
    if money:
        ledger.grant("A", money, funders=(("city", 2), ("bank", 1)))
    ledger.top_up(CEILING)
    _hold(ledger)
    shown = _settle(ledger, usage)
    assert shown["price"] == sum(line["amount"] for line in shown["lines"])
    assert shown["price"] == shown["subsidised"] + shown["copay"] + shown["absorbed_by_facility"]
    for payer in shown["payers"]:
        assert payer["held"] == payer["paid"] + payer["released"]
        assert payer["paid"] == sum(one["paid"] for one in payer["funders"]) or payer["payer"] == "wallet"
    assert _replayed_exactly(shown)


def test_other_jobs_stay_out_of_it(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    ledger.hold("j2", 5)
    ledger.settle("j2", 5)
    _hold(ledger)
    assert [entry["id"] for entry in _settle(ledger)["entries"]] == ["hold/j1", "settle/j1"]


def test_there_is_no_receipt_before_the_end(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    _hold(ledger)
    with pytest.raises(ValueError, match="job j1 is still open"):
        _receipt(ledger)


def test_a_receipt_that_does_not_add_up_is_a_bug(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    _hold(ledger)
    _settle(ledger)
    ledger.book.holds["j1"] = replace(ledger.book.holds["j1"], overrun=1)
    with pytest.raises(BrokenInvariant, match="charged 6400, paid 6400, absorbed 1"):
        _receipt(ledger)
