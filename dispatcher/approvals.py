"""Acts on money that two operators must want: one asks and says why, another one approves, and then it is posted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ledger.core
from dispatcher.funding import operators_only
from dispatcher.ground import Ground
from dispatcher.model import Caller, Refusal
from dispatcher.pricing import pinned_quote
from ledger.book import Book
from ledger.commands import ClawBack, Command, CorrectJob, IncreaseGrant, TransferGrant
from ledger.model import MOST_MICRO, Entry
from ledger.model import Refusal as LedgerRefusal
from ledger.price import Usage, charge
from ledger.receipt import receipt
from store import audit_log, jobs, requests
from store import book as book_store
from store.database import Connection
from store.rows import JobChange, JobRow, RequestKind, RequestRow, RequestState

KINDS: tuple[RequestKind, ...] = ("increase", "transfer", "claw_back", "correct")
_FIELDS: Mapping[RequestKind, frozenset[str]] = {
    "increase": frozenset({"amount"}),
    "transfer": frozenset({"amount", "to_grant_id"}),
    "claw_back": frozenset({"amount"}),
    "correct": frozenset({"usage"}),
}


class Approvals:
    """Requests for increases, transfers, claw-backs and corrections."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def ask(
        self, caller: Caller, kind: RequestKind, subject: str, body: Mapping[str, Any], reason: str
    ) -> RequestRow | Refusal:
        """Put a request up for a second operator. `subject` is a grant, or the job to be corrected.

        It is tried at once, without posting: what cannot be carried out today is refused today. Refusals: forbidden,
        invalid_request, not_found, and the ledger's.
        """
        if caller.role != "operator":
            return operators_only(caller)
        wrong = _wrong(kind, body, reason)
        if wrong is not None:
            return wrong
        now = self._ground.now_us()
        row = RequestRow(self._ground.new_id("req"), kind, subject, dict(body), reason, caller.member_id, now)

        def unit(conn: Connection) -> RequestRow | Refusal:
            tried = self._try(conn, row, now)
            if isinstance(tried, Refusal):
                return tried
            requests.insert_request(conn, row)
            detail = {"kind": kind, "subject": subject, "reason": reason, **body}
            audit_log.append(conn, now, caller.member_id, "request.ask", row.id, detail)
            return row

        return self._ground.database.writer.run(unit)

    def list_requests(self, caller: Caller, state: RequestState | None) -> list[RequestRow] | Refusal:
        """Requests of a state, or all, oldest first. Refusal: forbidden."""
        if caller.project_id is not None:
            return operators_only(caller)
        with self._ground.database.read() as conn:
            return requests.list_requests(conn, state)

    def decide_request(self, caller: Caller, request_id: str, approve: bool) -> RequestRow | Refusal:
        """Approve and post it, or refuse it. Refusals: forbidden, not_found, second_operator_needed, request_closed."""
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
                lines = charge(pinned_quote(job.quote).rates, Usage(**body["usage"])).lines
                command = CorrectJob(*name, row.subject, lines, row.reason)
        wanted = [row.subject, *([body["to_grant_id"]] if row.kind == "transfer" else [])]
        if job is not None:
            book = book_store.load_book(conn, job_ids=[job.id])
        else:
            book = book_store.load_book(conn, grant_ids=wanted)
        entry = ledger.core.decide(book, command)
        if isinstance(entry, LedgerRefusal):
            code = "not_found" if entry.code == "grant_unknown" else entry.code
            return Refusal(code, entry.detail, dict(entry.fields))
        return book, entry, job

    def _post(self, conn: Connection, row: RequestRow, book: Book, entry: Entry, job: JobRow | None, now: int) -> None:
        ledger.core.apply(book, entry)
        book_store.record(conn, [entry], book)
        if job is None or job.receipt is None:
            return
        earlier = job.receipt
        posted = [one for one in book_store.entries_of_job(conn, job.id) if one.kind != "hold"]
        quoted = pinned_quote(job.quote)
        told = receipt(book.holds[job.id], posted, quoted, Usage(**earlier["usage"]), book.grants)
        told |= {"backend": earlier["backend"], "outcome": earlier["outcome"]}
        change = JobChange(job.id, now, job.state, f"corrected: {row.reason}", receipt=told)
        jobs.advance(conn, [change])


def _wrong(kind: RequestKind, body: Mapping[str, Any], reason: str) -> Refusal | None:
    if kind not in KINDS:
        return Refusal("invalid_request", f"A request is one of {', '.join(KINDS)}, not {kind!r}.", {"kind": kind})
    if not reason.strip():
        return Refusal("invalid_request", "Say why: the reason is recorded in the ledger.", {"reason": reason})
    if set(body) != _FIELDS[kind]:
        detail = (
            f"A request of kind {kind} has {', '.join(sorted(_FIELDS[kind]))}; this one has {', '.join(sorted(body))}."
        )
        return Refusal("invalid_request", detail, {"kind": kind})
    amount = body.get("amount", 1)
    if not isinstance(amount, int) or not 1 <= amount <= MOST_MICRO:
        return Refusal(
            "invalid_request", f"amount is {amount}; from 1 to {MOST_MICRO} units are allowed.", {"amount": amount}
        )
    if kind == "correct":
        try:
            Usage(**body["usage"])
        except (TypeError, ValueError) as error:
            return Refusal("invalid_request", f"usage is what the job really used: {error}.", {})
    return None
