"""What each slice of a hold pays of the price in the end: the rules of the hold, applied to what was used.

The price of a line may have become smaller than at the hold, never larger (the rest is overrun). Every payer pays its
share of the new price, at most its slice. Then each line is paid to the last unit: what a line costs less, its slices
give back together, so the wallet's slice always suffices but for shares rounded down; these few units are paid by the
first slices with room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.allocation import due
from ledger.model import FULL_PPM, BrokenInvariant, Hold, Line, Slice


@dataclass(slots=True)
class _Owed:
    """One line while it is being paid: `within` quanta of it lie within the hold, `units` of them not paid in kind."""

    line: Line
    within: int
    units: int
    base: int
    paid: int = 0


def capture(hold: Hold, lines: Sequence[Line], limits: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """What each slice pays of `lines`, at most its limit, and the overrun in money.

    `limits` are the slices' amounts when a hold is settled, and what they have paid when it is corrected. Raises
    BrokenInvariant for a line whose price is not the hold's.
    """
    ceilings = {line.resource: line for line in hold.lines}
    owed: dict[str, _Owed] = {}
    overrun = 0
    for line in lines:
        ceiling = ceilings.get(line.resource)
        if ceiling is not None and (line.unit_price, line.quantum) != (ceiling.unit_price, ceiling.quantum):
            raise BrokenInvariant(f"job {hold.job_id}: {line} is not at the price of its hold, {ceiling}")
        within = min(line.quantity, ceiling.quantity if ceiling is not None else 0)
        overrun += (line.quantity - within) * line.unit_price
        owed[line.resource] = _Owed(line, within, within, within * line.unit_price)
    captured = [0] * len(hold.slices)
    given: dict[tuple[str, str], int] = {}
    for number, part in enumerate(hold.slices):
        line_owed = owed.get(part.resource)
        if line_owed is not None:
            captured[number] = _pay(line_owed, part, limits[number], hold.asset, given)
    for number, part in enumerate(hold.slices):
        line_owed = owed.get(part.resource)
        if line_owed is not None and part.asset == hold.asset and line_owed.paid < line_owed.base:
            more = min(limits[number] - captured[number], line_owed.base - line_owed.paid)
            captured[number] += more
            line_owed.paid += more
    if any(one.paid != one.base for one in owed.values()):
        raise BrokenInvariant(f"job {hold.job_id}: its slices do not pay what lies within its hold")
    return tuple(captured), overrun


def _pay(owed: _Owed, part: Slice, limit: int, money: str, given: dict[tuple[str, str], int]) -> int:
    """What a slice pays, its share of the line first; `given` remembers what its rule has given of the line."""
    key = (part.rule, part.resource)
    by_rule = given.get(key, 0) if part.rule else 0
    if part.asset == money:
        amount = step = min(limit, due(owed.base, owed.paid, by_rule, part.share_ppm, part.up_to_ppm))
        owed.paid += amount
    else:
        quantum = owed.line.quantum
        share = owed.within * part.share_ppm // FULL_PPM - by_rule
        step = max(0, min(limit // quantum, owed.units, share))
        amount = step * quantum
        owed.units -= step
        owed.base -= step * owed.line.unit_price
    given[key] = by_rule + step
    return amount
