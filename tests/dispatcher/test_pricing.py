"""Quotes as the job row carries them, and the rates that are pinned by them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.pricing import money, pinned_quote, quote_of
from dispatcher.rules import Rules
from ledger.model import RESOURCES
from ledger.price import Usage, charge
from ledger.rates import RateLine


def quoted_at(*rates: RateLine, estimate_us: int = 2_500, limit_us: int = 60_000_000, shots: int = 0) -> dict[str, Any]:
    return quote_of(Rules(), rates or Rules().rates, estimate_us, limit_us, shots, 0)


def test_a_quote_in_figures() -> None:
    quoted = quoted_at(shots=1_500)
    assert quoted["expected"] == {"micro": 1_000 + 3 * 500 + 150, "asset": "CNY"}
    assert quoted["ceiling"] == {"micro": 1_000 + 250 * 500 + 150, "asset": "CNY"}
    assert (quoted["estimate_ms"], quoted["ceiling_ms"], quoted["shots"]) == (3, 250, 1_500)
    assert quoted["time_limit_ms"] == 60_000
    assert [(line["what"], line["amount"], line["rate"]) for line in quoted["lines"]] == [
        ("job", 1_000, "built-in/job"),
        ("QPU time", 1_500, "built-in/qpu_ms"),
        ("shots", 150, "built-in/shots"),
    ]
    assert [rate["id"] for rate in quoted["rates"]] == ["built-in/job", "built-in/qpu_ms", "built-in/shots"]
    assert sum(line["amount"] for line in quoted["lines"]) == quoted["expected"]["micro"]


def test_every_resource_that_has_a_price_is_quoted() -> None:
    """An engine takes one core for as long as it runs; the result is kept for 720 hours."""
    rates = [RateLine("cpu", "cpu_ms", 3, 100), RateLine("gpu", "gpu_ms", 9), RateLine("kept", "storage_mib_h", 2)]
    quoted = quote_of(Rules(), rates, 2_500, 60_000_000, 10, 1_000_000)
    assert quoted["storage_mib_h"] == -(-1_000_000 * 720 // 2**20) == 687
    assert quoted["expected"]["micro"] == 3 + 2 * 687, "3 ms are one started quantum of 100; no GPU is used"
    assert quoted["ceiling"]["micro"] == 3 * 3 + 2 * 687


def test_a_job_longer_than_its_time_limit_is_expected_to_run_into_it() -> None:
    quoted = quoted_at(estimate_us=5_000_000, limit_us=1_000_000)
    assert (quoted["estimate_ms"], quoted["ceiling_ms"]) == (1_000, 1_000)


def test_a_device_is_paid_for_what_it_would_take_and_its_simulation_for_its_own_time() -> None:
    """Run time of 3 ms beside a bill of 370.2 to 446 ms; processor time follows the run."""
    rates = [RateLine("qpu", "qpu_ms", 500), RateLine("cpu", "cpu_ms", 1)]
    quoted = quote_of(Rules(), rates, 2_500, 60_000_000, 10, 0, (370_200, 446_000))
    assert quoted["qpu_ms"] == [371, 446]
    assert quoted["expected"]["micro"] == 371 * 500 + 3
    assert quoted["ceiling"]["micro"] == 446 * 500 + 250
    assert pinned_quote(quoted).ceiling.amount == quoted["ceiling"]["micro"]
    assert "qpu_ms" not in quoted_at()


def test_a_free_backend_costs_nothing_and_holds_nothing() -> None:
    quoted = quoted_at(*[RateLine(name, name, 0) for name in RESOURCES], shots=10)
    assert (quoted["expected"]["micro"], quoted["ceiling"]["micro"], quoted["lines"]) == (0, 0, [])
    assert pinned_quote(quoted).ceiling.lines == ()


@given(
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.integers(0, 10**6),
    st.integers(0, 10**9),
    st.lists(st.tuples(st.sampled_from(RESOURCES), st.integers(0, 10**6), st.integers(1, 10**4)), max_size=6),
)
def test_the_pinned_quote_is_the_one_that_was_given(
    estimate_us: int, time_limit_us: int, shots: int, result_bytes: int, card: list[tuple[Any, int, int]]
) -> None:
    lines = {name: RateLine(name, name, price, 1 if name == "job" else quantum) for name, price, quantum in card}
    rates = tuple(lines[name] for name in RESOURCES if name in lines)
    quoted = quote_of(Rules(), rates, estimate_us, time_limit_us, shots, result_bytes)
    pinned = pinned_quote(orjson.loads(orjson.dumps(quoted)))
    assert pinned.rates == rates
    assert (pinned.expected.amount, pinned.ceiling.amount) == (quoted["expected"]["micro"], quoted["ceiling"]["micro"])
    assert quoted["expected"]["micro"] <= quoted["ceiling"]["micro"]
    most = Usage(quoted["ceiling_ms"], shots, quoted["ceiling_ms"], 0, quoted["storage_mib_h"])
    assert charge(pinned.rates, most) == pinned.ceiling


def test_the_pinned_rates_do_not_follow_the_price_list() -> None:
    quoted = quoted_at()
    quoted["rates"][0]["unit_price"] = 7
    assert charge(pinned_quote(quoted).rates, Usage(0, 0)).amount == 7


@pytest.mark.parametrize("amount", [0, 10**15])
def test_money(amount: int) -> None:
    assert money(amount, "CNY") == {"micro": amount, "asset": "CNY"}
