"""Quotes, quotas and receipts with ids as long as real ones, on 80 columns."""

from __future__ import annotations

from typing import Any

import pytest

from qubator.cli_money import explain_lines, grant_lines, quota_lines, quote_lines, receipt_lines
from qubator.quota import Quota
from qubator.quotes import Quote

GRANT = "grt_" + "7" * 26
PROGRAMME = "pgm_" + "7" * 26


def test_a_quota_of_real_size_keeps_ids_and_amounts_whole(told: Any) -> None:
    grants = [
        told.grant(id=GRANT, granted=9_999_999_999_999, settled=9_999_999_999_999, available=9_999_999_999_999)
    ] * 2
    lines = list(quota_lines(Quota.from_json(told.balance(*grants)), 80))
    assert max(map(len, lines)) <= 80
    assert lines.count(f"grant      {GRANT}") == 2
    assert "available  9,999,999.999999" in lines
    assert "until      2023-11-14" in lines


def test_a_quota_tells_wallet_kinds_restrictions_and_breakage(told: Any) -> None:
    figures = {"granted": 5_000, "settled": 1_500, "held": 0, "available": 3_500, "expired": 0}
    kind = told.grant(id="grt_2", asset="qpu_ms", resources=["qpu_ms"], backends=["aer"], **figures)
    record = told.balance(
        told.grant(),
        kind,
        expired=2_000_000,
        wallet={"available": 5_000_000, "held": 1},
        in_kind={"qpu_ms": figures | {"runs_out_us": 1_700_000_000_000_000}},
    )
    lines = list(quota_lines(Quota.from_json(record), 80))
    assert "expired    2.00 CNY not used in time" in lines
    assert "wallet     5.00 CNY of your own money, 0.000001 CNY held" in lines
    assert "IN KIND  GRANTED  SETTLED  HELD  AVAILABLE  EXPIRED  RUNS OUT" in lines
    assert "qpu_ms     5,000    1,500     0      3,500        0  2023-11-14" in lines
    assert lines[-3:] == [
        "GRANT  SETTLED  HELD  AVAILABLE  IN      UNTIL       PAYS FOR",
        "grt_1     1.50  0.50       8.00  CNY     2023-11-14",
        "grt_2    1,500     0      3,500  qpu_ms  2023-11-14  qpu_ms, aer",
    ]


def test_a_quota_without_anything_left_says_so(told: Any) -> None:
    lines = list(quota_lines(Quota.from_json(told.balance(told.grant(), available=0)), 80))
    assert "runs out   nothing is left to spend" in lines


@pytest.mark.parametrize(
    "kept",
    [
        {"wallet": {"available": 5, "held": 0}},
        {
            "in_kind": {
                "shots": dict.fromkeys(("settled", "held", "expired", "runs_out_us"), 0)
                | {"granted": 9, "available": 9}
            }
        },
    ],
)
def test_a_wallet_and_grants_in_kind_are_something_left(told: Any, kept: dict[str, Any]) -> None:
    lines = list(quota_lines(Quota.from_json(told.balance(told.grant(), available=0, **kept)), 80))
    assert "runs out   no grant in money has anything left" in lines


def test_a_grant_for_ever_has_no_day(told: Any) -> None:
    found = Quota.from_json(told.balance(told.grant(valid_until_us=2**63 - 1), runs_out_us=2**63 - 1))
    assert list(grant_lines(found.grants, 80))[-1].endswith("after 9999")
    assert any(line.startswith("runs out   after 9999") for line in quota_lines(found, 80))


def test_a_quote_that_nobody_pays_in_full_says_what_would_happen(told: Any) -> None:
    lines = list(quote_lines(Quote.from_json(told.quoted(missing=4, payers=[])), "1 qubit", "a.qasm", 80))
    assert "circuit   1 qubit" in lines
    assert " ".join(lines).endswith(
        "Nobody pays 0.000004 CNY of the 0.000009 CNY: the job would be refused. See `qubator quota`."
    )


@pytest.mark.parametrize("width", [60, 80])
def test_a_quote_and_a_receipt_with_real_ids_keep_the_width(told: Any, width: int) -> None:
    payer = {"payer": GRANT, "asset": "CNY", "amount": 9, "worth": 9, "rule": f"{PROGRAMME}@12#3", "share_ppm": 500_000}
    quote = Quote.from_json(told.quoted(quote_id="qte_" + "7" * 26, payers=[payer, payer]))
    lines = list(quote_lines(quote, "", "circuit.qasm", width))
    assert max(map(len, lines)) <= width
    assert lines.count(f"payer         {GRANT}") == 2
    assert f"rule          {PROGRAMME}@12#3" in lines
    paid = {"payer": GRANT, "programme_id": PROGRAMME, "share_ppm": 500_000, "paid": 1_500, "asset": "qpu_ms",
            "worth": 750_000}  # fmt: skip
    bill = {"job_id": "job_1", "asset": "CNY", "price": 750_000, "charged": 750_000, "subsidised": 750_000, "copay": 0,
            "held": 750_000, "released": 0, "absorbed_by_facility": 3, "lines": [], "payers": [paid]}  # fmt: skip
    lines = list(receipt_lines(bill, width))
    assert max(map(len, lines)) <= width
    assert "paid       1,500 qpu_ms, worth 0.75 CNY" in lines
    assert "absorbed    0.000003 CNY" in lines


def test_words_of_the_service_stay_on_their_lines() -> None:
    assert list(explain_lines({"explain": [{"words": "a\x1b[2Jb"}]}, 80)) == [" 1. a�[2Jb"]


def test_a_quote_that_a_budget_would_refuse_is_not_offered(told: Any) -> None:
    refusal = {"code": "budget_exhausted", "detail": "The budget for member ann has 1 left."}
    lines = list(quote_lines(Quote.from_json(told.quoted(refusal=refusal)), "1 qubit", "a.qasm", 80))
    assert " ".join(lines[-2:]).endswith("The budget for member ann has 1 left. [budget_exhausted]")
    assert not any("To submit it" in line for line in lines)


def test_a_quote_for_a_device_tells_what_it_would_bill(told: Any) -> None:
    quote = told.quoted()["quote"] | {"estimate_ms": 60, "time_limit_ms": 60_000, "qpu_ms": [370, 446]}
    lines = list(quote_lines(Quote.from_json(told.quoted(quote=quote)), "circuit", "bell.qasm", 80))
    assert "QPU time  about 370.0 ms, billed as the device would; 446.0 ms are held" in lines
    assert "run time  about 60.0 ms, stopped after 60.0 s" in lines
