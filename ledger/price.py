"""Usage × rate = charge, in whole micro-units, and the quote that says so beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.model import Line, Resource
from ledger.rates import RateLine

UNITS: dict[Resource, str] = {
    "job": "job",
    "qpu_ms": "ms",
    "shots": "shot",
    "cpu_ms": "ms",
    "gpu_ms": "ms",
    "storage_mib_h": "MiB h",
}
TITLES: dict[Resource, str] = {
    "job": "job",
    "qpu_ms": "QPU time",
    "shots": "shots",
    "cpu_ms": "CPU time",
    "gpu_ms": "GPU time",
    "storage_mib_h": "stored result",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a job used, in native units."""

    qpu_ms: int
    shots: int
    cpu_ms: int = 0
    gpu_ms: int = 0
    storage_mib_h: int = 0

    def __post_init__(self) -> None:
        if min(self.qpu_ms, self.shots, self.cpu_ms, self.gpu_ms, self.storage_mib_h) < 0:
            raise ValueError(f"usage is never negative: {self}")

    def of(self, resource: Resource) -> int:
        """How much of a resource; of "job" always 1."""
        return 1 if resource == "job" else int(getattr(self, resource))


@dataclass(frozen=True, slots=True)
class Charge:
    """Priced lines."""

    lines: tuple[Line, ...]

    @property
    def amount(self) -> int:
        """Their sum, in micro-units."""
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a job is expected to cost, and the ceiling that its hold sets aside, at the rates it pins."""

    rates: tuple[RateLine, ...]
    expected: Charge
    ceiling: Charge


def charge(rates: Sequence[RateLine], usage: Usage) -> Charge:
    """Price a usage. The quantity of a line is the number of started quanta; so nothing else is ever rounded.

    Prices of 0, and resources not used, make no line. More usage never costs less.
    """
    lines = []
    for rate in rates:
        quantity = -(-usage.of(rate.resource) // rate.quantum)
        if quantity and rate.unit_price:
            lines.append(Line(rate.resource, quantity, rate.unit_price, rate.quantum, rate.id))
    return Charge(tuple(lines))


def quote(rates: Sequence[RateLine], expected: Usage, ceiling: Usage) -> Quote:
    """Quote a job that is expected to use `expected` and may use `ceiling`.

    Raises ValueError when the ceiling lies below what is expected.
    """
    found = Quote(tuple(rates), charge(rates, expected), charge(rates, ceiling))
    if found.ceiling.amount < found.expected.amount:
        raise ValueError(f"the ceiling of {ceiling} lies below what is expected, {expected}")
    return found


def lines_to_json(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Lines as plain dicts, strings and integers, with words for people."""
    return [
        {
            "resource": line.resource,
            "what": TITLES[line.resource],
            "quantity": line.quantity,
            "unit": UNITS[line.resource],
            "quantum": line.quantum,
            "unit_price": line.unit_price,
            "amount": line.amount,
            "rate": line.rate,
        }
        for line in lines
    ]


def lines_from_json(document: Sequence[dict[str, Any]]) -> tuple[Line, ...]:
    """Read what `lines_to_json` wrote."""
    return tuple(
        Line(line["resource"], line["quantity"], line["unit_price"], line["quantum"], line["rate"]) for line in document
    )


def rates_to_json(rates: Sequence[RateLine]) -> list[dict[str, Any]]:
    """What a quote pins of its rate lines: all that a price depends on."""
    return [
        {
            "id": rate.id,
            "resource": rate.resource,
            "backend": rate.backend,
            "hours": list(rate.hours),
            "quantum": rate.quantum,
            "unit_price": rate.unit_price,
        }
        for rate in rates
    ]


def rates_from_json(document: Sequence[dict[str, Any]]) -> tuple[RateLine, ...]:
    """The pinned rates, as `rates_to_json` wrote them."""
    return tuple(
        RateLine(
            rate["id"],
            rate["resource"],
            rate["unit_price"],
            rate["quantum"],
            rate["backend"],
            (rate["hours"][0], rate["hours"][1]),
        )
        for rate in document
    )
