"""Which release of a library is installed: read once, for it takes half a millisecond and every result tells it."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def release_of(package: str) -> str:
    """The version of an installed package."""
    return metadata.version(package)
