"""The book under random commands, side by side with a naive one: after every step both say and hold the same.

QUBATOR_LEDGER_SEQUENCES=10000 pytest --timeout 0 plays so many sequences, not the few of an ordinary test run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ledger.book import Book
from ledger.commands import (
    ClawBack,
    Command,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IncreaseGrant,
    IssueGrant,
    PayOut,
    PlaceHold,
    SettleHold,
    TopUp,
    TransferGrant,
    VoidHold,
)
from ledger.core import apply, decide
from ledger.invariants import audit, check, fold
from ledger.model import WALLET, Entry, Grant, Hold, Line
from ledger.statement import settled_by_grant, statement
from ledger.terms import Budget, Claimant, Rule, Terms, cap_scope, pool_scope


def _reference() -> Any:
    """The blackboard stands beside this file and is no module of any package."""
    spec = spec_from_file_location("ledger_reference", Path(__file__).with_name("reference.py"))
    assert spec is not None and spec.loader is not None  # noqa: PT018 - both for the type checker
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


REFERENCE = _reference()
SEQUENCES = int(os.environ.get("QUBATOR_LEDGER_SEQUENCES", "100"))
STEPS = 40

JOBS = [f"j{number}" for number in range(40)]
GRANTS = [f"G{number}" for number in range(12)]
PROGRAMMES = ["seed", "green", "free"]  # the last never has terms
YEAR_ENDS_US = 60
PRICES = {"job": (5, 1), "qpu_ms": (3, 4), "shots": (2, 1)}  # resource -> unit price, quantum

# Mostly one project, so that its grants are used up and its holds split.
projects = st.sampled_from(["acme", "acme", "acme", "rival"])
assets = st.sampled_from(["CNY", "CNY", "qpu_ms", "shots"])
amounts, choices = st.integers(1, 120), st.integers(0, 99)
shares = st.sampled_from([1, 250_000, 333_333, 500_000, 600_000, 999_999, 1_000_000])
caps = st.sampled_from([None, None, None, 17, 60, 150])
grant_ids, jobs, programmes = st.sampled_from(GRANTS), st.sampled_from(JOBS), st.sampled_from(PROGRAMMES)
funders = st.sampled_from([(("city", 1),), (("city", 2), ("bank", 1)), (("bank", 1), ("city", 1), ("union", 3))])
who = st.builds(
    Claimant,
    member_id=st.sampled_from(["ann", "bob"]),
    category=st.sampled_from(["general", "chemistry"]),
    tags=st.sampled_from([(), ("vqe",)]),
    traits=st.sampled_from([(), ("rural",)]),
)
rules = st.builds(
    Rule,
    share_ppm=shares.filter(lambda share: share <= 600_000),
    up_to_ppm=shares,
    categories=st.sampled_from([(), ("chemistry",)]),
    uplift_ppm=st.sampled_from([0, 300_000]),
    uplift_traits=st.just(("rural",)),
    cap_per_job=caps,
) | st.builds(Rule, share_ppm=shares, cap_per_job=caps)


terms = st.builds(
    Terms,
    st.just("seed"),
    st.just(1),
    st.lists(rules, min_size=1, max_size=2).map(tuple),
    excluded=st.sampled_from([(), (), (), ("job",)]),
    claim_group=st.sampled_from(["", "", "vouchers"]),
    cap_project_year=caps,
    pool_year=caps,
) | st.builds(
    Terms,
    st.just("seed"),
    st.just(1),
    st.lists(rules, min_size=1, max_size=1).map(tuple),
    rollover_ppm=st.just(333_333),
    rollover_days=st.just(30),
)


def lines(most: int) -> st.SearchStrategy[tuple[Line, ...]]:
    """A job, and up to so many quanta of QPU time and of shots."""
    quantities = st.tuples(st.integers(0, 1), st.integers(0, most), st.integers(0, most))
    return quantities.map(
        lambda found: tuple(
            Line(resource, quantity, *price, "r")  # type: ignore[arg-type]
            for quantity, (resource, price) in zip(found, PRICES.items(), strict=True)
            if quantity
        )
    )


ASK = rule(job=jobs, project=projects, ceiling=lines(12), claimant=who, pin=st.sampled_from([False, False, True]))
SETTLE = rule(choice=choices, used=lines(14))
CORRECT = rule(choice=choices, other=lines(6), less=st.integers(0, 3))
SOME_OPEN = precondition(lambda self: any(hold.state == "open" for hold in self.book.holds.values()))
SOME_SETTLED = precondition(lambda self: any(hold.state == "settled" for hold in self.book.holds.values()))
LIMITS = st.sampled_from([0, 40, 100, 400, 999])
NAMES = list(Grant.__dataclass_fields__)[:10]
KEYS = st.sampled_from([("member", "ann"), ("member", "bob"), ("tag", "vqe")])


class LedgerMachine(RuleBasedStateMachine):
    """Random commands against the book and the blackboard; time moves forward."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book.empty()
        self.blackboard = REFERENCE.Reference()
        self.entries: list[Entry] = []
        self.posted: set[str] = set()
        self.last: Command | None = None
        self.at_us = self.number = 0

    @initialize(
        terms=st.lists(terms, min_size=2, max_size=2),
        wallet=st.integers(0, 300),
        sizes=st.lists(st.integers(5, 60), min_size=6, max_size=6),
    )
    def some_money_and_some_grants(self, terms: list[Terms], wallet: int, sizes: list[int]) -> None:
        for programme_id, found in zip(PROGRAMMES, terms, strict=False):
            self._put_terms(replace(found, programme_id=programme_id))
        for programme_id, asset in (("seed", "CNY"), ("seed", "qpu_ms"), ("green", "CNY"), ("green", "qpu_ms")):
            self._ask(FundProgramme(0, self._next(), programme_id, "city", asset, 200))
        if wallet:
            self._ask(TopUp(0, self._next(), "acme", "CNY", wallet))
        for number, (programme_id, asset, valid_until_us, priority) in enumerate(
            [
                ("seed", "CNY", 40, 1),
                ("seed", "CNY", 100, 0),
                ("seed", "qpu_ms", 90, 1),
                ("green", "CNY", 70, 1),
                ("green", "qpu_ms", 200, 1),
            ]
        ):
            subject = (f"G{number}", programme_id, (("city", 2), ("bank", 1)), "acme", asset, sizes[number])
            self._ask(IssueGrant(0, Grant(*subject, 0, valid_until_us, priority, 0)))

    @rule(pass_us=st.integers(1, 30))
    def wait(self, pass_us: int) -> None:
        self.at_us += pass_us

    @rule(
        subject=st.tuples(grant_ids, programmes, funders, projects, assets, amounts),
        from_us=st.integers(-5, 15),
        lasts_us=st.integers(1, 60),
        priority=st.integers(0, 1),
        resources=st.sampled_from([(), (), ("shots",), ("qpu_ms", "job")]),
        members=st.sampled_from([(), (), ("ann",)]),
    )
    def issue(
        self,
        subject: tuple[Any, ...],
        from_us: int,
        lasts_us: int,
        priority: int,
        resources: tuple[str, ...],
        members: tuple[str, ...],
    ) -> None:
        valid = (self.at_us + from_us, self.at_us + from_us + lasts_us)
        rest: dict[str, Any] = {"resources": resources, "members": members}
        named = dict(zip(NAMES, (*subject, *valid, priority, self.at_us), strict=True))
        grant = Grant(**named, **rest)
        self._ask(IssueGrant(self.at_us, grant))

    @rule(
        kind=st.integers(0, 5), one=st.integers(0, 99), two=st.integers(0, 99), amount=st.integers(1, 40), asset=assets
    )
    def meddle(self, kind: int, one: int, two: int, amount: int, asset: str) -> None:
        """What people at desks do with money."""
        at_us, entry_id = self.at_us, self._next()
        programme_id = PROGRAMMES[amount % 3]
        grant_id, other = self._some_grant(one), self._some_grant(two)
        commands: list[Command] = [
            FundProgramme(at_us, entry_id, programme_id, "city", asset, amount),
            IncreaseGrant(at_us, entry_id, grant_id, amount, "asked for"),
            TransferGrant(at_us, entry_id, grant_id, other, amount, ""),
            ClawBack(at_us, entry_id, grant_id, amount, "idle"),
            TopUp(at_us, entry_id, "acme", "CNY", 2 * amount),
            PayOut(at_us, entry_id, "acme", "CNY", amount),
        ]
        self._ask(commands[kind])

    @rule(choice=choices)
    def sweep(self, choice: int) -> None:
        """The sweeper expires what is due; one time in ten it is wrong."""
        due = [grant for grant in self.book.grants.values() if grant.valid_until_us <= self.at_us and not grant.expired]
        grant_id = due[choice % len(due)].id if due and choice % 10 != 9 else self._some_grant(choice)
        self._ask(ExpireGrant(self.at_us, grant_id))

    @rule(found=terms, programme_id=st.sampled_from(PROGRAMMES[:2]))
    def change_terms(self, found: Terms, programme_id: str) -> None:
        self.number += 1
        self._put_terms(replace(found, programme_id=programme_id, version=self.number))

    @rule(
        kind_and_key=st.sampled_from([("member", "ann"), ("member", "bob"), ("tag", "vqe")]),
        limit=st.sampled_from([0, 40, 100, 400, 999]),
    )
    def change_budget(self, kind_and_key: tuple[str, str], limit: int) -> None:
        budget = Budget("acme", *kind_and_key, limit)
        others = [one for one in self.blackboard.budgets if (one.kind, one.key) != kind_and_key]
        self.blackboard.budgets = [*others, budget]
        self.book.budgets["acme"] = tuple(self.blackboard.budgets)

    def _hold(self, job: str, project: str, ceiling: tuple[Line, ...], claimant: Claimant, pin: bool) -> None:
        """A quote may have pinned terms that are not in force: those of version 0, without a cap."""
        claimant = replace(claimant, year=2026 if self.at_us < YEAR_ENDS_US else 2027)
        pinned = (Terms("seed", 0, (Rule(500_000),)),) if pin else ()
        before = dict(self.book.claims)
        answer = self._ask(PlaceHold(self.at_us, job, project, "CNY", ceiling, claimant, pinned))
        if answer == "":
            self._no_limit_is_exceeded(self.book.holds[job], before, pinned)

    def _settle(self, choice: int, used: tuple[Line, ...]) -> None:
        self._ask(SettleHold(self.at_us, self._some_job(choice, "open"), used))

    def _correct(self, choice: int, other: tuple[Line, ...], less: int) -> None:
        """Mostly a little less of each line; now and then whatever comes up, which may be more."""
        job = self._some_job(choice, "settled")
        hold = self.book.holds.get(job)
        fewer = other
        if less and hold is not None:
            fewer = tuple(replace(line, quantity=max(0, line.quantity - less)) for line in hold.settled)
        self._ask(CorrectJob(self.at_us, self._next(), job, fewer, "metered twice"))

    # What matters most is asked most often.
    hold, hold_another, hold_a_third, hold_a_fourth = ASK(_hold), ASK(_hold), ASK(_hold), ASK(_hold)
    settle, settle_another = SOME_OPEN(SETTLE(_settle)), SOME_OPEN(SETTLE(_settle))
    correct, correct_another = SOME_SETTLED(CORRECT(_correct)), SOME_SETTLED(CORRECT(_correct))

    @rule(choice=choices)
    def void(self, choice: int) -> None:
        self._ask(VoidHold(self.at_us, self._some_job(choice, "open")))

    @precondition(lambda self: self.last is not None)
    @rule()
    def ask_the_same_again(self) -> None:
        """A request comes twice. What the book itself does not refuse has an id that is taken."""
        assert self.last is not None
        before = self.book.copy()
        answer = decide(self.book, self.last)
        assert not isinstance(answer, Entry) or answer.id in self.posted
        assert self.book == before

    def teardown(self) -> None:
        assert audit(self.entries, self.book) == []
        assert fold(self.entries) == self.book.balances
        shown = statement(self.book.grants.values(), self.book.balances, self.entries)
        settled = settled_by_grant(self.entries)
        assert all(line.figures.settled == settled.get(line.grant.id, 0) for line in shown.lines)

    def _next(self) -> str:
        self.number += 1
        return f"e{self.number}"

    def _some_grant(self, choice: int) -> str:
        known = GRANTS if choice % 10 == 9 else list(self.book.grants)
        return known[choice % len(known)]

    def _some_job(self, choice: int, state: str) -> str:
        """Mostly one in that state; one time in ten whichever."""
        known = [hold.job_id for hold in self.book.holds.values() if hold.state == state]
        known = JOBS if not known or choice % 10 == 9 else known
        return known[choice // 10 % len(known)]

    def _put_terms(self, terms: Terms) -> None:
        self.book.terms[terms.programme_id] = self.blackboard.terms[terms.programme_id] = terms

    def _ask(self, command: Command) -> str:
        """Ask both, and compare what they say and what they hold."""
        expected = self._on_the_blackboard(command)
        answer = decide(self.book, command)
        code = "" if isinstance(answer, Entry) else answer.code
        assert code == expected, answer
        if isinstance(answer, Entry):
            assert answer.id not in self.posted
            apply(self.book, answer)
            self.entries.append(answer)
            self.posted.add(answer.id)
            self.last = command
            self._compare()
            check(self.book)
        return code

    def _on_the_blackboard(self, command: Command) -> str:
        there = self.blackboard
        match command:
            case FundProgramme():
                return str(there.fund(command.programme_id, command.funder_id, command.asset, command.amount))
            case IssueGrant():
                return str(there.issue(command.grant))
            case IncreaseGrant():
                return str(there.increase(command.grant_id, command.amount))
            case TransferGrant():
                return str(there.transfer(command.grant_id, command.to_grant_id, command.amount))
            case ClawBack():
                return str(there.claw_back(command.grant_id, command.amount))
            case ExpireGrant():
                return str(there.expire(command.at_us, command.grant_id))
            case TopUp():
                return str(there.top_up(command.project_id, command.amount))
            case PayOut():
                return str(there.pay_out(command.project_id, command.amount))
            case _:
                return self._job_on_the_blackboard(command)

    def _job_on_the_blackboard(self, command: PlaceHold | SettleHold | VoidHold | CorrectJob) -> str:
        there = self.blackboard
        match command:
            case PlaceHold():
                subject = (command.at_us, command.job_id, command.project_id, command.lines)
                return str(there.hold(*subject, command.claimant, command.pinned))
            case SettleHold():
                return str(there.settle(command.job_id, command.lines))
            case VoidHold():
                return str(there.void(command.job_id))
            case CorrectJob():
                return str(there.correct(command.job_id, command.lines))

    def _compare(self) -> None:
        there = self.blackboard
        assert _standing(self.book.balances) == _standing(there.balances)
        assert _standing(self.book.claims) == _standing(there.claims)
        for grant_id, known in there.grants.items():
            grant = self.book.grants[grant_id]
            assert (grant.amount, grant.expired) == (known["amount"], known["over"])
        for job_id, job in there.jobs.items():
            hold = self.book.holds[job_id]
            assert (hold.state, hold.overrun) == (job.state, job.overrun)
            assert [part.amount for part in hold.slices] == [part.held for part in job.parts]
            assert [part.payer for part in hold.slices] == [part.payer for part in job.parts]
            if hold.state == "settled":
                assert list(hold.captured) == [part.paid for part in job.parts]
                assert hold.worth_of(hold.captured) + hold.overrun == hold.charged

    def _no_limit_is_exceeded(self, hold: Hold, before: Mapping[str, int], pinned: tuple[Terms, ...]) -> None:
        """Whatever the terms, a cap that was kept before the hold is kept after it; a budget likewise."""
        in_force = self.book.terms | {terms.programme_id: terms for terms in pinned}
        year = 2026 if self.at_us < YEAR_ENDS_US else 2027
        for programme_id, terms in in_force.items():
            for limit, scope in (
                (terms.cap_project_year, cap_scope(programme_id, hold.project_id, year)),
                (terms.pool_year, pool_scope(programme_id, year)),
            ):
                if limit is not None:
                    assert self.book.claims.get(scope, 0) <= max(limit, before.get(scope, 0))
        for budget in self.book.budgets.get(hold.project_id, ()):
            scope = budget.scope(year)
            assert self.book.claims.get(scope, 0) <= max(budget.limit, before.get(scope, 0))
        groups = {
            in_force[self.book.grants[part.payer].programme_id].claim_group: self.book.grants[part.payer].programme_id
            for part in hold.slices
            if part.payer != WALLET and self.book.grants[part.payer].programme_id in in_force
        }
        for part in hold.slices:
            programme_id = self.book.grants[part.payer].programme_id if part.payer != WALLET else ""
            group = in_force[programme_id].claim_group if programme_id in in_force else ""
            assert not group or groups[group] == programme_id, "a use was claimed twice"


def _standing(figures: Mapping[Any, int]) -> dict[Any, int]:
    return {name: amount for name, amount in figures.items() if amount}


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=SEQUENCES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
