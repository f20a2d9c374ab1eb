"""Acts on money that two operators must want: one asks and says why, another one approves, and then it is posted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ledger.core
from dispatcher.funding import operators_only
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.pricing import pinned_quote
from dispatcher.quota_marks import tell_crossed
from ledger.book import Book
from ledger.commands import ClawBack, Command, CorrectJob, IncreaseGrant, TransferGrant
from ledger.model import MOST_MICRO, Entry, Grant
from ledger.model import Refusal as LedgerRefusal
from ledger.price import Usage, charge
from ledger.receipt import receipt
from store import audit_log, jobs, requests
from store import book as book_store
from store.database import Connection
from store.drawn import drawn_of
from store.rows import JobChange, JobRow, RequestKind, RequestRow, RequestState

KINDS: tuple[RequestKind, ...] = ("increase", "transfer", "claw_back", "correct")
_FIELDS: Mapping[RequestKind, frozenset[str]] = {
    "increase": frozenset({"amount"}),
    "transfer": frozenset({"amount", "to_grant_id"}),
    "claw_back": frozenset({"amount"}),
    "correct": frozenset({"usage"}),
}
_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_USED = ("qpu_ms", "shots", "cpu_ms", "gpu_ms", "storage_mib_h")
REASON_LENGTH_MAX = 500


class Approvals:
    """Requests for increases, transfers, claw-backs and corrections."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def ask(
        self, caller: Caller, kind: RequestKind, subject: str, body: Mapping[str, Any], reason: str
    ) -> RequestRow | Refusal:
        """Put a request up for a second operator. `subject` is a grant, or the job to be corrected.

        The usage of a correction names what is wrong; the rest stays as it was settled. A request is tried at once,
        without posting: what cannot be carried out today is refused today. Refusals: forbidden, invalid_request,
        not_found, and the ledger's.
        """
        if caller.role != "operator":
            return operators_only(caller)
        wrong = _wrong(kind, subject, body, reason)
        if wrong is not None:
            return wrong
        now = self._ground.now_us()
        asked = RequestRow(self._ground.new_id("req"), kind, subject, dict(body), reason, caller.member_id, now)

        def unit(conn: Connection) -> RequestRow | Refusal:
            row = _completed(conn, asked)
            tried = self._try(conn, row, now)
            if isinstance(tried, Refusal):
                return tried
            requests.insert_request(conn, row)
            detail = {"kind": kind, "subject": subject, "reason": reason, **row.body}
            audit_log.append(conn, now, caller.member_id, "request.ask", row.id, detail)
            return row

        return self._ground.database.writer.run(unit)

    def list_requests(self, caller: Caller, state: RequestState | None) -> list[RequestRow] | Refusal:
        """Requests of a state, or all, oldest first. Refusal: forbidden."""
        if caller.project_id is not None:
            return operators_only(caller)
        with self._ground.database.read() as conn:
            return requests.list_requests(conn, state)

    def grant(self, caller: Caller, grant_id: str) -> Grant | Refusal:
        """One grant, for those who may ask for acts on it. Refusals: forbidden, not_found."""
        if caller.project_id is not None:
            return operators_only(caller)
        with self._ground.database.read() as conn:
            found = book_store.load_book(conn, grant_ids=[grant_id]).grants.get(grant_id)
        return found or Refusal("not_found", f"There is no grant {grant_id}.", {"grant_id": grant_id})

    def decide_request(self, caller: Caller, request_id: str, approve: bool) -> RequestRow | Refusal:
        """Approve and post it, or refuse it (one's own too: that takes it back).

        What cannot be posted any more stays open. Refusals: forbidden, not_found, request_closed,
        second_operator_needed, and the ledger's.
        """
        if caller.role != "operator":
            return operators_only(caller)
        now = self._ground.now_us()

        def unit(conn: Connection) -> RequestRow | Refusal:
            row = requests.get_request(conn, request_id)
            if row is None:
                return Refusal("not_found", f"There is no request {request_id}.", {"request_id": request_id})
            if row.state != "open":
                return Refusal("request_closed", f"Request {request_id} has been {row.state}.", {"state": row.state})
            if approve and row.asked_by == caller.member_id:
                detail = "Whoever asked for it cannot approve it; another operator must."
                return Refusal("second_operator_needed", detail, {"asked_by": row.asked_by})
            if approve:
                tried = self._try(conn, row, now)
                if isinstance(tried, Refusal):
                    return tried
                self._post(conn, row, *tried, now)
            state: RequestState = "approved" if approve else "refused"
            requests.decide(conn, request_id, state, caller.member_id, now)
            audit_log.append(conn, now, caller.member_id, f"request.{state}", request_id, {"kind": row.kind})
            return requests.get_request(conn, request_id) or row

        return self._ground.database.writer.run(unit)

    def _try(self, conn: Connection, row: RequestRow, now: int) -> tuple[Book, Entry, JobRow | None] | Refusal:
        """The entry that it would become now."""
        job: JobRow | None = None
        command: Command
        body, name = row.body, (now, row.id)
        match row.kind:
            case "increase":
                command = IncreaseGrant(*name, row.subject, body["amount"], row.reason)
            case "claw_back":
                command = ClawBack(*name, row.subject, body["amount"], row.reason)
            case "transfer":
                command = TransferGrant(*name, row.subject, body["to_grant_id"], body["amount"], row.reason)
            case "correct":
                job = jobs.get_job(conn, row.subject, None)
                if job is None:
                    return Refusal("not_found", f"There is no job {row.subject}.", {"job_id": row.subject})
                used = dict.fromkeys(_USED, 0) | body["usage"]
                lines = charge(pinned_quote(job.quote).rates, Usage(**used)).lines
                command = CorrectJob(*name, row.subject, lines, row.reason)
        wanted = [row.subject, *([body["to_grant_id"]] if row.kind == "transfer" else [])]
        if job is not None:
            book = book_store.load_book(conn, job_ids=[job.id])
        else:
            book = book_store.load_book(conn, grant_ids=wanted)
        over = _over(book, row, now)
        if over is not None:
            return over
        entry = ledger.core.decide(book, command)
        if isinstance(entry, LedgerRefusal):
            code = "not_found" if entry.code == "grant_unknown" else entry.code
            return Refusal(code, f"{entry.detail[:1].upper()}{entry.detail[1:]}.", dict(entry.fields))
        if not entry.postings:
            detail = f"Job {row.subject} would cost the same: there is nothing to give back."
            return Refusal("invalid_request", detail, {"job_id": row.subject})
        return book, entry, job

    def _post(self, conn: Connection, row: RequestRow, book: Book, entry: Entry, job: JobRow | None, now: int) -> None:
        losing = book.grants[row.subject].project_id if row.kind in ("claw_back", "transfer") else None
        before = None if losing is None else drawn_of(conn, losing, now)
        ledger.core.apply(book, entry)
        book_store.record(conn, [entry], book)
        if losing is not None and before is not None:
            tell_crossed(conn, losing, before, drawn_of(conn, losing, now), now)
        if job is None or job.receipt is None:
            return
        earlier = job.receipt
        posted = [one for one in book_store.entries_of_job(conn, job.id) if one.kind != "hold"]
        quoted = pinned_quote(job.quote)
        told = receipt(book.holds[job.id], posted, quoted, Usage(**row.body["usage"]), book.grants)
        told |= {"backend": earlier["backend"], "outcome": earlier["outcome"]}
        change = JobChange(job.id, now, job.state, f"corrected: {row.reason}", receipt=told)
        jobs.advance(conn, [change])


def _completed(conn: Connection, asked: RequestRow) -> RequestRow:
    """A correction with the whole usage in it: whoever approves it sees all that the job will be charged for."""
    job = jobs.get_job(conn, asked.subject, None) if asked.kind == "correct" else None
    if job is None or job.receipt is None:
        return asked
    return replace(asked, body={"usage": {**job.receipt["usage"], **asked.body["usage"]}})


def _over(book: Book, row: RequestRow, now: int) -> Refusal | None:
    """Nothing is given to a grant whose time is over, even before its end has been posted: it would be lost."""
    if row.kind not in ("increase", "transfer"):
        return None
    grant = book.grants.get(row.body["to_grant_id"] if row.kind == "transfer" else row.subject)
    if grant is None or now < grant.valid_until_us:
        return None
    fields = {"grant_id": grant.id, "valid_until_us": grant.valid_until_us}
    return Refusal("grant_expired", f"The time of grant {grant.id} is over.", fields)


def _wrong(kind: RequestKind, subject: str, body: Mapping[str, Any], reason: str) -> Refusal | None:
    if kind not in KINDS:
        return Refusal("invalid_request", f"A request is one of {', '.join(KINDS)}, not {kind!r}.", {"kind": kind})
    if not reason.strip() or len(reason) > REASON_LENGTH_MAX:
        detail = f"The reason is recorded in the ledger: say in up to {REASON_LENGTH_MAX} characters why."
        return Refusal("invalid_request", detail, {"limit": REASON_LENGTH_MAX, "value": len(reason)})
    if set(body) != _FIELDS[kind]:
        named = ", ".join(sorted(body)) or "nothing"
        detail = f"A request of kind {kind} has {', '.join(sorted(_FIELDS[kind]))}; this one has {named}."
        return Refusal("invalid_request", detail, {"kind": kind})
    for name in (subject, body.get("to_grant_id", subject)):
        if not isinstance(name, str) or not _ID.fullmatch(name):
            return Refusal("not_found", "There is no such grant or job.", {})
    if kind == "correct":
        return _wrong_usage(body["usage"])
    return _wrong_amount("amount", body["amount"], 1)


def _wrong_usage(usage: object) -> Refusal | None:
    if not isinstance(usage, Mapping) or not usage or not set(usage) <= set(_USED):
        detail = f"usage is an object of what the job really used: {', '.join(_USED)}."
        return Refusal("invalid_request", detail, {"known": list(_USED)})
    found = (_wrong_amount(f"usage.{name}", value, 0) for name, value in usage.items())
    return next((one for one in found if one is not None), None)


def _wrong_amount(name: str, value: object, least: int) -> Refusal | None:
    if type(value) is int and least <= value <= MOST_MICRO:
        return None
    detail = f"{name} is {value!r}; a whole number from {least} to {MOST_MICRO} is allowed."
    return Refusal("invalid_request", detail, {"least": least, "most": MOST_MICRO})
