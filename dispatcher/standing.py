"""Where a project stands: what it was granted, has used, has in flight and has queued, and how long it will last."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.people import no_project
from ledger import accounts
from ledger.forecast import Spell, runs_out
from ledger.statement import Figures, Statement, statement_from_totals
from store import book as book_store
from store import identity, jobs, totals
from store.database import Connection

DAY_US = 86_400_000_000
LOOK_BACK_DAYS = 30


class Standing:
    """Balances and statements: three figures everywhere (settled, in flight, committed), and what is left."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def balance(self, caller: Caller, project_id: str) -> dict[str, Any] | Refusal:
        """Where a project stands, in total and grant by grant. Refusal: not_found."""
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            return self._balance(conn, project_id)

    def statement(self, caller: Caller, project_id: str) -> dict[str, Any] | Refusal:
        """The balance, the jobs by state, and what the facility absorbed for the project. Refusal: not_found."""
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            settled = totals.settled_of(conn, project_id)
            return {
                **self._balance(conn, project_id),
                "at_us": self._ground.now_us(),
                "jobs": jobs.count_by_state(conn, project_id),
                "charged": settled.charged,
                "absorbed_by_facility": settled.overrun,
            }

    def _balance(self, conn: Connection, project_id: str) -> dict[str, Any]:
        asset, now = self._ground.rules.asset, self._ground.now_us()
        book = book_store.load_book(conn, project_ids=[project_id])
        granted = book_store.grants_of(conn, project_id)
        found = statement_from_totals(granted, book.balances, totals.settled_by_grant(conn, project_id))
        in_flight, committed = totals.open_holds(conn, project_id, asset)
        return {
            "project_id": project_id,
            "asset": asset,
            **asdict(found.total(asset)),
            "in_flight": in_flight,
            "committed": committed,
            "wallet": {
                "available": book.balance(accounts.wallet(project_id), asset),
                "held": book.balance(accounts.wallet_held(project_id), asset),
            },
            "in_kind": {
                name: {**asdict(figures), "runs_out_us": self._runs_out_us(conn, found, project_id, name, now)}
                for name, figures in found.totals
                if name != asset
            },
            "runs_out_us": self._runs_out_us(conn, found, project_id, asset, now),
            "grants": [_grant_line(line.grant, line.figures) for line in found.lines],
        }

    def _runs_out_us(self, conn: Connection, found: Statement, project_id: str, asset: str, now: int) -> int:
        """By the pace at which they paid in the last month: when the grants in an asset are used up, or are over."""
        spent, first_us = totals.spent_since(conn, project_id, asset, now - LOOK_BACK_DAYS * DAY_US)
        over_us = now - max(first_us, now - LOOK_BACK_DAYS * DAY_US) if first_us is not None else 0
        spells = [
            Spell(line.grant.valid_from_us, line.grant.valid_until_us, line.figures.available)
            for line in found.lines
            if line.grant.asset == asset and not line.grant.expired
        ]
        # A first afternoon says little about a year: the pace is taken over a day at least.
        return runs_out(spells, spent, max(over_us, DAY_US), now)


def _grant_line(grant: Any, figures: Figures) -> dict[str, Any]:
    document = asdict(grant)
    document["funders"] = [list(share) for share in grant.funders]
    return {**document, "funder_id": grant.funders[0][0], **asdict(figures)}
