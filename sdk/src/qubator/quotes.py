"""What a job would cost, who would pay which part of it, and until when that is honoured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qubator.money import Money, instant

WALLET = "wallet"
"""The payer that is no grant: the project's own money."""


@dataclass(frozen=True, slots=True)
class Payer:
    """The part of a ceiling that one payer would hold: `amount` in its own asset, `worth` of it in money.

    `payer` is a grant's id, or "wallet". `share_ppm` of the price (in millionths) is what `rule` lets it pay.
    """

    payer: str
    amount: Money
    worth: Money
    share_ppm: int
    rule: str

    @property
    def share(self) -> str:
        """The share as people write it: "30 %", and "rest" for the wallet, which pays what is left."""
        return share_in_words(self.payer, self.share_ppm)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a job would cost and wait now. `record` is the whole answer of the service.

    Until `expires` a job of the same work that names this quote (`client.submit(…, quote=quote)`) is admitted at this
    price and on these terms. Where `missing` is above 0, so much of the ceiling has no payer: it would be refused.
    """

    id: str
    expires: datetime | None
    expected: Money
    ceiling: Money
    payers: tuple[Payer, ...]
    missing: Money
    backend: str
    wait_us: int
    record: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Quote:
        """Read the service's answer."""
        expected, ceiling = (Money.from_json(answer["quote"][word]) for word in ("expected", "ceiling"))
        return cls(
            id=str(answer["quote_id"]),
            expires=instant(answer["expires_us"]),
            expected=expected,
            ceiling=ceiling,
            payers=tuple(_payer(one, ceiling.asset) for one in answer["payers"]),
            missing=Money(int(answer["missing"]), ceiling.asset),
            backend=str(answer["backend"]),
            wait_us=int(answer["wait_us"]),
            record=answer,
        )


def share_in_words(payer: str, share_ppm: int) -> str:
    """Millionths as percent; the wallet pays the rest."""
    return "rest" if payer == WALLET else f"{share_ppm / 10_000:g} %"


def _payer(told: Mapping[str, Any], asset: str) -> Payer:
    amount, worth = Money(int(told["amount"]), str(told["asset"])), Money(int(told["worth"]), asset)
    return Payer(str(told["payer"]), amount, worth, int(told["share_ppm"]), str(told["rule"]))
