"""One line of a price while payers take their shares of it: the same rules at the hold and at the settlement."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.model import FULL_PPM, Line


@dataclass(slots=True)
class OpenLine:
    """What of a line is still to be paid: `units` quanta not paid in kind, `base` their price, `paid` of it in money.

    `quantity` are the quanta that shares in kind are reckoned from. A rule's share is one, however many grants of its
    programme pay under it, in kind or in money: so what each rule has given is remembered.
    """

    line: Line
    quantity: int
    units: int
    base: int
    paid: int = 0
    quanta_by_rule: dict[str, int] = field(default_factory=dict)
    money_by_rule: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, line: Line, quantity: int) -> OpenLine:
        """A line of which nothing is paid, for its first `quantity` quanta."""
        return cls(line, quantity, quantity, quantity * line.unit_price)

    @property
    def open(self) -> int:
        """What nobody has paid yet, in money."""
        return self.base - self.paid

    def quanta_due(self, share_ppm: int, rule: str) -> int:
        """How many quanta a rule lets a payer in kind give."""
        share = self.quantity * share_ppm // FULL_PPM - self.quanta_by_rule.get(rule, 0)
        return max(0, min(self.units, share))

    def money_due(self, share_ppm: int, up_to_ppm: int, rule: str) -> int:
        """How much a rule lets a payer in money give.

        Its share is of what others have left of the line, less what the rule has given already. Never more than is
        left: shares of payers may add up to more than the whole.
        """
        if share_ppm == up_to_ppm == FULL_PPM:
            return self.base - self.paid
        in_kind = self.quanta_by_rule.get(rule, 0) * self.line.unit_price
        share = (self.base + in_kind) * share_ppm // FULL_PPM - in_kind - self.money_by_rule.get(rule, 0)
        return max(0, min(share, self.base * up_to_ppm // FULL_PPM - self.paid))

    def give_quanta(self, quanta: int, rule: str) -> int:
        """A payer in kind gives so many quanta; returns what they are worth."""
        worth = quanta * self.line.unit_price
        self.units -= quanta
        self.base -= worth
        if rule:
            self.quanta_by_rule[rule] = self.quanta_by_rule.get(rule, 0) + quanta
        return worth

    def give_money(self, amount: int, rule: str) -> None:
        """A payer in money gives so much."""
        self.paid += amount
        if rule:
            self.money_by_rule[rule] = self.money_by_rule.get(rule, 0) + amount
