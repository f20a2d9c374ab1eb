"""Names of the accounts, made and read in this one place."""

from __future__ import annotations

EARNED = "facility/earned"
OVERRUN = "facility/overrun"

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
    """What of a grant its project did not use in time."""
    return f"grant/{grant_id}/expired"


def held_grant(account: str) -> str | None:
    """The grant whose held account this is, or None for any other account."""
    if account.startswith(_GRANT) and account.endswith(_HELD):
        return account[len(_GRANT) : -len(_HELD)]
    return None


def may_be_negative(account: str) -> bool:
    """True for the two kinds of account money comes from: funders, and the facility's own loss."""
    return account == OVERRUN or account.startswith("funder/")
