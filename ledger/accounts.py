"""Names of the accounts, made and read in this one place."""

from __future__ import annotations

OVERRUN = "facility/overrun"
EARNED = "facility/earned/"
"""Prefix: what the facility has earned stands on one account per payer."""
EARNED_OF_OVERRUN = "facility/earned/overrun"
EARNED_OF_WALLETS = "facility/earned/copay"

_GRANT = "grant/"
_HELD = "/held"


def funder(funder_id: str) -> str:
    """The funder's account; negative by what it has pledged."""
    return f"funder/{funder_id}"


def programme(programme_id: str) -> str:
    """What a programme may still give out as grants."""
    return f"programme/{programme_id}/available"


def available(grant_id: str) -> str:
    """What of a grant may still be held."""
    return f"grant/{grant_id}/available"


def held(grant_id: str) -> str:
    """What of a grant is set aside for jobs that have not ended."""
    return f"grant/{grant_id}/held"


def expired(grant_id: str) -> str:
    """What of a grant its project did not use in time: breakage."""
    return f"grant/{grant_id}/expired"


def payer(project_id: str) -> str:
    """The project's own purse outside; negative by what it has paid in."""
    return f"payer/{project_id}"


def wallet(project_id: str) -> str:
    """The project's own money that may still be held: its co-pay comes from here."""
    return f"wallet/{project_id}/available"


def wallet_held(project_id: str) -> str:
    """The project's own money that is set aside."""
    return f"wallet/{project_id}/held"


def earned(funder_id: str) -> str:
    """What the facility has earned from a funder."""
    return f"{EARNED}funder/{funder_id}"


def is_earned(account: str) -> bool:
    """Whether this is one of the accounts of what the facility has earned."""
    return account.startswith(EARNED)


def grant_of(account: str) -> str | None:
    """The grant that one of its three accounts belongs to, or None for any other account."""
    return account[len(_GRANT) : account.rindex("/")] if account.startswith(_GRANT) else None


def held_grant(account: str) -> str | None:
    """The grant whose held account this is, or None for any other account."""
    return grant_of(account) if account.endswith(_HELD) else None


def may_be_negative(account: str) -> bool:
    """True for the accounts money comes from: funders, projects' purses, and the facility's own loss."""
    return account == OVERRUN or account.startswith(("funder/", "payer/"))
