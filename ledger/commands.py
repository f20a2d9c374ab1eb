"""What may be asked of the book. Each command becomes one entry or one refusal (see `ledger.core.decide`)."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.model import Grant, Line
from ledger.terms import Claimant, Terms

ANYBODY = Claimant()


@dataclass(frozen=True, slots=True)
class FundProgramme:
    """A funder pledges `amount` >= 1 of `asset` to a programme. `entry_id` makes the pledge postable once."""

    at_us: int
    entry_id: str
    programme_id: str
    funder_id: str
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class IssueGrant:
    """A programme gives a project a grant out of what it has available."""

    at_us: int
    grant: Grant


@dataclass(frozen=True, slots=True)
class IncreaseGrant:
    """A programme adds `amount` >= 1 to a grant."""

    at_us: int
    entry_id: str
    grant_id: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True)
class TransferGrant:
    """`amount` >= 1 of what one grant has available goes to another one of the same programme."""

    at_us: int
    entry_id: str
    grant_id: str
    to_grant_id: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClawBack:
    """The programme takes `amount` >= 1 of what a grant has available back."""

    at_us: int
    entry_id: str
    grant_id: str
    amount: int
    reason: str


@dataclass(frozen=True, slots=True)
class ExpireGrant:
    """The grant's time is over: take back what is still available of it. What is held stays held."""

    at_us: int
    grant_id: str


@dataclass(frozen=True, slots=True)
class TopUp:
    """A project pays `amount` >= 1 of money into its wallet."""

    at_us: int
    entry_id: str
    project_id: str
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class PayOut:
    """A project gets `amount` >= 1 back out of its wallet."""

    at_us: int
    entry_id: str
    project_id: str
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Set the price of `lines` aside for a job, from the grants of its project and its wallet.

    `asset` is the money that prices are in. `pinned` are the terms that a quote promised; other programmes go by the
    terms in force.
    """

    at_us: int
    job_id: str
    project_id: str
    asset: str
    lines: tuple[Line, ...]
    claimant: Claimant = ANYBODY
    pinned: tuple[Terms, ...] = ()


@dataclass(frozen=True, slots=True)
class SettleHold:
    """The job has ended and used `lines`, at the prices of its hold: capture them and release the rest."""

    at_us: int
    job_id: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class VoidHold:
    """The job costs nothing, through no act of its own: give the whole hold back."""

    at_us: int
    job_id: str


@dataclass(frozen=True, slots=True)
class CorrectJob:
    """A settled job used less than was charged: `lines` in place of what was settled. Gives back the difference."""

    at_us: int
    entry_id: str
    job_id: str
    lines: tuple[Line, ...]
    reason: str


Command = (
    FundProgramme
    | IssueGrant
    | IncreaseGrant
    | TransferGrant
    | ClawBack
    | ExpireGrant
    | TopUp
    | PayOut
    | PlaceHold
    | SettleHold
    | VoidHold
    | CorrectJob
)
