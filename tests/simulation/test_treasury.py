"""The ledger's part of the shell, and the laws it is held to."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.commands import SettleHold, VoidHold
from ledger.model import CNY, Grant
from ledger.price import quote
from scheduler.decisions import FinishJob
from scheduler.events import TaskSpec
from simulation.laws import BrokenLaw
from simulation.treasury import Treasury
from simulation.workload import RATE, Submission

SPEC = TaskSpec("a/0", ("aer",), 100_000, 200_000)


def grant(grant_id: str, amount: int, until_us: int = 1_000, priority: int = 0) -> Grant:
    return Grant(grant_id, "programme", "funder", "p", CNY, amount, 0, until_us, priority, 0)


def submission(job_id: str = "a", project_id: str = "p") -> Submission:
    return Submission(0, None, job_id, project_id, 0, SPEC, 1_000, quote(RATE, 100, 200, 1_000), 100_000, "none", ())


def finish(outcome: Any, kind: Any = None, used_us: int = 0, job_id: str = "a") -> FinishJob:
    return FinishJob(job_id, outcome, f"{job_id}/0.1", kind, "", used_us)


HOLD = 1_000 + 200 * 20 + 500  # per job, 200 ms of QPU time, 1,000 shots


def test_a_job_that_succeeds_pays_what_it_used_and_gets_the_rest_back() -> None:
    treasury = Treasury((grant("g", 10_000),), 0)
    assert treasury.admit(1, submission())
    assert treasury.book.balance("grant/g/held", CNY) == HOLD
    treasury.close(2, finish("succeeded", used_us=100_000), submission())
    assert treasury.book.balance("grant/g/available", CNY) == 10_000 - (1_000 + 100 * 20 + 500)
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
        (finish("succeeded", used_us=1), SettleHold(5, "a", 1_000 + 20 + 500)),
        (finish("failed", "user", 1_001), SettleHold(5, "a", 1_000 + 40)),
        (finish("failed", "timeout", 1_000), SettleHold(5, "a", 1_000 + 20)),
        (finish("cancelled", None, 1_000), SettleHold(5, "a", 1_000 + 20)),
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
    treasury.book.balances[("facility/earned", CNY)] = 5
    with pytest.raises(BrokenLaw, match="audit:"):
        treasury.check_at_the_end()
