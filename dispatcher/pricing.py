"""Quotes and charges as the API, the job row and the receipt carry them (plain JSON, micro-units)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from dispatcher.rules import Rules
from ledger.price import Quote, Rate, charge_to_json, quote

# Written out rather than `asdict`, which copies deeply: a batch prices a thousand jobs.
_RATE = tuple(field.name for field in fields(Rate))


def money(amount: int, asset: str) -> dict[str, Any]:
    """An amount in micro-units of `asset`."""
    return {"micro": amount, "asset": asset}


def quote_of(rules: Rules, backend: str, estimate_us: int, time_limit_us: int, shots: int) -> dict[str, Any]:
    """Expected price and ceiling of a job. The ceiling is what is held; a job is never charged more.

    A job that would run into its time limit is expected to use that much and no more.
    """
    ceiling_ms = rules.ceiling_ms(estimate_us, time_limit_us)
    estimate_ms = min(max(1, -(-estimate_us // 1000)), ceiling_ms)
    found = quote(rules.rate(backend), estimate_ms, ceiling_ms, shots)
    return {
        "expected": money(found.expected.amount, rules.asset),
        "ceiling": money(found.hold_amount, rules.asset),
        "lines": charge_to_json(found.expected)["lines"],
        "rate": {name: getattr(found.rate, name) for name in _RATE},
        "estimate_ms": estimate_ms,
        "ceiling_ms": ceiling_ms,
        "time_limit_ms": -(-time_limit_us // 1000),
        "shots": shots,
    }


def pinned_quote(quoted: dict[str, Any]) -> Quote:
    """The ledger's quote that `quote_of` wrote: a job is charged by it, whatever the rates are by then."""
    return quote(Rate(**quoted["rate"]), quoted["estimate_ms"], quoted["ceiling_ms"], quoted["shots"])
