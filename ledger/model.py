"""The nouns of the book: postings, grants, lines, holds, entries and the refusal.

Every amount is an integer in the smallest unit of its asset: micro-units for money ("CNY": micro-yuan), milliseconds
for "qpu_ms", "cpu_ms" and "gpu_ms", a count for "shots", MiB-hours for "storage_mib_h" (1,024 of them are a GiB-hour).
Every instant is microseconds since the epoch (`_us`), handed in by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

CNY = "CNY"
MICRO = 1_000_000
FULL_PPM = 1_000_000
"""The whole of something, in parts per million: 300_000 is 30 %."""
MOST_MICRO = 2**53
"""The largest budget, grant or ceiling: what JSON numbers carry exactly, and far from a 64-bit sum."""

Resource = Literal["job", "qpu_ms", "shots", "cpu_ms", "gpu_ms", "storage_mib_h"]
RESOURCES: tuple[Resource, ...] = ("job", "qpu_ms", "shots", "cpu_ms", "gpu_ms", "storage_mib_h")
"""What is metered and priced, in the order of the lines of a charge."""
NATIVE = frozenset(RESOURCES) - {"job"}
"""The resources that a grant may also be given in."""

WALLET = "wallet"
"""The payer of a slice that is no grant: the project's own money."""

EntryKind = Literal[
    "fund",
    "issue",
    "increase",
    "transfer",
    "claw_back",
    "expire",
    "top_up",
    "pay_out",
    "hold",
    "settle",
    "void",
    "correct",
]
HoldState = Literal["open", "settled", "voided"]


class BrokenInvariant(Exception):  # noqa: N818 - a bug in the book, named for what it says
    """The books do not hold what they must hold: a bug, never an expected no."""


def in_words(amount: int, asset: str) -> str:
    """An amount as people read it: "1.230000 CNY" for money, the bare count for every native asset."""
    if asset in NATIVE:
        return f"{amount} {asset}"
    sign, (whole, micro) = "-" if amount < 0 else "", divmod(abs(amount), MICRO)
    return f"{sign}{whole}.{micro:06d} {asset}"


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

    A lower `priority` burns first. `funders` share what it pays by weight. Where `resources`, `backends` or `members`
    are named, it pays for these only. `expired` is True once the entry "expire" has been posted, not by the clock.
    """

    id: str
    programme_id: str
    funders: tuple[tuple[str, int], ...]
    project_id: str
    asset: str
    amount: int
    valid_from_us: int
    valid_until_us: int
    priority: int
    created_us: int
    expired: bool = False
    resources: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError(f"grant {self.id}: a grant is never negative, not {self.amount}")
        if self.valid_from_us >= self.valid_until_us:
            raise ValueError(f"grant {self.id}: valid_from_us must come before valid_until_us")
        if not self.funders or min(weight for _, weight in self.funders) < 1:
            raise ValueError(f"grant {self.id}: each of at least one funder has a weight of at least 1")
        if len({funder_id for funder_id, _ in self.funders}) < len(self.funders):
            raise ValueError(f"grant {self.id}: a funder is named once, unlike in {self.funders}")
        if self.id == WALLET:
            raise ValueError(f"a grant is not called {WALLET!r}: that is the payer of a project's own money")

    @property
    def restricted(self) -> bool:
        """Whether it pays for some things only."""
        return bool(self.resources or self.backends or self.members)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a price: `quantity` quanta of `quantum` native units each, at `unit_price` micro-units a quantum.

    Quantity and unit price are whole, so their product needs no rounding. `rate` names the line of the rate card.
    """

    resource: Resource
    quantity: int
    unit_price: int
    quantum: int = 1
    rate: str = ""

    def __post_init__(self) -> None:
        if self.quantity < 0 or self.unit_price < 0 or self.quantum < 1:
            raise ValueError(f"a line is never negative: {self}")

    @property
    def amount(self) -> int:
        """The price of the line."""
        return self.quantity * self.unit_price

    def worth(self, native: int) -> int:
        """What native units of its resource, in whole quanta, are worth at its price."""
        return native // self.quantum * self.unit_price


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a hold's line that one payer backs: `amount` of `asset`, worth `worth` of the line's price.

    `payer` is a grant's id, or `WALLET`. `share_ppm` of the line's price is what the rule lets it pay, as long as the
    payers up to it do not pay more than `up_to_ppm` together; `rule` names that rule.
    """

    payer: str
    resource: Resource
    amount: int
    asset: str
    worth: int
    share_ppm: int = FULL_PPM
    up_to_ppm: int = FULL_PPM
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """What a payer would have paid of a hold and did not: `amount` of its asset, for the reason `limit`."""

    payer: str
    limit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Claim:
    """`change` units counted on, or given back to, a limit: a cap of a programme, or a budget inside a project."""

    scope: str
    change: int


@dataclass(frozen=True, slots=True)
class Hold:
    """What is set aside for one job: the price of `lines` at most, backed by `slices`.

    `claims` is what stands on each limit for it now. Once settled, `settled` are the lines that the job used,
    `captured` is what each slice paid of them (in its own asset; a payer in money at most what all its slices hold),
    and `overrun` the part of their price that nobody paid because it exceeded the hold's lines.
    """

    job_id: str
    project_id: str
    asset: str
    lines: tuple[Line, ...]
    slices: tuple[Slice, ...]
    state: HoldState
    created_us: int
    claims: tuple[Claim, ...] = ()
    cuts: tuple[Cut, ...] = ()
    settled: tuple[Line, ...] = ()
    captured: tuple[int, ...] = ()
    overrun: int = 0

    @property
    def amount(self) -> int:
        """The most that the job can be charged."""
        return sum(line.amount for line in self.lines)

    @property
    def charged(self) -> int:
        """The price of what the job used, the overrun in it; 0 while it is open and when it was voided."""
        return sum(line.amount for line in self.settled)

    def worth_of(self, captured: Sequence[int]) -> int:
        """What captured amounts are worth in money, those in kind at the price of their line."""
        lines = {line.resource: line for line in self.lines}
        total = 0
        for part, amount in zip(self.slices, captured, strict=True):
            total += amount if part.asset == self.asset else lines[part.resource].worth(amount)
        return total


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings and claims recorded together or not at all. The id follows from kind and subject: posted once.

    `body` is the canonical text of what the figures were decided on (`ledger.hold_text`), or of what an operator gave
    as the reason. `meant` is what `body` was written from, where this very process wrote it: it spares reading the text
    again, is never stored and never compared.
    """

    id: str
    kind: EntryKind
    at_us: int
    postings: tuple[Posting, ...]
    project_id: str | None = None
    job_id: str | None = None
    grant_id: str | None = None
    programme_id: str | None = None
    claims: tuple[Claim, ...] = ()
    body: str = ""
    meant: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expected no: a code for programs, a sentence for people, and the figures behind both (plain JSON)."""

    code: str
    detail: str
    fields: tuple[tuple[str, Any], ...] = ()
