"""The ledger's part of the shell, and the laws it is held to."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.commands import SettleHold, VoidHold
from ledger.model import CNY, Grant
from ledger.price import Usage, charge, quote
from ledger.terms import Budget, Claimant, Rule, Terms
from scheduler.decisions import FinishJob
from scheduler.events import TaskSpec
from simulation.laws import BrokenLaw
from simulation.treasury import Treasury
from simulation.workload import RATES, YEAR, Submission

SPEC = TaskSpec("a/0", ("aer",), 100_000, 200_000)


def grant(grant_id: str, amount: int, until_us: int = 1_000, priority: int = 0) -> Grant:
    return Grant(grant_id, "programme", (("funder", 1),), "p", CNY, amount, 0, until_us, priority, 0)


def submission(job_id: str = "a", project_id: str = "p", credit_percent: int = 0) -> Submission:
    quoted = quote(RATES, Usage(100, 1_000), Usage(200, 1_000))
    who = Claimant(member_id="ann", year=YEAR)
    subject = (0, None, job_id, project_id, 0, SPEC, 1_000, quoted, 100_000)
    return Submission(*subject, "none", (), who, credit_percent)


def settle(qpu_ms: int, shots: int = 0) -> SettleHold:
    return SettleHold(5, "a", charge(RATES, Usage(qpu_ms, shots)).lines)


def finish(outcome: Any, kind: Any = None, used_us: int = 0, job_id: str = "a") -> FinishJob:
    return FinishJob(job_id, outcome, f"{job_id}/0.1", kind, "", used_us)


HOLD = 1_000 + 20 * 200 + 500  # per job, 20 quanta of 10 ms of QPU time, 1,000 shots


def test_a_job_that_succeeds_pays_what_it_used_and_gets_the_rest_back() -> None:
    treasury = Treasury((grant("g", 10_000),), 0)
    assert treasury.admit(1, submission())
    assert treasury.book.balance("grant/g/held", CNY) == HOLD
    treasury.close(2, finish("succeeded", used_us=100_000), submission())
    assert treasury.book.balance("grant/g/available", CNY) == 10_000 - (1_000 + 10 * 200 + 500)
    treasury.check_at_the_end()


def test_the_same_request_again_finds_its_job() -> None:
    treasury = Treasury((grant("g", 10_000),), 0)
    assert treasury.admit(1, submission())
    assert not treasury.admit(2, submission())
    assert treasury.refused == {"hold_exists": 1}


def test_a_grant_that_is_not_enough_refuses() -> None:
    treasury = Treasury((grant("g", HOLD - 1),), 0)
    assert not treasury.admit(1, submission())
    assert treasury.refused == {"grant_exhausted": 1}
    treasury.check_at_the_end()


@pytest.mark.parametrize(
    ("ending", "command"),
    [
        (finish("succeeded", used_us=1), settle(1, 1_000)),
        (finish("failed", "user", 1_001), settle(2)),
        (finish("failed", "timeout", 1_000), settle(1)),
        (finish("cancelled", None, 1_000), settle(1)),
        (finish("cancelled"), VoidHold(5, "a")),
        (finish("failed", "fault", 9_000), VoidHold(5, "a")),
        (finish("failed", "lost"), VoidHold(5, "a")),
        (finish("failed", "crash", 9_000), VoidHold(5, "a")),
    ],
)
def test_who_pays_for_what(ending: FinishJob, command: Any) -> None:
    assert Treasury((grant("g", 10_000),), 0).closing(5, ending, submission()) == command


def test_closing_again_makes_no_difference() -> None:
    treasury = Treasury((grant("g", 10_000),), 0)
    treasury.admit(1, submission())
    treasury.close(2, finish("succeeded", used_us=1), submission())
    treasury.close_again(3, finish("succeeded", used_us=1), submission())
    treasury.check_at_the_end()


def test_what_comes_back_to_an_expired_grant_stays_expired() -> None:
    treasury = Treasury((grant("g", 10_000),), 0)
    treasury.admit(1, submission())
    treasury.expire(1_000, "g")
    treasury.close(1_001, finish("failed", "lost"), submission())
    assert treasury.book.balance("grant/g/expired", CNY) == 10_000
    treasury.check_at_the_end()


def test_a_hold_nobody_closed_is_found_at_the_end() -> None:
    treasury = Treasury((grant("g", 10_000),), 0)
    treasury.admit(1, submission())
    with pytest.raises(BrokenLaw, match="are still held on grant/g/held"):
        treasury.check_at_the_end()


def test_balances_that_no_entry_explains_are_found_at_the_end() -> None:
    treasury = Treasury((grant("g", 10_000),), 0)
    treasury.book.balances[("grant/g/available", CNY)] -= 5
    treasury.book.balances[("facility/earned/funder/funder", CNY)] = 5
    with pytest.raises(BrokenLaw, match="audit:"):
        treasury.check_at_the_end()


def test_a_voucher_pays_its_share_and_the_wallet_the_rest() -> None:
    """A quarter of 1,000 + 4,000 + 500; in the end of 1,000 + 2,000 + 500, of which the half is credited."""
    terms = (Terms("programme", 1, (Rule(250_000),), cap_project_year=HOLD),)
    treasury = Treasury((grant("g", 10_000),), 0, terms, top_ups=(("p", 10_000),))
    assert treasury.admit(1, submission(credit_percent=50))
    assert treasury.book.balance("grant/g/held", CNY) == HOLD // 4
    treasury.close(2, finish("succeeded", used_us=100_000), submission(credit_percent=50))
    assert treasury.book.holds["a"].charged == 5 * 200, "half a job and half a quantum of shots are none"
    assert treasury.book.balance("grant/g/available", CNY) == 10_000 - 250
    assert treasury.book.balance("wallet/p/available", CNY) == 10_000 - 750
    treasury.check_at_the_end()


def test_a_member_without_a_budget_left_is_refused() -> None:
    treasury = Treasury((grant("g", 100_000),), 0, budgets=(Budget("p", "member", "ann", 2 * HOLD - 1),))
    assert treasury.admit(1, submission())
    assert not treasury.admit(1, submission("b"))
    assert treasury.refused == {"budget_exhausted": 1}
    treasury.close(2, finish("failed", "lost"), submission())
    assert treasury.admit(3, submission("b"))
