"""Makes programs smaller before any engine sees them, without changing what is measured.

Every pass is a pure function from a program to a program (or to several), linear or nearly so in its operations.
"""

from __future__ import annotations

from backends.reductions.factors import Factor, factors
from backends.reductions.parts import Part, Reduced, join
from backends.reductions.reducing import reduce

__all__ = ["Factor", "Part", "Reduced", "factors", "join", "reduce"]
