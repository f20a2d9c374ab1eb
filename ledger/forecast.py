"""When a project's grants run out, at the pace of its recent use: committed and expiring amounts counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spell:
    """`available` units that may be used in [from_us, until_us)."""

    from_us: int
    until_us: int
    available: int


def runs_out(spells: Sequence[Spell], spent: int, over_us: int, now_us: int) -> int:
    """The instant from which nothing is left.

    The pace is `spent` over the last `over_us` > 0. What is held already lies outside of the spells: it counts as used.
    The earliest spell to end is used first; what it has left at its end is lost. Without any pace they all last to
    their ends.
    """
    at_us = now_us
    for spell in sorted(spells, key=lambda spell: spell.until_us):
        if spell.until_us <= at_us:
            continue
        start_us = max(at_us, spell.from_us)
        lasts_us = spell.available * over_us // spent if spent > 0 else spell.until_us
        at_us = min(spell.until_us, start_us + lasts_us) if spell.available else at_us
    return at_us
