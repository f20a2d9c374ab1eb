"""Funders, programmes and grants, and where a project stands with them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ledger.core
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.people import no_project
from ledger import accounts
from ledger.commands import FundProgramme, IssueGrant
from ledger.model import Grant
from ledger.model import Refusal as LedgerRefusal
from ledger.statement import Figures, Statement, statement_from_totals
from store import audit_log, identity, jobs, totals
from store import book as book_store
from store.database import Connection
from store.rows import FunderRow, ProgrammeRow


class Funding:
    """Who pays for what. Operators write; every change is an entry of the ledger and a row of the audit log."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def create_funder(self, caller: Caller, name: str) -> FunderRow | Refusal:
        """A new funder. Refusals: forbidden, already_exists."""
        if caller.role != "operator":
            return _operators_only(caller)
        row = FunderRow(self._ground.new_id("fun"), name, self._ground.now_us())

        def unit(conn: Connection) -> FunderRow | Refusal:
            if any(funder.name == name for funder in book_store.list_funders(conn)):
                return Refusal("already_exists", f"There is a funder named {name!r} already.", {"name": name})
            book_store.insert_funder(conn, row)
            audit_log.append(conn, row.created_us, caller.member_id, "funder.create", row.id, {"name": name})
            return row

        return self._ground.database.writer.run(unit)

    def list_funders(self, caller: Caller) -> list[FunderRow] | Refusal:
        """All funders. Refusal: forbidden (startups see their own grants only)."""
        if caller.project_id is not None:
            return _operators_only(caller)
        with self._ground.database.read() as conn:
            return book_store.list_funders(conn)

    def create_programme(
        self, caller: Caller, name: str, funder_id: str, asset: str, budget: int
    ) -> ProgrammeRow | Refusal:
        """A programme with its budget pledged by the funder.

        Refusals: forbidden, invalid_request (a budget below 1), not_found, already_exists.
        """
        if caller.role != "operator":
            return _operators_only(caller)
        if budget < 1:
            return _too_little("budget", budget)
        row = ProgrammeRow(self._ground.new_id("pgm"), funder_id, name, asset, self._ground.now_us())

        def unit(conn: Connection) -> ProgrammeRow | Refusal:
            if all(funder.id != funder_id for funder in book_store.list_funders(conn)):
                return Refusal("not_found", f"There is no funder {funder_id}.", {"funder_id": funder_id})
            if any(programme.name == name for programme in book_store.list_programmes(conn)):
                return Refusal("already_exists", f"There is a programme named {name!r} already.", {"name": name})
            book_store.insert_programme(conn, row)
            book = book_store.load_book(conn, programme_ids=[row.id])
            entry = ledger.core.decide(book, FundProgramme(row.created_us, row.id, row.id, funder_id, asset, budget))
            if isinstance(entry, LedgerRefusal):
                raise RuntimeError(f"a first pledge was refused: {entry.code}")
            ledger.core.apply(book, entry)
            book_store.record(conn, [entry], book)
            detail = {"name": name, "funder_id": funder_id, "asset": asset, "budget": budget}
            audit_log.append(conn, row.created_us, caller.member_id, "programme.create", row.id, detail)
            return row

        return self._ground.database.writer.run(unit)

    def list_programmes(self, caller: Caller) -> list[tuple[ProgrammeRow, int]] | Refusal:
        """Every programme and what of its budget is not yet granted. Refusal: forbidden."""
        if caller.project_id is not None:
            return _operators_only(caller)
        with self._ground.database.read() as conn:
            rows = book_store.list_programmes(conn)
            book = book_store.load_book(conn, programme_ids=[row.id for row in rows])
        return [(row, book.balance(accounts.programme(row.id), row.asset)) for row in rows]

    def issue_grant(
        self,
        caller: Caller,
        project_id: str,
        programme_id: str,
        asset: str,
        amount: int,
        valid_from_us: int,
        valid_until_us: int,
        priority: int,
    ) -> Grant | Refusal:
        """A grant out of a programme's budget. Refusals: forbidden, not_found, invalid_request, programme_exhausted."""
        if caller.role != "operator":
            return _operators_only(caller)
        if amount < 1:
            return _too_little("amount", amount)
        now = self._ground.now_us()
        if valid_until_us <= max(valid_from_us, now):
            detail = "valid_until_us must lie after valid_from_us and after now."
            return Refusal("invalid_request", detail, {"valid_until_us": valid_until_us, "now_us": now})

        def unit(conn: Connection) -> Grant | Refusal:
            if identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            programme = next((p for p in book_store.list_programmes(conn) if p.id == programme_id), None)
            if programme is None:
                return Refusal("not_found", f"There is no programme {programme_id}.", {"programme_id": programme_id})
            if programme.asset != asset:
                detail = f"The programme pays in {programme.asset}, not in {asset}."
                return Refusal("invalid_request", detail, {"asset": asset, "programme_asset": programme.asset})
            grant = Grant(
                id=self._ground.new_id("grt"),
                programme_id=programme_id,
                funder_id=programme.funder_id,
                project_id=project_id,
                asset=asset,
                amount=amount,
                valid_from_us=valid_from_us,
                valid_until_us=valid_until_us,
                priority=priority,
                created_us=now,
            )
            book = book_store.load_book(conn, programme_ids=[programme_id])
            entry = ledger.core.decide(book, IssueGrant(now, grant))
            if isinstance(entry, LedgerRefusal):
                return Refusal(entry.code, entry.detail, dict(entry.fields))
            ledger.core.apply(book, entry, grant=grant)
            book_store.insert_grant(conn, grant)
            book_store.record(conn, [entry], book)
            terms = {"project_id": project_id, "programme_id": programme_id, "asset": asset, "amount": amount}
            audit_log.append(conn, now, caller.member_id, "grant.issue", grant.id, terms)
            return grant

        return self._ground.database.writer.run(unit)

    def grants(self, caller: Caller, project_id: str) -> list[Grant] | Refusal:
        """A project's grants, the expired ones among them. Refusal: not_found."""
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            return book_store.grants_of(conn, project_id)

    def balance(self, caller: Caller, project_id: str) -> dict[str, Any] | Refusal:
        """Granted, settled, held, available and expired, in total and per grant. Refusal: not_found."""
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            found = self._statement(conn, project_id)
        return self._balance(project_id, found)

    def statement(self, caller: Caller, project_id: str) -> dict[str, Any] | Refusal:
        """The balance, the jobs by state, and what the facility absorbed for the project. Refusal: not_found."""
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            found = self._statement(conn, project_id)
            counts = jobs.count_by_state(conn, project_id)
            settled = totals.settled_of(conn, project_id)
        return {
            **self._balance(project_id, found),
            "at_us": self._ground.now_us(),
            "jobs": counts,
            "charged": settled.charged,
            "absorbed_by_facility": settled.overrun,
        }

    def _statement(self, conn: Connection, project_id: str) -> Statement:
        granted = book_store.grants_of(conn, project_id)
        book = book_store.load_book(conn, project_ids=[project_id])
        return statement_from_totals(granted, book.balances, totals.settled_by_grant(conn, project_id))

    def _balance(self, project_id: str, found: Statement) -> dict[str, Any]:
        asset = self._ground.rules.asset
        return {
            "project_id": project_id,
            "asset": asset,
            **_figures(found.total(asset)),
            "grants": [{**asdict(line.grant), **_figures(line.figures)} for line in found.lines],
        }


def _figures(figures: Figures) -> dict[str, int]:
    return asdict(figures)


def _operators_only(caller: Caller) -> Refusal:
    detail = f"This needs the role operator; your token has the role {caller.role}."
    return Refusal("forbidden", detail, {"role": caller.role, "needed": "operator"})


def _too_little(what: str, amount: int) -> Refusal:
    return Refusal("invalid_request", f"{what} is {amount}; at least 1 is needed.", {what: amount})
