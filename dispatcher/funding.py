"""Funders, programmes and grants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import ledger.core
from backends.catalogue import spec_of
from dispatcher.ground import Ground
from dispatcher.model import Caller, GrantTerms, Refusal
from dispatcher.people import no_project
from ledger import accounts
from ledger.commands import FundProgramme, IssueGrant
from ledger.funders import split
from ledger.model import NATIVE, RESOURCES, Grant
from ledger.model import Refusal as LedgerRefusal
from store import audit_log, identity, programmes
from store import book as book_store
from store.database import Connection
from store.errors import Duplicate
from store.rows import FunderRow, ProgrammeRow


class Funding:
    """Who pays for what. Operators write; every change is an entry of the ledger and a row of the audit log."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def create_funder(self, caller: Caller, name: str) -> FunderRow | Refusal:
        """A new funder. Refusals: forbidden, already_exists."""
        if caller.role != "operator":
            return operators_only(caller)
        row = FunderRow(self._ground.new_id("fun"), name, self._ground.now_us())

        def unit(conn: Connection) -> FunderRow | Refusal:
            if any(funder.name == name for funder in programmes.list_funders(conn)):
                return Refusal("already_exists", f"There is a funder named {name!r} already.", {"name": name})
            programmes.insert_funder(conn, row)
            audit_log.append(conn, row.created_us, caller.member_id, "funder.create", row.id, {"name": name})
            return row

        return self._ground.database.writer.run(unit)

    def list_funders(self, caller: Caller) -> list[FunderRow] | Refusal:
        """All funders. Refusal: forbidden (startups see their own grants only)."""
        if caller.project_id is not None:
            return operators_only(caller)
        with self._ground.database.read() as conn:
            return programmes.list_funders(conn)

    def create_programme(
        self, caller: Caller, name: str, funders: Sequence[tuple[str, int]], asset: str, budget: int
    ) -> ProgrammeRow | Refusal:
        """A programme with its budget pledged by its funders, each by its weight; the first of them leads.

        Refusals: forbidden, invalid_request (a budget too small, an asset that is none), not_found, already_exists.
        """
        if caller.role != "operator":
            return operators_only(caller)
        wrong = self.wrong_budget(funders, asset, budget)
        if wrong is not None:
            return wrong
        row = ProgrammeRow(
            self._ground.new_id("pgm"), funders[0][0], name, asset, self._ground.now_us(), tuple(funders)
        )

        def unit(conn: Connection) -> ProgrammeRow | Refusal:
            known = {funder.id for funder in programmes.list_funders(conn)}
            for funder_id, _ in funders:
                if funder_id not in known:
                    return Refusal("not_found", f"There is no funder {funder_id}.", {"funder_id": funder_id})
            if any(programme.name == name for programme in programmes.list_programmes(conn)):
                return Refusal("already_exists", f"There is a programme named {name!r} already.", {"name": name})
            programmes.insert_programme(conn, row)
            self.pledge(conn, row, budget, row.id)
            detail = {"name": name, "funders": [list(share) for share in funders], "asset": asset, "budget": budget}
            audit_log.append(conn, row.created_us, caller.member_id, "programme.create", row.id, detail)
            return row

        return self._ground.database.writer.run(unit)

    def raise_budget(self, caller: Caller, programme_id: str, amount: int, key: str) -> ProgrammeRow | Refusal:
        """Pledge more to a programme; the same `key` again changes nothing.

        Refusals: forbidden, invalid_request, not_found, already_exists (the key).
        """
        if caller.role != "operator":
            return operators_only(caller)

        def unit(conn: Connection) -> ProgrammeRow | Refusal:
            row = find_programme(conn, programme_id)
            if row is None:
                return no_programme(programme_id)
            wrong = self.wrong_budget(row.shares, row.asset, amount)
            if wrong is not None:
                return wrong
            self.pledge(conn, row, amount, f"{row.id}/{key}")
            audit_log.append(
                conn, self._ground.now_us(), caller.member_id, "programme.raise", row.id, {"amount": amount, "key": key}
            )
            return row

        try:
            return self._ground.database.writer.run(unit)
        except Duplicate:
            return Refusal("already_exists", f"The pledge {key!r} has been made already.", {"key": key})

    def wrong_budget(self, funders: Sequence[tuple[str, int]], asset: str, budget: int) -> Refusal | None:
        """Why this can be no programme's budget, or None."""
        assets = (self._ground.rules.asset, *sorted(NATIVE))
        if asset not in assets:
            detail = f"A programme gives {' or '.join(assets)}, not {asset!r}."
            return Refusal("invalid_request", detail, {"asset": asset})
        if not funders or any(weight < 1 for _, weight in funders) or len(dict(funders)) != len(funders):
            detail = "A programme has at least one funder, each named once with a weight of at least 1."
            return Refusal("invalid_request", detail, {"funders": [list(share) for share in funders]})
        least = _least_to_share(funders)
        if budget < least:
            return _too_little("budget", budget, least)
        return None

    def pledge(self, conn: Connection, row: ProgrammeRow, amount: int, entry_id: str) -> None:
        """Post what the funders of a programme add to its budget, within the caller's transaction."""
        book = book_store.load_book(conn, programme_ids=[row.id])
        entries = []
        now = self._ground.now_us()
        for number, (funder_id, part) in enumerate(split(amount, row.shares).items()):
            name = entry_id if number == 0 else f"{entry_id}/{funder_id}"
            entry = ledger.core.decide(book, FundProgramme(now, name, row.id, funder_id, row.asset, part))
            if isinstance(entry, LedgerRefusal):
                raise RuntimeError(f"a pledge was refused: {entry.code}")
            ledger.core.apply(book, entry)
            entries.append(entry)
        book_store.record(conn, entries, book)

    def list_programmes(self, caller: Caller) -> list[tuple[ProgrammeRow, int]] | Refusal:
        """Every programme and what of its budget is not yet granted. Refusal: forbidden."""
        if caller.project_id is not None:
            return operators_only(caller)
        with self._ground.database.read() as conn:
            rows = programmes.list_programmes(conn)
            book = book_store.load_book(conn, programme_ids=[row.id for row in rows])
        return [(row, book.balance(accounts.programme(row.id), row.asset)) for row in rows]

    def issue_grant(self, caller: Caller, wanted: GrantTerms) -> Grant | Refusal:
        """A grant out of a programme's budget. Refusals: forbidden, not_found, invalid_request, programme_exhausted."""
        if caller.role != "operator":
            return operators_only(caller)
        now = self._ground.now_us()
        wrong = wrong_terms(wanted, now)
        if wrong is not None:
            return wrong

        def unit(conn: Connection) -> Grant | Refusal:
            if identity.get_project(conn, wanted.project_id) is None:
                return no_project(wanted.project_id)
            members = {member.id for member in identity.list_members(conn, wanted.project_id)}
            for member_id in wanted.members:
                if member_id not in members:
                    detail = f"There is no member {member_id} in project {wanted.project_id}."
                    return Refusal("not_found", detail, {"member_id": member_id})
            programme = find_programme(conn, wanted.programme_id)
            if programme is None:
                return no_programme(wanted.programme_id)
            if programme.asset != wanted.asset:
                # Its caps and pools are one sum each: micro-yuan and milliseconds cannot be added up.
                detail = (
                    f"The programme pays in {programme.asset}, not in {wanted.asset}: its caps and pools are counted "
                    f"in {programme.asset} alone. Make another programme for {wanted.asset}."
                )
                return Refusal("invalid_request", detail, {"asset": wanted.asset, "programme_asset": programme.asset})
            grant = Grant(id=self._ground.new_id("grt"), funders=programme.shares, created_us=now, **asdict(wanted))
            book = book_store.load_book(conn, programme_ids=[programme.id])
            entry = ledger.core.decide(book, IssueGrant(now, grant))
            if isinstance(entry, LedgerRefusal):
                return Refusal(entry.code, entry.detail, dict(entry.fields))
            ledger.core.apply(book, entry)
            book_store.record(conn, [entry], book)
            audit_log.append(conn, now, caller.member_id, "grant.issue", grant.id, asdict(wanted))
            return grant

        return self._ground.database.writer.run(unit)

    def grants(self, caller: Caller, project_id: str) -> list[Grant] | Refusal:
        """A project's grants, the expired ones among them. Refusal: not_found."""
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            return book_store.grants_of(conn, project_id)


def wrong_terms(wanted: GrantTerms, now_us: int) -> Refusal | None:
    """What no grant can be, or None."""
    if wanted.amount < 1:
        return _too_little("amount", wanted.amount)
    if wanted.valid_until_us <= max(wanted.valid_from_us, now_us):
        detail = "valid_until_us must lie after valid_from_us and after now."
        return Refusal("invalid_request", detail, {"valid_until_us": wanted.valid_until_us, "now_us": now_us})
    for resource in wanted.resources:
        if resource not in RESOURCES:
            detail = f"A grant pays for {', '.join(RESOURCES)}, not for {resource!r}."
            return Refusal("invalid_request", detail, {"resource": resource})
    if wanted.asset in NATIVE and wanted.resources and wanted.asset not in wanted.resources:
        detail = f"A grant in {wanted.asset} pays for {wanted.asset} alone, not for {', '.join(wanted.resources)}."
        return Refusal("invalid_request", detail, {"asset": wanted.asset, "resources": list(wanted.resources)})
    for backend in wanted.backends:
        if spec_of(backend) is None:
            return Refusal("invalid_request", f"There is no backend {backend!r}.", {"backend": backend})
    return None


def find_programme(conn: Connection, programme_id: str) -> ProgrammeRow | None:
    """One programme, or None."""
    return next((row for row in programmes.list_programmes(conn) if row.id == programme_id), None)


def no_programme(programme_id: str) -> Refusal:
    """The answer to a programme that is not there."""
    return Refusal("not_found", f"There is no programme {programme_id}.", {"programme_id": programme_id})


def operators_only(caller: Caller) -> Refusal:
    """The answer to anybody else."""
    detail = f"This needs the role operator; your token has the role {caller.role}."
    return Refusal("forbidden", detail, {"role": caller.role, "needed": "operator"})


def _least_to_share(funders: Sequence[tuple[str, int]]) -> int:
    """The smallest amount of which each funder pledges 1 or more: the first one gets what does not divide."""
    total = sum(weight for _, weight in funders)
    return max((-(-total // weight) for _, weight in funders[1:]), default=1)


def _too_little(what: str, amount: int, least: int = 1) -> Refusal:
    detail = f"{what} is {amount}; at least {least} is needed."
    if least > 1:
        detail = f"{what} is {amount}; at least {least} is needed, so that each funder pledges 1 or more."
    return Refusal("invalid_request", detail, {what: amount, "least": least})
