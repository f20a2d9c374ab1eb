"""The nouns of the book: postings, grants, holds, entries and the refusal.

Every amount is an integer in the smallest unit of its asset: micro-yuan for "CNY", milliseconds for "qpu_ms", "cpu_ms"
and "gpu_ms", a count for "shots". Every instant is microseconds since the epoch (`_us`), handed in by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CNY = "CNY"

MICRO = 1_000_000
MOST_MICRO = 2**53
"""The largest budget, grant or ceiling: what JSON numbers carry exactly, and far from a 64-bit sum."""

EntryKind = Literal["fund", "issue", "hold", "settle", "void", "expire"]
HoldState = Literal["open", "settled", "voided"]


class BrokenInvariant(Exception):  # noqa: N818 - a bug in the book, named for what it says
    """The books do not hold what they must hold: a bug, never an expected no."""


def in_words(amount: int, asset: str) -> str:
    """An amount as people read it: "1.230000 CNY" for micro-yuan, the bare count for every other asset."""
    if asset != CNY:
        return f"{amount} {asset}"
    sign, (yuan, micro) = "-" if amount < 0 else "", divmod(abs(amount), MICRO)
    return f"{sign}{yuan}.{micro:06d} {asset}"


@dataclass(frozen=True, slots=True)
class Posting:
    """`amount` > 0 units of `asset` moved from one account to another; the one primitive of the book."""

    source: str
    destination: str
    amount: int
    asset: str

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"a posting moves at least 1 unit: {self.amount} from {self.source} to {self.destination}")


@dataclass(frozen=True, slots=True)
class Grant:
    """A subsidy: `amount` of `asset` that a project may spend in [valid_from_us, valid_until_us).

    A lower `priority` burns first. `expired` is True once the entry "expire" has been posted, not by the clock alone.
    """

    id: str
    programme_id: str
    funder_id: str
    project_id: str
    asset: str
    amount: int
    valid_from_us: int
    valid_until_us: int
    priority: int
    created_us: int
    expired: bool = False

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"grant {self.id}: a grant is at least 1 unit, not {self.amount}")
        if self.valid_from_us >= self.valid_until_us:
            raise ValueError(f"grant {self.id}: valid_from_us must come before valid_until_us")


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a hold that one grant backs."""

    grant_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What is set aside for one job: `amount` of `asset`, in `slices` over one or several grants.

    Once settled, `charged` is the whole charge of the job and `overrun` the part of it that no grant paid because it
    exceeded the hold; the grants paid `charged - overrun`.
    """

    job_id: str
    project_id: str
    asset: str
    amount: int
    slices: tuple[Slice, ...]
    state: HoldState
    charged: int
    overrun: int
    created_us: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings that are recorded together or not at all. The id follows from kind and subject, so it is posted once."""

    id: str
    kind: EntryKind
    at_us: int
    postings: tuple[Posting, ...]
    project_id: str | None = None
    job_id: str | None = None
    grant_id: str | None = None
    programme_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expected no: a code for programs, a sentence for people, and the figures behind both."""

    code: str
    detail: str
    fields: tuple[tuple[str, int | str], ...] = ()
