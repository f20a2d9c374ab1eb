"""How much a project has used, counted so that the past fades and the order of projects does not depend on the hour.

Usage is slot-microseconds. It loses half its worth per half-life, in a straight line within each half-life of one fixed
grid. Because every project fades by the same factor, usage can be kept as a *score*: its worth at the grid's base, in
fixed point. Scores never change by the mere passing of time, so an ordering by score stays valid between two charges.
Integers only: every machine computes the same.
"""

from __future__ import annotations

from dataclasses import dataclass

FRACTION_BITS = 20
"""Scores carry so many binary places, so that dividing by a weight keeps small differences."""

SPAN = 64
"""So many half-lives may pass before the base moves up; it bounds the length of a score to some 128 bits."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Converts between usage at a moment and scores. `base` counts half-lives since time 0."""

    half_life_us: int
    base: int

    @classmethod
    def at(cls, now_us: int, half_life_us: int) -> Scale:
        """The scale whose base is the half-life that `now_us` lies in."""
        return cls(half_life_us, now_us // half_life_us)

    def until_us(self) -> int:
        """From this moment on the scale should be replaced by one with a later base."""
        return (self.base + SPAN) * self.half_life_us

    def score(self, usage: int, at_us: int) -> int:
        """What `usage` (slot-µs, as counted at `at_us`) is worth on this scale."""
        phase, rest = divmod(at_us, self.half_life_us)
        scaled = usage * 2 * self.half_life_us
        shift = FRACTION_BITS + phase - self.base
        raised = scaled << shift if shift >= 0 else scaled >> -shift
        return raised // (2 * self.half_life_us - rest)

    def usage(self, score: int, at_us: int) -> int:
        """What `score` is worth at `at_us`, in slot-µs; the inverse of `score` but for rounding."""
        phase, rest = divmod(at_us, self.half_life_us)
        shift = FRACTION_BITS + phase - self.base
        lowered = score * (2 * self.half_life_us - rest) // (2 * self.half_life_us)
        half = 1 << max(0, shift - 1)
        return (lowered + half) >> shift if shift > 0 else lowered << -shift

    def moved(self, score: int, to: Scale, now_us: int) -> int:
        """The same worth on another scale; exact halving when only the base moves."""
        if to.half_life_us == self.half_life_us and to.base >= self.base:
            return score >> (to.base - self.base)
        return to.score(self.usage(score, now_us), now_us)
