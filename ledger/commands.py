"""What may be asked of the book. Each command becomes one entry or one refusal (see `ledger.core.decide`)."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.model import Grant


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
class PlaceHold:
    """Set `amount` >= 1 of `asset` aside for a job, from the grants of its project."""

    at_us: int
    job_id: str
    project_id: str
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class SettleHold:
    """The job has ended and costs `charge` >= 0: capture it from the hold and release the rest."""

    at_us: int
    job_id: str
    charge: int


@dataclass(frozen=True, slots=True)
class VoidHold:
    """The job costs nothing, through no act of its own: give the whole hold back."""

    at_us: int
    job_id: str


@dataclass(frozen=True, slots=True)
class ExpireGrant:
    """The grant's time is over: take back what is still available of it. What is held stays held."""

    at_us: int
    grant_id: str


Command = FundProgramme | IssueGrant | PlaceHold | SettleHold | VoidHold | ExpireGrant
