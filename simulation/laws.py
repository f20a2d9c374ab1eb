"""How a broken law is told."""

from __future__ import annotations


class BrokenLaw(Exception):  # noqa: N818 - named for what it says
    """The scheduler or the ledger did what it must never do; the text says what."""


def must(truth: bool, *sentence: object) -> None:
    """Raise BrokenLaw unless `truth`; the sentence is given in parts, put together only when needed."""
    if not truth:
        raise BrokenLaw(" ".join(str(part) for part in sentence))
