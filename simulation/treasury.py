"""The ledger's part of the shell: quotes become holds, ends of jobs become settlements, and every step is audited."""

from __future__ import annotations

from collections import Counter

from ledger import core, invariants
from ledger.book import Book, burn_order
from ledger.commands import Command, ExpireGrant, FundProgramme, IssueGrant, PlaceHold, SettleHold, VoidHold
from ledger.model import CNY, Entry, Grant, Refusal
from ledger.price import Usage, charge
from ledger.statement import statement
from scheduler.decisions import FinishJob
from simulation.laws import must
from simulation.workload import RATES, Submission

CHARGED_FAILURES = ("user", "timeout", "memory")
"""Failures that are the job's own; the others are the facility's, and free."""


class Treasury:
    """A whole book in memory, every entry ever posted, and the laws they keep."""

    def __init__(self, grants: tuple[Grant, ...], at_us: int) -> None:
        self.book = Book.empty()
        self.entries: list[Entry] = []
        self.admitted: set[str] = set()
        self.refused: Counter[str] = Counter()
        pledged = sum(grant.amount for grant in grants)
        self._post(FundProgramme(at_us, "pledge", "programme", "funder", CNY, pledged))
        for grant in grants:
            self._post(IssueGrant(at_us, grant))

    def admit(self, at_us: int, submission: Submission) -> bool:
        """Hold what the job may cost at most. False when it was refused, or is known already."""
        command = PlaceHold(at_us, submission.job_id, submission.project_id, CNY, submission.quote.ceiling.lines)
        answer = self._ask(command)
        known = submission.job_id in self.admitted
        if isinstance(answer, Refusal):
            must((answer.code == "hold_exists") == known, submission.job_id, "was refused oddly:", answer)
            self.refused[answer.code] += 1
            return False
        must(not known, "job", submission.job_id, "was admitted twice")
        self._check_hold(command)
        self.admitted.add(submission.job_id)
        return True

    def close(self, at_us: int, finish: FinishJob, submission: Submission) -> None:
        """Settle or void by how the job ended. Settlement may not be refused."""
        command = self.closing(at_us, finish, submission)
        answer = self._ask(command)
        must(isinstance(answer, Entry), "the end of", finish.job_id, "was refused:", answer)
        hold = self.book.holds[finish.job_id]
        must(hold.state != "open", "the hold of", finish.job_id, "is still open after its end")
        due = sum(line.amount for line in command.lines) if isinstance(command, SettleHold) else 0
        must(hold.charged == due, "job", finish.job_id, "was charged", hold.charged, "and not", due)
        returned = sum(
            posting.amount
            for posting in self.entries[-1].postings
            if posting.source.endswith("/held") and not posting.destination.startswith("facility/")
        )
        kept = hold.amount - hold.worth_of(hold.captured or (0,) * len(hold.slices))
        must(returned == kept, "job", finish.job_id, "gave back", returned, "of", hold.amount, "charged", hold.charged)

    def close_again(self, at_us: int, finish: FinishJob, submission: Submission) -> None:
        """What a restarted service may do: it must make no difference."""
        before = dict(self.book.balances)
        answer = self._ask(self.closing(at_us, finish, submission))
        must(isinstance(answer, Refusal), "job", finish.job_id, "was closed a second time:", answer)
        must(before == self.book.balances, "a refused command changed the balances")

    def closing(self, at_us: int, finish: FinishJob, submission: Submission) -> SettleHold | VoidHold:
        """The command that closes the hold of a job that ended like this."""
        own = finish.outcome == "succeeded" or finish.kind in CHARGED_FAILURES or finish.outcome == "cancelled"
        if not own or finish.used_us == 0:
            return VoidHold(at_us, finish.job_id)
        shots = submission.shots if finish.outcome == "succeeded" else 0
        priced = charge(RATES, Usage(-(-finish.used_us // 1_000), shots))
        return SettleHold(at_us, finish.job_id, priced.lines)

    def expire(self, at_us: int, grant_id: str) -> None:
        """The sweeper found the grant due."""
        answer = self._ask(ExpireGrant(at_us, grant_id))
        must(isinstance(answer, Entry), "grant", grant_id, "would not expire:", answer)
        left = self.book.balance(f"grant/{grant_id}/available", CNY)
        must(left == 0, "grant", grant_id, "expired and still offers", left)

    def check_at_the_end(self) -> None:
        """All jobs have ended: nothing is held, each was settled or voided once, and every figure adds up."""
        book = self.book
        for violation in invariants.audit(self.entries, book):
            must(False, "audit:", violation)
        for (account, asset), balance in book.balances.items():
            must(not account.endswith("/held") or balance == 0, balance, asset, "are still held on", account)
        closed = Counter(entry.job_id for entry in self.entries if entry.kind in ("settle", "void"))
        must(closed == dict.fromkeys(self.admitted, 1), "jobs admitted and jobs closed differ:", closed)
        for project_id in sorted({grant.project_id for grant in book.grants.values()}):
            grants = [grant for grant in book.grants.values() if grant.project_id == project_id]
            own = [entry for entry in self.entries if entry.project_id == project_id]
            total = statement(grants, book.balances, own).total(CNY)
            must(total.granted == sum(grant.amount for grant in grants), "the statement of", project_id, "is off")
            must(total.held == 0, "the statement of", project_id, "shows", total.held, "held")

    def _ask(self, command: Command) -> Entry | Refusal:
        answer = core.decide(self.book, command)
        if isinstance(answer, Entry):
            self._apply(answer)
        return answer

    def _post(self, command: Command) -> None:
        answer = core.decide(self.book, command)
        if isinstance(answer, Refusal):
            raise ValueError(f"the world's own budget was refused: {answer}")
        self._apply(answer)

    def _apply(self, entry: Entry) -> None:
        core.apply(self.book, entry)
        self.entries.append(entry)
        invariants.check(self.book)

    def _check_hold(self, command: PlaceHold) -> None:
        """The hold stands on valid grants in burn order, each drained before the next is touched."""
        held = self.book.holds[command.job_id]
        asked = sum(line.amount for line in command.lines)
        must(held.amount == asked, "job", command.job_id, "asked for", asked, "held", held.amount)
        grants = [self.book.grants[payer] for payer in dict.fromkeys(part.payer for part in held.slices)]
        for grant in grants:
            valid = grant.valid_from_us <= command.at_us < grant.valid_until_us and not grant.expired
            must(valid, "job", command.job_id, "is paid from grant", grant.id, "which is not valid")
            must(grant.project_id == command.project_id, "job", command.job_id, "is paid by another project")
        must(grants == sorted(grants, key=burn_order), "the hold of", command.job_id, "burns in the wrong order")
        for grant in grants[:-1]:
            left = self.book.balance(f"grant/{grant.id}/available", CNY)
            must(left == 0, "the hold of", command.job_id, "left", left, "on", grant.id, "and went on")
