"""A receipt step by step: the figures behind each sentence are those of the receipt."""

from __future__ import annotations

from typing import Any

from ledger.price import Usage, charge, quote
from ledger.rates import RateLine
from ledger.receipt import receipt
from ledger.receipt_words import steps
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py

RATES = (RateLine("r1", "job", 1_000), RateLine("r2", "qpu_ms", 200), RateLine("r3", "shots", 1_500, 1_000))


def told(ledger: Ledger, usage: Usage, *, void: bool = False) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    quoted = quote(RATES, Usage(10, 1_024), Usage(30, 1_024))
    ledger.hold("j1", *quoted.ceiling.lines, claimant=Claimant(year=2026))
    if void:
        ledger.void("j1")
    else:
        ledger.settle("j1", *charge(RATES, usage).lines)
    document = receipt(ledger.book.holds["j1"], ledger.entries, quoted, usage, ledger.book.grants)
    found = steps(document)
    assert [step["words"] for step in found] == document["explanation"]
    return document, found


def amounts(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [step["amounts"] for step in found if step["step"] == kind]


def test_lines_add_up_to_the_total_and_payers_to_the_charge(ledger: Ledger) -> None:
    ledger.terms(share_ppm=600_000)
    ledger.grant("A", 100_000, funders=(("city", 2), ("bank", 1)))
    ledger.top_up(50_000)
    document, found = told(ledger, Usage(12, 1_024))
    assert [step["step"] for step in found] == ["price", "price", "price", "total", "payer", "payer", "released"]
    for line in amounts(found, "price"):
        assert line["quantity"] * line["unit_price"] == line["amount"]
    assert sum(line["amount"] for line in amounts(found, "price")) == amounts(found, "total")[0]["amount"] == 6_400
    grant, wallet = amounts(found, "payer")
    assert grant["worth"] + wallet["worth"] == document["charged"]
    assert (grant["payer"], grant["share_ppm"], grant["rule"]) == ("A", 600_000, "seed@1#1")
    assert sum(funder["paid"] for funder in grant["funders"]) == grant["paid"]
    (rest,) = amounts(found, "released")
    assert rest["held"] == rest["charged"] + rest["released"]


def test_in_kind_stands_in_its_own_asset_beside_its_worth(ledger: Ledger) -> None:
    ledger.grant("K", 100, asset="qpu_ms", programme="kind")
    ledger.grant("A", 100_000)
    _, found = told(ledger, Usage(12, 1_024))
    kind, money = amounts(found, "payer")
    assert (kind["paid"], kind["asset"], kind["worth"]) == (12, "qpu_ms", 2_400)
    assert (money["paid"], money["asset"]) == (money["worth"], "CNY")


def test_what_a_cap_cut_and_what_the_facility_absorbed(ledger: Ledger) -> None:
    ledger.terms(cap_per_job=9_000)
    ledger.grant("A", 100_000)
    ledger.top_up(50_000)
    document, found = told(ledger, Usage(50, 1_024))
    (cut,) = amounts(found, "cut")
    assert cut == {"payer": "A", "limit": "cap_per_job", "amount": 1_000}
    (absorbed,) = amounts(found, "absorbed")
    assert absorbed["price"] - absorbed["held"] == absorbed["absorbed_by_facility"]
    assert document["charged"] + absorbed["absorbed_by_facility"] == amounts(found, "total")[0]["amount"]


def test_a_voided_job_has_the_one_step(ledger: Ledger) -> None:
    ledger.grant("A", 100_000)
    _, found = told(ledger, Usage(0, 0), void=True)
    assert [(step["step"], step["amounts"]) for step in found] == [
        ("voided", {"held": 10_000, "released": 10_000, "asset": "CNY"})
    ]
