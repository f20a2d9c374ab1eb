"""The simulator's own rules of who pays what object to what the ledger itself would believe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.commands import PlaceHold
from ledger.model import CNY, Grant, Hold
from ledger.price import Usage, charge, quote
from ledger.terms import Budget, Claimant, Rule, Terms
from scheduler.decisions import FinishJob
from scheduler.events import TaskSpec
from simulation.laws import BrokenLaw
from simulation.treasury import Treasury
from simulation.workload import RATES, YEAR, Submission

ANN = Claimant(member_id="ann", year=YEAR)
TERMS = (
    Terms("voucher", 1, (Rule(500_000, cap_per_job=2_500),), cap_project_year=4_000, pool_year=5_000),
    Terms("kind", 1, (Rule(250_000),)),
)
USED = charge(RATES, Usage(100, 1_000)).lines  # 1,000 + 10 × 200 + 500
HELD = charge(RATES, Usage(200, 1_000)).lines  # 1,000 + 20 × 200 + 500


@pytest.fixture
def treasury() -> Treasury:
    """Kind pays 5 of 20 quanta; the voucher half of 1,000 + 3,000 + 500, which is 2,250; plain has 300 to give."""
    grants = (
        Grant("k", "kind", (("lab", 1),), "p", "qpu_ms", 1_000, 0, 1_000, 0, 0),
        Grant("v", "voucher", (("funder", 2), ("city", 1)), "p", CNY, 10_000, 0, 1_000, 0, 0),
        Grant("g", "programme", (("funder", 1),), "p", CNY, 300, 0, 1_000, 1, 0),
    )
    budgets = (Budget("p", "member", "ann", 9_000),)
    return Treasury(grants, 0, TERMS, budgets, (("p", 10_000),))


def submission(job_id: str = "a", credit_percent: int = 0) -> Submission:
    quoted = quote(RATES, Usage(100, 1_000), Usage(200, 1_000))
    subject = (0, None, job_id, "p", 0, TaskSpec(f"{job_id}/0", ("aer",), 1, 1), 1_000, quoted, 1)
    return Submission(*subject, "none", (), ANN, credit_percent)


def command(job_id: str = "a") -> PlaceHold:
    return PlaceHold(1, job_id, "p", CNY, HELD, ANN)


def paid_by(hold: Hold) -> dict[str, int]:
    return {payer: sum(part.amount for part in hold.slices if part.payer == payer) for payer in "kvg"}


def test_a_life_with_every_kind_of_payer_passes(treasury: Treasury) -> None:
    assert treasury.admit(1, submission(credit_percent=50))
    assert paid_by(treasury.book.holds["a"]) == {"k": 50, "v": 2_250, "g": 300}
    treasury.close(2, FinishJob("a", "succeeded", "a/0.1", None, "", 100_000), submission(credit_percent=50))
    assert treasury.book.holds["a"].charged == 1_000
    treasury.check_at_the_end()


def test_a_budget_is_added_up_from_the_holds(treasury: Treasury) -> None:
    assert not treasury.payments.over_budget(command())
    treasury.admit(1, submission())
    assert treasury.payments.over_budget(command("b"))


def _change(**changes: Any) -> Callable[[Hold], Hold]:
    return lambda hold: replace(hold, **changes)


def _slice(number: int, **changes: Any) -> Callable[[Hold], Hold]:
    def change(hold: Hold) -> Hold:
        slices = list(hold.slices)
        slices[number] = replace(slices[number], **changes)
        return replace(hold, slices=tuple(slices))

    return change


def _turned(hold: Hold) -> Hold:
    return replace(hold, slices=hold.slices[::-1])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_change(lines=HELD[1:]), "asked for"),
        (_slice(0, amount=60), "job a holds 4200 for"),
        (_turned, "pays before its grants"),
        (_slice(4, payer="x"), "'x'"),
    ],
)
def test_a_hold_that_is_not_what_was_asked_for(
    treasury: Treasury, change: Callable[[Hold], Hold], sentence: str
) -> None:
    treasury.admit(1, submission())
    payments = type(treasury.payments)(treasury.book, TERMS, ())
    treasury.book.holds["a"] = change(treasury.book.holds["a"])
    with pytest.raises((BrokenLaw, KeyError), match=sentence):
        payments.held(command())


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ((replace(TERMS[0], rules=(Rule(400_000),)), TERMS[1]), "programme voucher pays 500 of"),
        ((TERMS[0], replace(TERMS[1], rules=(Rule(200_000),))), "programme kind pays 1000 of"),
        ((replace(TERMS[0], cap_project_year=2_249), TERMS[1]), "the cap 2249 of voucher is passed by 2250"),
        ((replace(TERMS[0], pool_year=2_249), TERMS[1]), "the pool 2249 of voucher is passed by 2250"),
        ((replace(TERMS[0], rules=(Rule(500_000, cap_per_job=2_249),)), TERMS[1]), "capped at 2249"),
        (tuple(replace(one, claim_group="once") for one in TERMS), "is claimed by two of once"),
    ],
)
def test_a_hold_beyond_what_the_terms_allow(treasury: Treasury, terms: tuple[Terms, ...], sentence: str) -> None:
    treasury.admit(1, submission())
    with pytest.raises(BrokenLaw, match=sentence):
        type(treasury.payments)(treasury.book, terms, ()).held(command())


def test_a_book_that_counts_otherwise(treasury: Treasury) -> None:
    treasury.admit(1, submission())
    treasury.book.claims[f"pool/voucher/{YEAR}"] += 7
    with pytest.raises(BrokenLaw, match="the book counts 2257 on pool/voucher/1970 and not 2250"):
        type(treasury.payments)(treasury.book, TERMS, ()).held(command())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"overrun": 1}, "has an overrun of 1 and not 0"),
        ({"captured": (0,) * 9}, "paid 0 for job and not 1000"),
    ],
)
def test_a_settlement_that_does_not_add_up(treasury: Treasury, changes: dict[str, Any], sentence: str) -> None:
    treasury.admit(1, submission())
    hold = treasury.book.holds["a"]
    changes = changes if "captured" not in changes else {"captured": (0,) * len(hold.slices)}
    treasury.close(2, FinishJob("a", "succeeded", "a/0.1", None, "", 100_000), submission())
    payments = type(treasury.payments)(treasury.book, TERMS, ())
    payments.claimants["a"] = ANN
    treasury.book.holds["a"] = replace(treasury.book.holds["a"], **changes)
    with pytest.raises(BrokenLaw, match=sentence):
        payments.closed("a", USED)


def test_a_correction_that_gives_back_to_somebody_else(treasury: Treasury) -> None:
    treasury.admit(1, submission())
    treasury.close(2, FinishJob("a", "succeeded", "a/0.1", None, "", 100_000), submission())
    before = treasury.payments.before_correction("a")
    treasury.book.balances["grant/v/available", CNY] += 5
    with pytest.raises(BrokenLaw, match="the correction of a leaves 10005 on grant/v/available"):
        treasury.payments.corrected("a", USED, before)


def test_a_funder_that_paid_for_another_is_found_at_the_end(treasury: Treasury) -> None:
    treasury.admit(1, submission())
    treasury.close(2, FinishJob("a", "succeeded", "a/0.1", None, "", 100_000), submission())
    treasury.book.balances["facility/earned/funder/city", CNY] -= 5
    with pytest.raises(BrokenLaw, match="facility/earned/funder/city stands at"):
        treasury.payments.check_at_the_end()
