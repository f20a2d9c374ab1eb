"""The ledger's part of the shell: quotes become holds, ends of jobs become settlements, and every step is audited."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ledger import core, invariants
from ledger.book import Book
from ledger.commands import (
    Command,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IssueGrant,
    PlaceHold,
    SettleHold,
    TopUp,
    VoidHold,
)
from ledger.model import CNY, Entry, Grant, Refusal
from ledger.price import Usage, charge
from ledger.statement import statement
from ledger.terms import Budget, Terms
from scheduler.decisions import FinishJob
from simulation.laws import must
from simulation.payments import Payments
from simulation.workload import RATES, Submission, Workload

CHARGED_FAILURES = ("user", "timeout", "memory")
"""Failures that are the job's own; the others are the facility's, and free."""

WHOLE_EVERY = 12
"""So many entries apart the whole book is checked; after every entry the open holds and the one it is about."""


class Treasury:
    """A whole book in memory, every entry ever posted, and the laws they keep."""

    def __init__(
        self,
        grants: tuple[Grant, ...],
        at_us: int,
        terms: tuple[Terms, ...] = (),
        budgets: tuple[Budget, ...] = (),
        top_ups: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.book = Book.empty()
        self.entries: list[Entry] = []
        self.admitted: set[str] = set()
        self.refused: Counter[str] = Counter()
        self.payments = Payments(self.book, terms, budgets)
        self.book.terms.update({one.programme_id: one for one in terms})
        for budget in budgets:
            self.book.budgets[budget.project_id] = (*self.book.budgets.get(budget.project_id, ()), budget)
        for grant in grants:
            funder_id = grant.funders[0][0]
            self._post(FundProgramme(at_us, grant.id, grant.programme_id, funder_id, grant.asset, grant.amount))
            self._post(IssueGrant(at_us, grant))
        for project_id, amount in top_ups:
            self._post(TopUp(at_us, project_id, project_id, CNY, amount))

    @classmethod
    def of(cls, workload: Workload, at_us: int) -> Treasury:
        """The treasury of a world, with all that it is given at the beginning."""
        return cls(workload.grants, at_us, workload.terms, workload.budgets, workload.top_ups)

    def admit(self, at_us: int, submission: Submission) -> bool:
        """Hold what the job may cost at most. False when it was refused, or is known already."""
        lines = submission.quote.ceiling.lines
        subject = (submission.job_id, submission.project_id)
        command = PlaceHold(at_us, *subject, CNY, lines, submission.claimant)
        over_budget = self.payments.over_budget(command)
        answer = self._ask(command)
        known = submission.job_id in self.admitted
        if isinstance(answer, Refusal):
            must((answer.code == "hold_exists") == known, submission.job_id, "was refused oddly:", answer)
            must(known or (answer.code == "budget_exhausted") == over_budget, submission.job_id, "was refused:", answer)
            self.refused[answer.code] += 1
            return False
        must(not known, "job", submission.job_id, "was admitted twice")
        must(not over_budget, "job", submission.job_id, "was admitted beyond its member's budget")
        self.payments.held(command)
        self.admitted.add(submission.job_id)
        return True

    def close(self, at_us: int, finish: FinishJob, submission: Submission) -> None:
        """Settle or void by how the job ended. Settlement may not be refused. Some is given back afterwards."""
        command = self.closing(at_us, finish, submission)
        answer = self._ask(command)
        must(isinstance(answer, Entry), "the end of", finish.job_id, "was refused:", answer)
        hold = self.book.holds[finish.job_id]
        must(hold.state != "open", "the hold of", finish.job_id, "is still open after its end")
        used = command.lines if isinstance(command, SettleHold) else ()
        due = sum(line.amount for line in used)
        must(hold.charged == due, "job", finish.job_id, "was charged", hold.charged, "and not", due)
        self.payments.closed(finish.job_id, used)
        returned = Counter[str]()
        for posting in self.entries[-1].postings:
            if posting.source.endswith("/held") and not posting.destination.startswith("facility/"):
                returned[posting.asset] += posting.amount
        for part, captured in zip(hold.slices, hold.captured or (0,) * len(hold.slices), strict=True):
            returned[part.asset] -= part.amount - captured
        must(not any(returned.values()), "job", finish.job_id, "gave back otherwise than it should:", returned)
        if submission.credit_percent and hold.state == "settled":
            self.correct(at_us, finish.job_id, submission.credit_percent)

    def correct(self, at_us: int, job_id: str, percent: int) -> None:
        """An operator takes a part of every line back; who had paid it gets it back."""
        keep = 100 - percent
        lines = tuple(replace(line, quantity=line.quantity * keep // 100) for line in self.book.holds[job_id].settled)
        before = self.payments.before_correction(job_id)
        answer = self._ask(CorrectJob(at_us, f"credit-{job_id}", job_id, lines, "credit"))
        must(isinstance(answer, Entry), "the correction of", job_id, "was refused:", answer)
        self.payments.corrected(job_id, lines, before)

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
        left = self.book.balance(f"grant/{grant_id}/available", self.book.grants[grant_id].asset)
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
        self.payments.check_at_the_end()
        for project_id in sorted({grant.project_id for grant in book.grants.values()}):
            grants = [grant for grant in book.grants.values() if grant.project_id == project_id]
            own = [entry for entry in self.entries if entry.project_id == project_id]
            for asset, total in statement(grants, book.balances, own).totals:
                granted = sum(grant.amount for grant in grants if grant.asset == asset)
                must(total.granted == granted, "the statement of", project_id, "is off")
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
        if len(self.entries) % WHOLE_EVERY == 0:
            invariants.check(self.book)
            return
        holds = {job_id: hold for job_id, hold in self.book.holds.items() if hold.state == "open"}
        if entry.job_id is not None:
            holds[entry.job_id] = self.book.holds[entry.job_id]
        invariants.check(replace(self.book, holds=holds), whole=False)
