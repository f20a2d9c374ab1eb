"""The books by month: statements, reports to funders, closing a month."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.closed_months import changed_closes
from dispatcher.funding import operators_only
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.people import no_project
from dispatcher.rules import Rules
from ledger.charges import corrections
from ledger.flows import balances_of
from ledger.funder_report import Programme, Scope, funder_report
from ledger.month_statement import month_statement
from ledger.months import Month
from ledger.periods import AsOf, Close, as_of, may_close, totals_text
from store import audit_log, chain, charged, closes, identity, programmes, terms
from store import book as book_store
from store import flows as flow_store
from store.database import Connection


@dataclass(frozen=True, slots=True)
class Period:
    """Months of the books: what counted before them, and what counts at their end."""

    first: Month
    last: Month
    after: AsOf
    until: AsOf
    closed: bool


class Bookkeeping:
    """Reports by month. Once a month is closed, its figures are the same whenever they are read."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def month_statement(self, caller: Caller, project_id: str, month: str) -> dict[str, Any] | Refusal:
        """What each grant and the wallet began with, got, paid and ended with. Refusals: not_found, invalid_request."""
        rules = self._ground.rules
        with self._ground.database.read() as conn:
            if not caller.sees(project_id) or identity.get_project(conn, project_id) is None:
                return no_project(project_id)
            period = period_of(conn, rules, month, month, self._ground.now_us())
            if isinstance(period, Refusal):
                return period
            grants = book_store.grants_of(conn, project_id)
            about = flow_store.of_project(project_id, [grant.id for grant in grants])
            opening = balances_of(flow_store.flows(conn, None, period.after, about, by_job=False))
            flows = flow_store.flows(conn, period.after, period.until, about)
            found = month_statement(project_id, rules.asset, grants, opening, flows)
            by_id = {grant.id: grant for grant in grants}
            read = charged.histories(conn, project_id, period.after, period.until, corrected_only=True)
            corrected = [
                {
                    "entry_id": charge.entries[0],
                    "job_id": charge.job.job_id,
                    "at_us": charge.at_us,
                    "reason": charge.after.reason,
                    "earlier_month": earlier,
                    "price": charge.price,
                    "copay": charge.copay(by_id),
                    "credits": [
                        {"funder_id": each.funder_id, "grant_id": each.grant_id, "amount": each.amount}
                        for each in charge.credits(by_id)
                    ],
                }
                for charge, earlier in corrections(read)
            ]
        return {
            "project_id": project_id,
            "asset": rules.asset,
            **_told(period, rules),
            **found.to_json(),
            "corrections": corrected,
        }

    def funder_report(self, caller: Caller, funder_id: str, first: str, last: str) -> dict[str, Any] | Refusal:
        """What a funder's programmes granted and what became of it, in the months from `first` to `last`.

        Refusals: forbidden, not_found, invalid_request.
        """
        if caller.project_id is not None:
            return operators_only(caller)
        rules = self._ground.rules
        with self._ground.database.read() as conn:
            funder = next((row for row in programmes.list_funders(conn) if row.id == funder_id), None)
            if funder is None:
                return Refusal("not_found", f"There is no funder {funder_id}.", {"funder_id": funder_id})
            period = period_of(conn, rules, first, last, self._ground.now_us())
            if isinstance(period, Refusal):
                return period
            scope = self._scope(conn, funder_id, period)
            own = [programme.id for programme in scope.programmes]
            about = flow_store.of_programmes(own, sorted({grant.project_id for grant in scope.grants}))
            found = funder_report(
                scope,
                flow_store.flows(conn, None, period.after, about, by_job=False),
                flow_store.flows(conn, period.after, period.until, about),
                flow_store.claims_at(conn, period.until, own, scope.year),
            )
        return {"name": funder.name, **_told(period, rules), **found}

    def _scope(self, conn: Connection, funder_id: str, period: Period) -> Scope:
        rows = [row for row in programmes.list_programmes(conn) if funder_id in dict(row.shares)]
        in_force = terms.in_force(conn, [row.id for row in rows])
        own = tuple(Programme(row.id, row.name, row.asset, row.shares, in_force.get(row.id)) for row in rows)
        ids = {row.id for row in rows}
        grants = tuple(grant for grant in book_store.all_grants(conn) if grant.programme_id in ids)
        at_us = min(self._ground.now_us(), period.until.until_us)
        return Scope(funder_id, own, grants, period.last.year, at_us)

    def closes(self, caller: Caller) -> list[dict[str, Any]] | Refusal:
        """The closed months, the earliest first (operators and auditors). Refusal: forbidden."""
        if caller.project_id is not None:
            return operators_only(caller)
        with self._ground.database.read() as conn:
            return [close_document(close) for close in closes.list_closes(conn)]

    def close_month(self, caller: Caller, month: str) -> dict[str, Any] | Refusal:
        """Close a month for ever (operators). Months are closed one after the other, once they are over.

        Refusals: forbidden, invalid_request, month_closed, month_not_over, month_out_of_order.
        """
        if caller.role != "operator":
            return operators_only(caller)
        wanted = read_month(month)
        if isinstance(wanted, Refusal):
            return wanted
        ground, zone = self._ground, self._ground.rules.zone
        now = ground.now_us()

        def refusal(conn: Connection) -> Refusal | None:
            no = may_close(wanted, closes.list_closes(conn), closes.first_us(conn), now, zone)
            return None if no is None else Refusal(no.code, no.detail, dict(no.fields))

        def pinned(conn: Connection) -> AsOf | Refusal:
            # Entries are numbered in the order of their commits by whoever holds the head of the chain.
            chain.lock(conn)
            return refusal(conn) or AsOf(wanted.until_us(zone), chain.head(conn).size)

        covered = ground.database.writer.run(pinned)
        if isinstance(covered, Refusal):
            return covered
        # Entries up to the pinned one are all there and never change: adding them up need not keep anybody waiting.
        with ground.database.read() as conn:
            body, digest = _totals(conn, wanted, covered, ground.rules)
        close = Close(wanted, covered.until_us, covered.last_seq or 0, now, caller.member_id, body, digest)

        def unit(conn: Connection) -> Close | Refusal:
            no = refusal(conn)
            if no is not None:
                return no
            closes.insert_close(conn, close)
            audit_log.append(conn, now, caller.member_id, "ledger.close", month, {"sha256": digest})
            return close

        written = ground.database.writer.run(unit)
        return written if isinstance(written, Refusal) else close_document(written)

    def changed_closes(self) -> list[str]:
        """Closed months whose totals no longer follow from the entries: none, unless the books were tampered with."""
        with self._ground.database.read() as conn:
            return changed_closes(conn)


def read_month(text: str) -> Month | Refusal:
    """A month as it is written. Refusal: invalid_request."""
    try:
        return Month.parse(text)
    except ValueError as wrong:
        return Refusal("invalid_request", f"{wrong}."[0].upper() + f"{wrong}."[1:], {"month": text[:20]})


def period_of(conn: Connection, rules: Rules, first: str, last: str, now_us: int) -> Period | Refusal:
    """Months by their names, up to the one that runs. Refusal: invalid_request."""
    begin, end = read_month(first), read_month(last)
    if isinstance(begin, Refusal):
        return begin
    if isinstance(end, Refusal):
        return end
    if end < begin:
        return Refusal("invalid_request", f"{end} lies before {begin}.", {"from": str(begin), "to": str(end)})
    if end.from_us(rules.zone) > now_us:
        return Refusal("invalid_request", f"{end} has not begun.", {"month": str(end), "now_us": now_us})
    known = closes.list_closes(conn)
    after, until = as_of(begin.step(-1), known, rules.zone), as_of(end, known, rules.zone)
    return Period(begin, end, after, until, any(close.month == end for close in known))


def close_document(close: Close) -> dict[str, Any]:
    """A closed month as it is told."""
    return {
        "month": str(close.month),
        "until_us": close.until_us,
        "last_seq": close.last_seq,
        "closed_us": close.closed_us,
        "closed_by": close.closed_by,
        "sha256": close.hash,
        "totals": json.loads(close.body),
    }


def _totals(conn: Connection, month: Month, covered: AsOf, rules: Rules) -> tuple[str, str]:
    before: Sequence[Close] = [close for close in closes.list_closes(conn) if close.month < month]
    kinds = closes.kinds_within(conn, as_of(month.step(-1), before, rules.zone), covered)
    balances = balances_of(flow_store.flows(conn, None, covered, by_job=False))
    last = covered.last_seq or 0
    return totals_text(month, covered, b"".join(chain.hashes(conn, last, last)), kinds, balances)


def _told(period: Period, rules: Rules) -> dict[str, Any]:
    months = {"month": str(period.last)} if period.first == period.last else {}
    return {
        **months,
        "from_month": str(period.first),
        "to_month": str(period.last),
        "zone": str(rules.zone),
        "from_us": period.after.until_us,
        "until_us": period.until.until_us,
        "last_seq": period.until.last_seq,
        "closed": period.closed,
    }
