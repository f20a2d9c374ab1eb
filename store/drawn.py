"""How much of what a project was granted is gone: settled, or held for open jobs."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, literal, select

from ledger import accounts
from ledger.quota import Drawn
from store import schema

_grants, _accounts = schema.grants, schema.accounts
_BEFORE, _AFTER = accounts.available("\n").split("\n")


def drawn_of(connection: Connection, project_id: str, asset: str, at_us: int) -> Drawn:
    """Over the grants that are valid at an instant; all 0 when there is none."""
    account = literal(_BEFORE).concat(_grants.c.id).concat(literal(_AFTER))
    left = _grants.join(_accounts, and_(_accounts.c.account == account, _accounts.c.asset == _grants.c.asset))
    wanted = (
        select(func.coalesce(func.sum(_grants.c.amount), 0), func.coalesce(func.sum(_accounts.c.balance), 0))
        .select_from(left)
        .where(
            _grants.c.project_id == project_id,
            _grants.c.asset == asset,
            _grants.c.expired.is_(False),
            _grants.c.valid_from_us <= at_us,
            _grants.c.valid_until_us > at_us,
        )
    )
    granted, available = connection.execute(wanted).one()
    return Drawn(int(granted), int(granted) - int(available))
