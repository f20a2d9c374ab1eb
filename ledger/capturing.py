"""What each slice of a hold pays of the price in the end: the rules of the hold, applied to what was used.

The price of a line may have become smaller than at the hold, never larger (the rest is overrun). Every payer pays its
share of the new price, at most its slice. Then each line is paid to the last unit: what a line costs less, its slices
give back together, so the slices always suffice but for shares rounded down; these few units are paid by the first
slices with room, quanta in kind only where the slices in money cannot.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.model import BrokenInvariant, Hold, Line
from ledger.shares import OpenLine


def capture(hold: Hold, lines: Sequence[Line], limits: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """What each slice pays of `lines`, at most its limit, and the overrun in money.

    `limits` are the slices' amounts when a hold is settled, and what they have paid when it is corrected. Raises
    BrokenInvariant for a line whose price is not the hold's.
    """
    ceilings = {line.resource: line for line in hold.lines}
    owed: dict[str, OpenLine] = {}
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
        owed[line.resource] = OpenLine.of(line, within)
    captured = [0] * len(hold.slices)
    _in_kind(hold, owed, limits, captured)
    _in_money(hold, owed, limits, captured)
    if any(one.open for one in owed.values()):
        raise BrokenInvariant(f"job {hold.job_id}: its slices do not pay what lies within its hold")
    return tuple(captured), overrun


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


def _in_money(hold: Hold, owed: dict[str, OpenLine], limits: Sequence[int], captured: list[int]) -> None:
    for number, part in enumerate(hold.slices):
        line = owed.get(part.resource)
        if line is not None and part.asset == hold.asset:
            captured[number] = min(limits[number], line.money_due(part.share_ppm, part.up_to_ppm, part.rule))
            line.give_money(captured[number], part.rule)
    for number, part in enumerate(hold.slices):
        line = owed.get(part.resource)
        if line is not None and line.open and part.asset == hold.asset:
            more = min(limits[number] - captured[number], line.open)
            captured[number] += more
            line.give_money(more, part.rule)
