"""What jobs were charged in a month, who bore it, and what corrections gave back."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.charges import FACILITY, Charged, Credit, History, charged, corrections
from ledger.flows import JobFacts
from ledger.hold_text import Backing, Capture, backing_text
from ledger.model import BrokenInvariant, Grant, Line, Slice
from ledger.periods import AsOf


@pytest.fixture(scope="module")
def story(bookstory: Any) -> Any:
    return bookstory.Story.autumn()


def histories(story: Any, after: AsOf, until: AsOf) -> list[History]:
    """As a store would tell them."""
    found = []
    for job_id, facts in story.facts.items():
        hold = story.book.holds[job_id]
        backing = backing_text(Backing(hold.asset, hold.lines, hold.slices, hold.cuts))
        own = [
            (seq, entry)
            for seq, entry in enumerate(story.entries, 1)
            if entry.job_id == job_id and entry.kind in ("settle", "correct") and until.covers(seq, entry.at_us)
        ]
        inside = frozenset(entry.id for seq, entry in own if not after.covers(seq, entry.at_us))
        if inside:
            found.append(History(facts, backing, tuple(entry for _, entry in own), inside))
    return found


@pytest.fixture(scope="module")
def november(story: Any, bookstory: Any) -> list[History]:
    """October was closed before c was settled."""
    after = AsOf(bookstory.OCTOBER.until_us(bookstory.ZONE), story.seq("hold/c"))
    return histories(story, after, AsOf(bookstory.NOVEMBER.until_us(bookstory.ZONE)))


def by_job(found: list[Charged]) -> dict[str, Charged]:
    return {charge.job.job_id: charge for charge in found}


def test_each_job_of_november_with_its_price_and_its_copay(story: Any, november: list[History]) -> None:
    found = by_job(list(charged(november)))
    figures = {job_id: (charge.price, charge.copay(story.book.grants)) for job_id, charge in found.items()}
    assert figures == {
        "a": (-25_000, -10_000),
        "b": (101_000, 40_400),
        "c": (6_000, 2_400),
        "z": (21_000, 400),
        "d": (251_000, 80_400),
    }
    assert [job_id for job_id, charge in found.items() if charge.is_correction] == ["a"]
    assert found["b"].entries == ("settle/b", "correct/fix-b")


def test_every_funder_bears_its_share_to_the_unit(story: Any, november: list[History]) -> None:
    found = by_job(list(charged(november)))
    rule = "vouchers@1#1"
    assert found["d"].credits(story.book.grants) == [
        Credit("city", "g-acme", "vouchers", rule, 80_400),
        Credit("district", "g-acme", "vouchers", rule, 40_200),
        Credit(FACILITY, "", "", "", 50_000),
    ]
    assert found["a"].credits(story.book.grants) == [
        Credit("city", "g-acme", "vouchers", rule, -10_000),
        Credit("district", "g-acme", "vouchers", rule, -5_000),
    ]
    assert found["z"].credits(story.book.grants) == [
        Credit("uni", "g-kind", "kind", "", 20_000),
        Credit("city", "g-zeta", "vouchers", rule, 400),
        Credit("district", "g-zeta", "vouchers", rule, 200),
    ]


def test_credits_in_money_are_what_the_postings_say(story: Any, november: list[History]) -> None:
    postings: dict[tuple[str, str], int] = {}
    for entry in story.entries:
        for posting in entry.postings:
            for account, sign in ((posting.destination, 1), (posting.source, -1)):
                if account.startswith("facility/earned/funder/") and posting.asset == "CNY":
                    key = (entry.job_id, account.removeprefix("facility/earned/funder/"))
                    postings[key] = postings.get(key, 0) + sign * posting.amount
    whole = list(charged(histories(story, AsOf(0), AsOf(10**18))))
    credits = {
        (charge.job.job_id, credit.funder_id): credit.amount
        for charge in whole
        for credit in charge.credits(story.book.grants)
        if credit.funder_id in ("city", "district")
    }
    assert credits == postings
    assert len(credits) == 10


def test_each_correction_by_itself(story: Any, november: list[History]) -> None:
    found = [
        (charge.entries[0], charge.price, charge.copay(story.book.grants), charge.after.reason, earlier)
        for charge, earlier in corrections(november)
    ]
    assert found == [
        ("correct/fix-a", -25_000, -10_000, "the meter ran on", True),
        ("correct/fix-b", -50_000, -20_000, "slow cooling", False),
    ]


def test_a_line_that_a_correction_removes_comes_back_whole() -> None:
    line, other = Line("qpu_ms", 10, 5), Line("shots", 4, 1)
    backing = Backing("CNY", (line, other), (Slice("wallet", "qpu_ms", 50, "CNY", 50),), ())
    charge = Charged(
        JobFacts("1", "acme"), backing, Capture((line, other), (54,), 0), Capture((line,), (50,), 0), ("correct/1",), 9
    )
    assert charge.quantities() == [(other, -4)]
    assert charge.price == charge.copay({}) == -4


def test_shares_that_do_not_divide_are_split_like_the_postings() -> None:
    grant = Grant("g", "p", (("f", 1), ("h", 1)), "acme", "CNY", 100, 0, 9, 0, 0)
    line = Line("qpu_ms", 3, 1)
    backing = Backing("CNY", (line,), (Slice("g", "qpu_ms", 3, "CNY", 3),), ())
    charge = Charged(JobFacts("1", "acme"), backing, None, Capture((line,), (3,), 0), ("settle/1",), 9)
    assert [(credit.funder_id, credit.amount) for credit in charge.credits({"g": grant})] == [("f", 2), ("h", 1)]


def test_an_entry_after_those_of_its_period_is_a_bug(november: list[History]) -> None:
    b = next(history for history in november if history.job.job_id == "b")
    wrong = History(b.job, b.backing, b.entries, frozenset({"settle/b"}))
    with pytest.raises(BrokenInvariant, match="fix-b"):
        list(charged([wrong]))
