"""Usage × rate = charge, in whole micro-yuan, and the quote that says so beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.model import CNY

SHOTS_PER_KSHOT = 1000


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices of one backend in micro-yuan: per job, per millisecond of QPU time, per 1,000 shots.

    `version` names the price list, so that a receipt can be checked long after prices have changed.
    """

    backend: str
    per_job: int
    per_qpu_ms: int
    per_kshot: int
    version: str

    def __post_init__(self) -> None:
        if min(self.per_job, self.per_qpu_ms, self.per_kshot) < 0:
            raise ValueError(f"rate {self.version} of {self.backend}: a price is at least 0")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a job used. CPU time is metered and shown; the rates of this version ask nothing for it."""

    qpu_ms: int
    shots: int
    cpu_ms: int = 0

    def __post_init__(self) -> None:
        if min(self.qpu_ms, self.shots, self.cpu_ms) < 0:
            raise ValueError(f"usage is never negative: {self}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a charge: `quantity` of `unit` at `unit_price` micro-yuan per `per` of them.

    amount == ceil(quantity × unit_price / per), in micro-yuan.
    """

    what: str
    quantity: int
    unit: str
    unit_price: int
    amount: int
    per: int = 1


@dataclass(frozen=True, slots=True)
class Charge:
    """Priced lines and their sum in micro-yuan."""

    lines: tuple[Line, ...]
    amount: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What a job is expected to cost, and the ceiling that its hold sets aside."""

    rate: Rate
    expected: Charge
    ceiling: Charge
    asset: str = CNY

    @property
    def hold_amount(self) -> int:
        """What to hold for the job: the ceiling, at least 1 micro-yuan, so that a free job has a hold to settle too."""
        return max(1, self.ceiling.amount)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and integers; `quote_from_json` reads them back."""
        rate = self.rate
        return {
            "asset": self.asset,
            "rate": {
                "backend": rate.backend,
                "per_job": rate.per_job,
                "per_qpu_ms": rate.per_qpu_ms,
                "per_kshot": rate.per_kshot,
                "version": rate.version,
            },
            "expected": charge_to_json(self.expected),
            "ceiling": charge_to_json(self.ceiling),
        }


def charge(rate: Rate, usage: Usage) -> Charge:
    """Price a usage. Shots are paid one by one, not by started thousands; a line is rounded up to a whole micro-yuan.

    Prices of 0 make no line. More usage never costs less.
    """
    shots_amount = -(-usage.shots * rate.per_kshot // SHOTS_PER_KSHOT)
    lines = (
        Line("job", 1, "job", rate.per_job, rate.per_job),
        Line("QPU time", usage.qpu_ms, "ms", rate.per_qpu_ms, usage.qpu_ms * rate.per_qpu_ms),
        Line("shots", usage.shots, "shot", rate.per_kshot, shots_amount, SHOTS_PER_KSHOT),
    )
    priced = tuple(line for line in lines if line.unit_price)
    return Charge(priced, sum(line.amount for line in priced))


def quote(rate: Rate, estimate_ms: int, ceiling_ms: int, shots: int) -> Quote:
    """Quote a job: `estimate_ms` of QPU time expected, at most `ceiling_ms` (its time limit), `shots` in all.

    Raises ValueError when the ceiling lies below the estimate.
    """
    if ceiling_ms < estimate_ms:
        raise ValueError(f"the ceiling of {ceiling_ms} ms lies below the estimate of {estimate_ms} ms")
    return Quote(rate, charge(rate, Usage(estimate_ms, shots)), charge(rate, Usage(ceiling_ms, shots)))


def charge_to_json(priced: Charge) -> dict[str, Any]:
    """A charge as plain dicts, lists, strings and integers."""
    lines = [
        {
            "what": line.what,
            "quantity": line.quantity,
            "unit": line.unit,
            "unit_price": line.unit_price,
            "per": line.per,
            "amount": line.amount,
        }
        for line in priced.lines
    ]
    return {"lines": lines, "amount": priced.amount}


def charge_from_json(document: dict[str, Any]) -> Charge:
    """Read what `charge_to_json` wrote."""
    return Charge(tuple(Line(**line) for line in document["lines"]), document["amount"])


def quote_from_json(document: dict[str, Any]) -> Quote:
    """Read what `Quote.to_json` wrote."""
    return Quote(
        rate=Rate(**document["rate"]),
        expected=charge_from_json(document["expected"]),
        ceiling=charge_from_json(document["ceiling"]),
        asset=document["asset"],
    )
