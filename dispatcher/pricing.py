"""Quotes and charges as the API, the job row and the receipt carry them (plain JSON, micro-units)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dispatcher.rules import Rules
from ledger.price import Quote, Usage, lines_to_json, quote, rates_from_json, rates_to_json
from ledger.rates import RateLine


def money(amount: int, asset: str) -> dict[str, Any]:
    """An amount in micro-units of `asset`."""
    return {"micro": amount, "asset": asset}


def quote_of(
    rules: Rules,
    rates: Sequence[RateLine],
    estimate_us: int,
    time_limit_us: int,
    shots: int,
    result_bytes: int,
    qpu_us: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """Expected price and ceiling of a job at `rates`. The ceiling is what is held; a job is never charged more.

    A job that would run into its time limit is expected to use that much and no more. `qpu_us`: what a device
    would bill, expected and at most, whatever its simulation takes; None where run time is QPU time.
    """
    ceiling_ms = rules.ceiling_ms(estimate_us, time_limit_us)
    estimate_ms = min(max(1, -(-estimate_us // 1000)), ceiling_ms)
    storage = rules.storage_mib_h(result_bytes)
    billed = {} if qpu_us is None else {"qpu_ms": [-(-us // 1000) for us in qpu_us]}
    found = quote(rates, *_usages(estimate_ms, ceiling_ms, shots, storage, billed.get("qpu_ms")))
    return {
        **billed,
        "expected": money(found.expected.amount, rules.asset),
        "ceiling": money(found.ceiling.amount, rules.asset),
        "lines": lines_to_json(found.expected.lines),
        "rates": rates_to_json(rates),
        "estimate_ms": estimate_ms,
        "ceiling_ms": ceiling_ms,
        "time_limit_ms": -(-time_limit_us // 1000),
        "shots": shots,
        "storage_mib_h": storage,
    }


def pinned_quote(quoted: Mapping[str, Any]) -> Quote:
    """The ledger's quote that `quote_of` wrote: a job is charged by it, whatever the rates are by then."""
    times = (quoted["estimate_ms"], quoted["ceiling_ms"])
    usages = _usages(*times, quoted["shots"], quoted["storage_mib_h"], quoted.get("qpu_ms"))
    return quote(rates_from_json(quoted["rates"]), *usages)


def _usages(
    estimate_ms: int, ceiling_ms: int, shots: int, storage_mib_h: int, qpu_ms: Sequence[int] | None
) -> tuple[Usage, Usage]:
    """What a job is expected to use, and may use at most: an engine takes one core for as long as it runs."""
    expected_ms, most_ms = qpu_ms or (estimate_ms, ceiling_ms)
    expected = Usage(expected_ms, shots, estimate_ms, 0, storage_mib_h)
    return expected, Usage(most_ms, shots, ceiling_ms, 0, storage_mib_h)
