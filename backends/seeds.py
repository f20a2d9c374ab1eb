"""Seeds: one for the whole work, and from it one for every PUB that no other PUB can change.

Import-light.
"""

from __future__ import annotations

import secrets

_MASK = 2**64 - 1
# Engines count seeds in signed 64 bits and readers of JSON in 53: stay below both.
SEED_BITS = 52


def choose() -> int:
    """A fresh seed for work that asked for none."""
    return secrets.randbits(SEED_BITS)


def of_pub(seed: int, position: int) -> int:
    """The seed of the PUB at `position`: a 52-bit mix of both (SplitMix64), so equal PUBs draw independently."""
    state = (seed + (position + 1) * 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return (state ^ (state >> 31)) >> (64 - SEED_BITS)
