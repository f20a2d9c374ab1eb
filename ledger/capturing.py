"""What each slice of a hold pays of the price in the end: the rules of the hold, applied to what was used.

The price of a line may have become smaller than at the hold, never larger (the rest is overrun). Every payer in money
pays its share of each line, at most what it holds for all lines together: so it pays what its terms would have given
had the use been known beforehand, for a cap that the ceiling of one line had used up is free again where that line
cost less. With less to pay, and earlier payers that give a line no less, no share grows but by units of rounding; these
few units are paid by the first payers with room, quanta in kind only where money cannot. Should a payer that may not
pay a line have all the room that is left, each line is paid from what was held for that line alone: that suffices
always (decision 0010).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.model import BrokenInvariant, Hold, Line, Slice
from ledger.shares import OpenLine

Purse = tuple[str, str]
"""What a limit is on: a payer and the resource of a line, or "" for all lines of that payer."""


def capture(hold: Hold, lines: Sequence[Line], limits: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """What each slice pays of `lines`, and the overrun in money. A payer pays its limits at most.

    `limits` are the slices' amounts when a hold is settled, and what they have paid when it is corrected. Raises
    BrokenInvariant for a line whose price is not the hold's.
    """
    within, overrun = _within(hold, lines)
    for purse_of in (_of_payer, _of_line):
        owed: dict[str, OpenLine] = {line.resource: OpenLine.of(line, quantity) for line, quantity in within}
        captured = [0] * len(hold.slices)
        _in_kind(hold, owed, limits, captured)
        _in_money(hold, owed, limits, captured, purse_of)
        if not any(one.open for one in owed.values()):
            return tuple(captured), overrun
    raise BrokenInvariant(f"job {hold.job_id}: its slices do not pay what lies within its hold")


def _of_payer(part: Slice) -> Purse:
    return part.payer, ""


def _of_line(part: Slice) -> Purse:
    return part.payer, part.resource


def _within(hold: Hold, lines: Sequence[Line]) -> tuple[list[tuple[Line, int]], int]:
    """The lines that the hold knows, each with the quantity that lies within its ceiling; and the price of the rest."""
    ceilings = {line.resource: line for line in hold.lines}
    found: list[tuple[Line, int]] = []
    overrun = 0
    for line in lines:
        ceiling = ceilings.get(line.resource)
        if ceiling is None:
            overrun += line.amount
            continue
        if line.unit_price != ceiling.unit_price or line.quantum != ceiling.quantum:
            raise BrokenInvariant(f"job {hold.job_id}: {line} is not at the price of its hold, {ceiling}")
        within = min(line.quantity, ceiling.quantity)
        overrun += (line.quantity - within) * line.unit_price
        found.append((line, within))
    return found, overrun


def _in_kind(hold: Hold, owed: dict[str, OpenLine], limits: Sequence[int], captured: list[int]) -> None:
    slices = [(number, part) for number, part in enumerate(hold.slices) if part.asset != hold.asset]
    slices = [(number, part) for number, part in slices if part.resource in owed]
    for number, part in slices:
        line = owed[part.resource]
        quantum = line.line.quantum
        quanta = min(limits[number] // quantum, line.quanta_due(part.share_ppm, part.rule))
        line.give_quanta(quanta, part.rule)
        captured[number] = quanta * quantum
    for number, part in slices:
        line = owed[part.resource]
        short = line.open - sum(
            limit
            for other, limit in zip(hold.slices, limits, strict=True)
            if other.resource == part.resource and other.asset == hold.asset
        )
        if short > 0:
            quantum = line.line.quantum
            quanta = min((limits[number] - captured[number]) // quantum, -(-short // line.line.unit_price))
            line.give_quanta(quanta, part.rule)
            captured[number] += quanta * quantum


def _in_money(
    hold: Hold,
    owed: dict[str, OpenLine],
    limits: Sequence[int],
    captured: list[int],
    purse_of: Callable[[Slice], Purse],
) -> None:
    """In the order of the slices: of each payer, line by line."""
    slices = [(number, part, purse_of(part)) for number, part in enumerate(hold.slices) if part.asset == hold.asset]
    left: dict[Purse, int] = {}
    for number, _, purse in slices:
        left[purse] = left.get(purse, 0) + limits[number]
    for rounding in (False, True):
        for number, part, purse in slices:
            line = owed.get(part.resource)
            if line is None:
                continue
            due = line.open if rounding else line.money_due(part.share_ppm, part.up_to_ppm, part.rule)
            amount = min(left[purse], due)
            left[purse] -= amount
            captured[number] += amount
            line.give_money(amount, part.rule)
