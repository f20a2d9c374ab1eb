"""How much of what a project was granted is gone: settled, or held for open jobs."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, literal, select

from ledger import accounts
from ledger.quota import Drawn
from store import schema

_grants, _accounts = schema.grants, schema.accounts
_BEFORE, _AFTER = accounts.available("\n").split("\n")


def drawn_of(connection: Connection, project_id: str, at_us: int) -> dict[str, Drawn]:
    """Over the grants that are valid at an instant, by asset; an asset without any is left out."""
    account = literal(_BEFORE).concat(_grants.c.id).concat(literal(_AFTER))
    left = _grants.join(_accounts, and_(_accounts.c.account == account, _accounts.c.asset == _grants.c.asset))
    wanted = (
        select(_grants.c.asset, func.sum(_grants.c.amount), func.sum(_accounts.c.balance))
        .select_from(left)
        .where(
            _grants.c.project_id == project_id,
            _grants.c.expired.is_(False),
            _grants.c.valid_from_us <= at_us,
            _grants.c.valid_until_us > at_us,
        )
        .group_by(_grants.c.asset)
        .order_by(_grants.c.asset)
    )
    return {
        asset: Drawn(int(granted), int(granted) - int(available))
        for asset, granted, available in connection.execute(wanted)
    }
