"""The book under random commands: whatever is asked, in whatever order, the invariants hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.book import Book
from ledger.commands import Command, ExpireGrant, FundProgramme, IssueGrant, PlaceHold, SettleHold, VoidHold
from ledger.core import accounts_of, apply, decide
from ledger.invariants import audit, check, fold
from ledger.model import Entry, Grant, Refusal
from ledger.statement import settled_by_grant, statement

JOBS = [f"j{number}" for number in range(12)]
GRANTS = [f"G{number}" for number in range(5)]
PROJECTS = ["acme", "rival"]
ASSETS = ["CNY", "shots"]

# Mostly one project in one asset, so that its grants are used up and its holds split.
jobs, grant_ids = st.sampled_from(JOBS), st.sampled_from(GRANTS)
projects, assets = st.sampled_from(["acme", "acme", "acme", "rival"]), st.sampled_from(["CNY", "CNY", "CNY", "shots"])
amounts = st.integers(1, 120)

ORDER = {
    "issue": ["grant_exists", "programme_exhausted"],
    "hold": ["hold_exists", "no_grant", "grant_not_started", "grant_expired", "grant_exhausted"],
    "close": ["hold_unknown", "hold_closed"],
    "expire": ["grant_unknown", "grant_expired", "grant_not_due"],
}


def _reasons_against(book: Book, command: Command) -> list[str]:
    """Every reason that speaks against a command, in the promised order; worked out without `ledger.core`."""
    match command:
        case FundProgramme():
            return []
        case IssueGrant(grant=grant):
            left = book.balance(f"programme/{grant.programme_id}/available", grant.asset)
            against = {"grant_exists": grant.id in book.grants, "programme_exhausted": left < grant.amount}
            order = ORDER["issue"]
        case PlaceHold():
            own = [g for g in book.grants.values() if (g.project_id, g.asset) == (command.project_id, command.asset)]
            valid = [g for g in own if not g.expired and g.valid_from_us <= command.at_us < g.valid_until_us]
            upcoming = [g for g in own if not g.expired and command.at_us < g.valid_from_us]
            means = sum(book.balance(f"grant/{g.id}/available", g.asset) for g in valid)
            against = {
                "hold_exists": command.job_id in book.holds,
                "no_grant": not own,
                "grant_not_started": not valid and bool(upcoming),
                "grant_expired": not valid,
                "grant_exhausted": means < command.amount,
            }
            order = ORDER["hold"]
        case SettleHold() | VoidHold():
            hold = book.holds.get(command.job_id)
            against = {"hold_unknown": hold is None, "hold_closed": hold is None or hold.state != "open"}
            order = ORDER["close"]
        case ExpireGrant():
            known = book.grants.get(command.grant_id)
            against = {
                "grant_unknown": known is None,
                "grant_expired": known is not None and known.expired,
                "grant_not_due": known is not None and command.at_us < known.valid_until_us,
            }
            order = ORDER["expire"]
    return [code for code in order if against[code]]


class LedgerMachine(RuleBasedStateMachine):
    """Random commands against one book; time moves forward."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book.empty()
        self.entries: list[Entry] = []
        self.at_us = 0
        self.closings: dict[str, int] = {}

    @initialize()
    def some_money_and_some_grants(self) -> None:
        self._do(FundProgramme(0, "first", "seed", "city", "CNY", 300))
        for number, (valid_until_us, priority) in enumerate([(15, 1), (30, 0), (100, 1)]):
            grant = Grant(f"G{number}", "seed", "city", "acme", "CNY", 80, 0, valid_until_us, priority, 0)
            self._do(IssueGrant(0, grant))

    def _jobs_mostly_open(self) -> st.SearchStrategy[str]:
        still_open = [hold.job_id for hold in self.book.holds.values() if hold.state == "open"]
        return st.sampled_from(still_open * 4 + JOBS)

    @rule(pass_us=st.integers(1, 10))
    def wait(self, pass_us: int) -> None:
        self.at_us += pass_us

    @rule()
    def wait_until_a_grant_begins_or_ends(self) -> None:
        borders_us = [border for g in self.book.grants.values() for border in (g.valid_from_us, g.valid_until_us)]
        self.at_us = min((border for border in borders_us if border > self.at_us), default=self.at_us)

    @rule(asset=assets, amount=amounts)
    def fund(self, asset: str, amount: int) -> None:
        self._do(FundProgramme(self.at_us, str(len(self.entries)), "seed", "city", asset, amount))

    @rule(grant_id=grant_ids, project=projects, asset=assets, amount=amounts, data=st.data())
    def issue(self, grant_id: str, project: str, asset: str, amount: int, data: st.DataObject) -> None:
        valid_from_us = self.at_us + data.draw(st.integers(-5, 15))
        valid_until_us = valid_from_us + data.draw(st.integers(1, 40))
        priority, created_us = data.draw(st.integers(0, 1)), self.at_us
        terms = (valid_from_us, valid_until_us, priority, created_us)
        self._do(IssueGrant(self.at_us, Grant(grant_id, "seed", "city", project, asset, amount, *terms)))

    @rule(job=jobs, project=projects, asset=assets, amount=amounts)
    def hold(self, job: str, project: str, asset: str, amount: int) -> None:
        before = self.book.copy()
        answer = self._do(PlaceHold(self.at_us, job, project, asset, amount))
        if isinstance(answer, Entry):
            self._check_burnt_in_order(before, job)

    @rule(data=st.data(), charge=st.integers(0, 200))
    def settle(self, data: st.DataObject, charge: int) -> None:
        job = data.draw(self._jobs_mostly_open())
        answer = self._do(SettleHold(self.at_us, job, charge))
        if isinstance(answer, Entry):
            hold = self.book.holds[job]
            assert (hold.state, hold.charged, hold.overrun) == ("settled", charge, max(0, charge - hold.amount))
            self.closings[job] = self.closings.get(job, 0) + 1

    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        job = data.draw(self._jobs_mostly_open())
        answer = self._do(VoidHold(self.at_us, job))
        if isinstance(answer, Entry):
            hold = self.book.holds[job]
            assert (hold.state, hold.charged, hold.overrun) == ("voided", 0, 0)
            self.closings[job] = self.closings.get(job, 0) + 1

    @rule(grant_id=grant_ids)
    def expire(self, grant_id: str) -> None:
        self._do(ExpireGrant(self.at_us, grant_id))

    @invariant()
    def the_books_balance(self) -> None:
        check(self.book)
        assert audit(self.entries, self.book.balances, self.book.grants.values(), self.book.holds.values()) == []
        folded = fold(self.entries)
        assert {key: value for key, value in folded.items() if value} == {
            key: value for key, value in self.book.balances.items() if value
        }

    @invariant()
    def nobody_but_funders_and_the_facility_is_in_debt(self) -> None:
        debtors = {account for (account, _), balance in self.book.balances.items() if balance < 0}
        assert debtors <= {"funder/city", "facility/overrun"}

    @invariant()
    def a_job_is_closed_at_most_once(self) -> None:
        assert all(times == 1 for times in self.closings.values())

    @invariant()
    def each_grant_is_accounted_for(self) -> None:
        shown = statement(self.book.grants.values(), self.book.balances, self.entries)
        for line in shown.lines:
            figures = line.figures
            assert figures.granted == figures.settled + figures.held + figures.available + figures.expired
        for asset in ASSETS:
            settled = settled_by_grant(self.entries).items()
            paid = sum(amount for grant_id, amount in settled if self.book.grants[grant_id].asset == asset)
            overrun = -self.book.balance("facility/overrun", asset)
            assert self.book.balance("facility/earned", asset) == paid + overrun

    def _do(self, command: Command) -> Entry | Refusal:
        before = self.book.copy()
        reasons = _reasons_against(before, command)
        lock = accounts_of(command, self.book)
        answer = decide(self.book, command)
        assert self.book == before, "decide changes nothing, a refusal leaves no trace"
        if isinstance(answer, Refusal):
            assert reasons[:1] == [answer.code]
            return answer
        assert reasons == []
        touched = {account for posting in answer.postings for account in (posting.source, posting.destination)}
        assert touched <= set(lock)
        apply(self.book, answer, grant=command.grant if isinstance(command, IssueGrant) else None)
        self.entries.append(answer)
        return answer

    def _check_burnt_in_order(self, before: Book, job: str) -> None:
        """A later grant is touched only when each usable one before it is used up."""
        hold = self.book.holds[job]
        wallet = [
            grant
            for grant in sorted(
                before.grants.values(), key=lambda g: (g.priority, g.valid_until_us, g.created_us, g.id)
            )
            if (grant.project_id, grant.asset) == (hold.project_id, hold.asset)
            and not grant.expired
            and grant.valid_from_us <= self.at_us < grant.valid_until_us
            and before.balance(f"grant/{grant.id}/available", grant.asset)
        ]
        used = [grant.id for grant in wallet[: len(hold.slices)]]
        assert [part.grant_id for part in hold.slices] == used
        for grant_id in used[:-1]:
            assert self.book.balance(f"grant/{grant_id}/available", hold.asset) == 0


class TestLedger(LedgerMachine.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
