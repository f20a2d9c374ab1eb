"""The canonical text of a grant, and of an operator's reason: the `body` of entries about grants."""

from __future__ import annotations

import json
from typing import Any

from ledger.model import Grant

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def grant_text(grant: Grant) -> str:
    """A grant as it is issued."""
    return _encode(
        {
            "id": grant.id,
            "programme_id": grant.programme_id,
            "funders": [list(share) for share in grant.funders],
            "project_id": grant.project_id,
            "asset": grant.asset,
            "amount": grant.amount,
            "valid_from_us": grant.valid_from_us,
            "valid_until_us": grant.valid_until_us,
            "priority": grant.priority,
            "created_us": grant.created_us,
            "resources": list(grant.resources),
            "backends": list(grant.backends),
            "members": list(grant.members),
        }
    )


def grant_from(text: str) -> Grant:
    """Read what `grant_text` wrote."""
    found: dict[str, Any] = json.loads(text)
    for name in ("resources", "backends", "members"):
        found[name] = tuple(found[name])
    found["funders"] = tuple((funder_id, weight) for funder_id, weight in found["funders"])
    return Grant(**found)


def reason_text(reason: str) -> str:
    """Why an operator did something."""
    return _encode({"reason": reason})
