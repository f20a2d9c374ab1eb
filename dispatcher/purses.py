"""A project's own money and its own limits: the wallet its co-pay comes from, and budgets for members and tags."""

from __future__ import annotations

from typing import Any

import ledger.core
from dispatcher.funding import operators_only
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.people import no_project
from ledger import accounts
from ledger.book import Book
from ledger.commands import PayOut, TopUp
from ledger.model import MOST_MICRO, Entry, in_words
from ledger.model import Refusal as LedgerRefusal
from ledger.terms import Budget
from store import audit_log, budgets, identity
from store import book as book_store
from store.database import Connection

KEY_LENGTH_MAX = 200


class Purses:
    """Operators book what a startup has paid in or gets back; its admins set its budgets."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def top_up(self, caller: Caller, project_id: str, amount: int, key: str) -> dict[str, Any] | Refusal:
        """Money came in from the startup. The same `key` and amount again books nothing and answers the same.

        Refusals: forbidden, not_found, invalid_request, already_exists (the key, for another amount).
        """
        return self._move(caller, project_id, amount, key, coming=True)

    def pay_out(self, caller: Caller, project_id: str, amount: int, key: str) -> dict[str, Any] | Refusal:
        """Money goes back to the startup. Refusals: as `top_up`, and wallet_short."""
        return self._move(caller, project_id, amount, key, coming=False)

    def _move(
        self, caller: Caller, project_id: str, amount: int, key: str, *, coming: bool
    ) -> dict[str, Any] | Refusal:
        if caller.role != "operator":
            return operators_only(caller)
        if not 1 <= amount <= MOST_MICRO:
            detail = f"amount is {amount}; from 1 to {MOST_MICRO} micro-units are allowed."
            return Refusal("invalid_request", detail, {"amount": amount, "limit": MOST_MICRO})
        if not key.strip() or len(key) > KEY_LENGTH_MAX:
            detail = f"key has {len(key)} characters; a payment's key has from 1 to {KEY_LENGTH_MAX}."
            return Refusal("invalid_request", detail, {"key": key, "limit": KEY_LENGTH_MAX})
        now, asset = self._ground.now_us(), self._ground.rules.asset
        make = TopUp if coming else PayOut
        command = make(now, f"{project_id}/{key}", project_id, asset, amount)

        def unit(conn: Connection) -> dict[str, Any] | Refusal:
            if identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            book = book_store.load_book(conn, project_ids=[project_id])
            earlier = book_store.entry_of(conn, f"{'top_up' if coming else 'pay_out'}/{command.entry_id}")
            if earlier is not None:
                return _booked(book, command, earlier, again=True)
            entry = ledger.core.decide(book, command)
            if isinstance(entry, LedgerRefusal):
                return Refusal(entry.code, entry.detail, dict(entry.fields))
            ledger.core.apply(book, entry)
            book_store.record(conn, [entry], book)
            detail = {"amount": amount, "asset": asset, "key": key}
            audit_log.append(conn, now, caller.member_id, f"wallet.{entry.kind}", project_id, detail)
            return _booked(book, command, entry, again=False)

        return self._ground.database.writer.run(unit)

    def set_budget(self, caller: Caller, project_id: str, kind: str, key: str, limit: int) -> dict[str, Any] | Refusal:
        """Limit what one member's jobs, or jobs with one tag, may cost in a calendar year; what is held counts too.

        Counted from the day it is set. Refusals: forbidden, not_found, invalid_request.
        """
        refusal = self._may(caller, project_id)
        if refusal is not None:
            return refusal
        if kind not in ("member", "tag") or not key:
            detail = f"A budget is for a member or a tag that is named, not for {kind} {key!r}."
            return Refusal("invalid_request", detail, {"kind": kind, "key": key})
        if not 0 <= limit <= MOST_MICRO:
            detail = f"limit is {limit}; from 0 to {MOST_MICRO} micro-units are allowed."
            return Refusal("invalid_request", detail, {"limit": limit})
        budget = Budget(project_id, kind, key, limit)
        now = self._ground.now_us()

        def unit(conn: Connection) -> dict[str, Any] | Refusal:
            if identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            if kind == "member":
                member = identity.get_member(conn, key)
                if member is None or member.project_id != project_id:
                    return Refusal("not_found", f"The project has no member {key}.", {"member_id": key})
            budgets.put(conn, budget)
            audit_log.append(conn, now, caller.member_id, "budget.set", project_id, {kind: key, "limit": limit})
            return self._shown(conn, budget)

        return self._ground.database.writer.run(unit)

    def remove_budget(self, caller: Caller, project_id: str, kind: str, key: str) -> Refusal | None:
        """No limit any more. Refusals: forbidden, not_found."""
        refusal = self._may(caller, project_id)
        if refusal is not None:
            return refusal
        now = self._ground.now_us()

        def unit(conn: Connection) -> Refusal | None:
            if not budgets.remove(conn, project_id, kind, key):
                return Refusal("not_found", f"The project has no budget for {kind} {key}.", {"kind": kind, "key": key})
            audit_log.append(conn, now, caller.member_id, "budget.remove", project_id, {kind: key})
            return None

        return self._ground.database.writer.run(unit)

    def list_budgets(self, caller: Caller, project_id: str) -> list[dict[str, Any]] | Refusal:
        """The project's budgets and what has been claimed of each this year. Refusal: not_found."""
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            rows = budgets.of_projects(conn, [project_id]).get(project_id, ())
            return [self._shown(conn, budget) for budget in rows]

    def _shown(self, conn: Connection, budget: Budget) -> dict[str, Any]:
        year = self._ground.rules.local(self._ground.now_us()).year
        scope = budget.scope(year)
        claimed = book_store.claimed(conn, [scope]).get(scope, 0)
        return {
            "project_id": budget.project_id,
            "kind": budget.kind,
            "key": budget.key,
            "year": year,
            "limit": budget.limit,
            "claimed": claimed,
            "left": max(0, budget.limit - claimed),
        }

    def _may(self, caller: Caller, project_id: str) -> Refusal | None:
        if not caller.sees(project_id):
            return no_project(project_id)
        if caller.role not in ("admin", "operator"):
            detail = f"This needs the role admin; your token has the role {caller.role}."
            return Refusal("forbidden", detail, {"role": caller.role, "needed": "admin"})
        return None


def _booked(book: Book, command: TopUp | PayOut, entry: Entry, *, again: bool) -> dict[str, Any] | Refusal:
    """What was booked and what the wallet has now; `again` if it had been booked before."""
    (posting,) = entry.postings
    if posting.amount != command.amount:
        key = command.entry_id.partition("/")[2]
        detail = (
            f"{key!r} has been booked for this project already, with {in_words(posting.amount, posting.asset)}; "
            "use another key for another payment."
        )
        return Refusal("already_exists", detail, {"key": key, "booked": posting.amount, "amount": command.amount})
    return {
        "project_id": command.project_id,
        "asset": command.asset,
        "amount": command.amount,
        "available": book.balance(accounts.wallet(command.project_id), command.asset),
        "entry": entry.id,
        "again": again,
    }
