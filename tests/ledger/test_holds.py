"""The life of a hold: placed, settled or voided, and corrected afterwards; what each limit counts on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.commands import CorrectJob, PlaceHold, SettleHold
from ledger.core import apply, decide
from ledger.invariants import audit
from ledger.model import BrokenInvariant, Claim, Entry, Hold, Line, Posting, Refusal, Slice
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py

ANN = Claimant(member_id="ann", tags=("vqe",), year=2026)
CITY = "facility/earned/funder/city"


def test_a_job_is_admitted_settled_and_the_rest_comes_back(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    held = ledger.hold("j1", 100, at_us=10)
    assert held.postings == (Posting("grant/G/available", "grant/G/held", 100, "CNY"),)
    assert (held.id, held.kind, held.at_us, held.project_id, held.job_id) == ("hold/j1", "hold", 10, "acme", "j1")
    assert ledger.of_grant("G") == (200, 100, 0)
    line = ledger.qpu(100)
    hold = Hold("j1", "acme", "CNY", (line,), (Slice("G", "qpu_ms", 100, "CNY", 100),), "open", 10)
    assert ledger.book.holds["j1"] == hold

    settled = ledger.settle("j1", 40, at_us=20)
    assert settled.postings == (
        Posting("grant/G/held", CITY, 40, "CNY"),
        Posting("grant/G/held", "grant/G/available", 60, "CNY"),
    )
    assert (settled.id, settled.kind, settled.at_us) == ("settle/j1", "settle", 20)
    assert (ledger.of_grant("G"), ledger.on(CITY)) == ((260, 0, 0), 40)
    assert ledger.book.holds["j1"] == replace(hold, state="settled", settled=(ledger.qpu(40),), captured=(40,))


def test_a_voided_hold_gives_everything_back(ledger: Ledger) -> None:
    ledger.terms(share_ppm=600_000)
    ledger.grant("G", 300)
    ledger.top_up(40)
    ledger.budget("member", "ann", 500)
    ledger.hold("j1", 100, claimant=ANN)
    assert (ledger.of_grant("G"), ledger.of_wallet()) == ((240, 60, 0), (0, 40))
    assert ledger.claimed() == {"cap/seed/2026/acme": 60, "pool/seed/2026": 60, "budget/acme/2026/member/ann": 100}
    voided = ledger.void("j1", at_us=21)
    assert voided.postings == (
        Posting("grant/G/held", "grant/G/available", 60, "CNY"),
        Posting("wallet/acme/held", "wallet/acme/available", 40, "CNY"),
    )
    assert (ledger.of_grant("G"), ledger.of_wallet(), ledger.claimed()) == ((300, 0, 0), (40, 0), {})
    assert ledger.book.holds["j1"].state == "voided"
    assert audit(ledger.entries, ledger.book) == []


def test_a_use_of_nothing_settles_and_only_releases(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    assert ledger.settle("j1").postings == (Posting("grant/G/held", "grant/G/available", 100, "CNY"),)
    assert (ledger.book.holds["j1"].state, ledger.book.holds["j1"].charged) == ("settled", 0)


def test_the_facility_absorbs_what_exceeds_the_hold(ledger: Ledger) -> None:
    """30 ms more than held, and 7 shots of which nothing was held."""
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    assert ledger.settle("j1", ledger.qpu(130), ledger.shots(7, 2)).postings == (
        Posting("grant/G/held", CITY, 100, "CNY"),
        Posting("facility/overrun", "facility/earned/overrun", 44, "CNY"),
    )
    assert ledger.of_grant("G") == (200, 0, 0), "the grant pays no more than was held"
    assert (ledger.book.holds["j1"].charged, ledger.book.holds["j1"].overrun) == (144, 44)


def test_a_free_job_is_held_and_settled_without_a_posting(ledger: Ledger) -> None:
    assert ledger.hold("j1").postings == ledger.settle("j1").postings == ()
    assert audit(ledger.entries, ledger.book) == []


def test_a_hold_pins_its_slices_past_the_expiry(ledger: Ledger) -> None:
    ledger.grant("G", 300, valid=(0, 1000))
    ledger.hold("j1", 100, at_us=999)
    ledger.expire("G", at_us=1000)
    assert ledger.settle("j1", 70, at_us=1500).postings == (
        Posting("grant/G/held", CITY, 70, "CNY"),
        Posting("grant/G/held", "grant/G/expired", 30, "CNY"),
    )
    assert ledger.of_grant("G") == (0, 0, 230)


def test_a_void_after_the_expiry_gives_nothing_usable_back(ledger: Ledger) -> None:
    ledger.grant("A", 30, priority=1, valid=(0, 1000))
    ledger.grant("B", 100, priority=2, valid=(0, 2000))
    ledger.hold("j1", 100)
    ledger.expire("A")
    assert ledger.void("j1", at_us=1500).postings == (
        Posting("grant/A/held", "grant/A/expired", 30, "CNY"),
        Posting("grant/B/held", "grant/B/available", 70, "CNY"),
    )


def test_a_hold_is_closed_once(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    assert ledger.settle("j1", 5) == Refusal("hold_unknown", "job j1 has no hold", (("job_id", "j1"),))
    assert ledger.void("j1").code == "hold_unknown"
    ledger.hold("j1", 10)
    ledger.hold("j2", 10)
    ledger.settle("j1", 5)
    ledger.void("j2")
    settled, voided = (("job_id", "j1"), ("state", "settled")), (("job_id", "j2"), ("state", "voided"))
    assert ledger.settle("j1", 5) == Refusal(
        "hold_closed", "the hold of job j1 is closed: it has been settled", settled
    )
    assert ledger.void("j1").code == "hold_closed"
    assert ledger.settle("j2", 0) == Refusal("hold_closed", "the hold of job j2 is closed: it has been voided", voided)
    assert ledger.void("j2").code == "hold_closed"
    assert ledger.hold("j1", 10).code == "hold_exists"


def test_funders_share_by_weight_and_the_remainder_is_the_firsts(ledger: Ledger) -> None:
    """100 among 1 : 1 : 1 is 34, 33, 33."""
    ledger.grant("G", 300, funders=(("city", 1), ("bank", 1), ("union", 1)))
    ledger.hold("j1", 100)
    assert ledger.settle("j1", 100).postings == (
        Posting("grant/G/held", CITY, 34, "CNY"),
        Posting("grant/G/held", "facility/earned/funder/bank", 33, "CNY"),
        Posting("grant/G/held", "facility/earned/funder/union", 33, "CNY"),
    )


def test_everybody_together_pays_the_list_price(ledger: Ledger) -> None:
    """Of 1,000 ms at 3: 200 ms in kind (worth 600), then 2,400 in money: half of it by two funders, half by the wallet.

    800 ms are used and 100 shots of which none were held: 160 ms in kind are what the share of 20 % allows, worth 480.
    Of the other 1,920 the grant pays 960 (city 720, bank 240), the wallet 960. The facility absorbs the 100 shots.
    """
    ledger.terms("kind", 200_000)
    ledger.grant("K", 5_000, programme="kind", asset="qpu_ms")
    ledger.terms("seed", 500_000)
    ledger.grant("G", 5_000, funders=(("city", 3), ("bank", 1)))
    ledger.top_up(5_000)
    ledger.hold("j1", ledger.qpu(1_000, 3), claimant=ANN)
    assert ledger.claimed() == {
        "cap/kind/2026/acme": 200,
        "pool/kind/2026": 200,
        "cap/seed/2026/acme": 1_200,
        "pool/seed/2026": 1_200,
    }
    ledger.settle("j1", ledger.qpu(800, 3), ledger.shots(100))
    assert ledger.paid("j1") == {"K": 160, "G": 960, "wallet": 960}
    assert (ledger.on(CITY), ledger.on("facility/earned/funder/bank")) == (720, 240)
    assert ledger.on(CITY, "qpu_ms") == 160
    assert (ledger.on("facility/earned/copay"), ledger.on("facility/earned/overrun")) == (960, 100)
    assert 720 + 240 + 160 * 3 + 960 + 100 == 800 * 3 + 100 == ledger.book.holds["j1"].charged
    assert ledger.claimed()["cap/kind/2026/acme"] == ledger.claimed()["pool/kind/2026"] == 160
    assert ledger.claimed()["cap/seed/2026/acme"] == ledger.claimed()["pool/seed/2026"] == 960
    assert audit(ledger.entries, ledger.book) == []


def test_a_budget_counts_the_ceiling_and_keeps_what_was_paid(ledger: Ledger) -> None:
    ledger.grant("G", 1_000)
    ledger.budget("member", "ann", 150)
    ledger.budget("tag", "vqe", 120)
    ledger.budget("tag", "qaoa", 1)
    ledger.hold("j1", 100, claimant=ANN)
    refusal = ledger.hold("j2", 30, claimant=ANN)
    assert (refusal.code, dict(refusal.fields)["tag"]) == ("budget_exhausted", "vqe")
    assert ledger.hold("j2", 51, claimant=replace(ANN, tags=())).fields[3] == ("member", "ann")
    ledger.settle("j1", 140)
    assert ledger.claimed() == {"budget/acme/2026/member/ann": 100, "budget/acme/2026/tag/vqe": 100}, "no overrun"
    ledger.correct("j1", 60)
    assert ledger.claimed() == {"budget/acme/2026/member/ann": 60, "budget/acme/2026/tag/vqe": 60}
    assert isinstance(ledger.hold("j3", 60, claimant=ANN), Entry), "to the last unit"
    assert isinstance(ledger.hold("j4", 120, claimant=replace(ANN, year=2027)), Entry), "the next year begins anew"


def test_a_correction_gives_back_to_those_who_paid(ledger: Ledger) -> None:
    """A line of 100 paid 60 : 40 becomes one of 50, 30 : 20; and of the overrun of 20 nothing is left."""
    ledger.terms(share_ppm=600_000)
    ledger.grant("G", 300)
    ledger.top_up(100)
    ledger.hold("j1", 100, claimant=ANN)
    ledger.settle("j1", 120)
    entry = ledger.post(CorrectJob(30, "c1", "j1", (ledger.qpu(50),), "metered twice"))
    assert (entry.id, entry.kind, entry.job_id) == ("correct/c1", "correct", "j1")
    assert entry.postings == (
        Posting(CITY, "grant/G/available", 30, "CNY"),
        Posting("facility/earned/copay", "wallet/acme/available", 20, "CNY"),
        Posting("facility/earned/overrun", "facility/overrun", 20, "CNY"),
    )
    assert entry.claims == (Claim("cap/seed/2026/acme", -30), Claim("pool/seed/2026", -30))
    hold = ledger.book.holds["j1"]
    assert (hold.captured, hold.overrun, hold.charged, hold.state) == ((30, 20), 0, 50, "settled")
    assert (ledger.of_grant("G"), ledger.of_wallet()) == ((270, 0, 0), (80, 0))
    assert audit(ledger.entries, ledger.book) == []


def test_a_correction_after_the_expiry_is_breakage(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    ledger.settle("j1", 100)
    ledger.expire("G")
    assert ledger.correct("j1", 40, at_us=2000).postings == (Posting(CITY, "grant/G/expired", 60, "CNY"),)


def test_corrections_go_on_until_nothing_is_left(ledger: Ledger) -> None:
    """Three funders: 100 is 34, 33, 33; 98 is 34, 32, 32; 97 is 33, 32, 32."""
    ledger.grant("G", 300, funders=(("city", 1), ("bank", 1), ("union", 1)))
    ledger.hold("j1", 100)
    ledger.settle("j1", 100)
    for used, shares in ((98, (34, 32, 32)), (97, (33, 32, 32)), (0, (0, 0, 0))):
        ledger.correct("j1", used)
        assert tuple(ledger.on(f"facility/earned/funder/{name}") for name in ("city", "bank", "union")) == shares
    assert ledger.of_grant("G") == (300, 0, 0)
    assert audit(ledger.entries, ledger.book) == []


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(Line("qpu_ms", 41, 1, 1, "r-qpu"), id="more"),
        pytest.param(Line("qpu_ms", 40, 2, 1, "r-qpu"), id="dearer"),
        pytest.param(Line("qpu_ms", 40, 0, 1, "r-qpu"), id="cheaper"),
        pytest.param(Line("qpu_ms", 4, 1, 10, "r-qpu"), id="in other quanta"),
        pytest.param(Line("qpu_ms", 40, 1, 1, "r-new"), id="by another rate"),
        pytest.param(Line("shots", 1, 1, 1, "r-shots"), id="of something else"),
    ],
)
def test_a_correction_only_gives_back_at_the_settled_prices(ledger: Ledger, line: Line) -> None:
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    ledger.settle("j1", 40)
    refusal = ledger.refuse(CorrectJob(30, "c", "j1", (line,), ""))
    assert refusal.code == "correction_raises"
    assert refusal.fields == (("resource", line.resource), ("settled", 40 if line.resource == "qpu_ms" else 0))


def test_only_what_was_settled_is_corrected(ledger: Ledger) -> None:
    ledger.grant("G", 300)
    assert ledger.correct("j1", 1).code == "hold_unknown"
    ledger.hold("j1", 100)
    assert ledger.correct("j1", 1).fields == (("job_id", "j1"), ("state", "open"))
    ledger.void("j1")
    assert ledger.correct("j1", 1).code == "hold_not_settled"


def test_a_resource_has_one_line(ledger: Ledger) -> None:
    """Two lines for the same would be told apart by nobody: a bug of the caller."""
    ledger.grant("G", 300)
    ledger.hold("j1", 100)
    lines = (ledger.qpu(1), ledger.qpu(2))
    for command in (
        PlaceHold(10, "j2", "acme", "CNY", lines),
        SettleHold(10, "j1", lines),
        CorrectJob(10, "c", "j1", lines, ""),
    ):
        with pytest.raises(ValueError, match="a resource has one line at most"):
            decide(ledger.book, command)


@pytest.mark.parametrize("kind", ["settle", "void", "correct"])
def test_an_entry_that_closes_what_is_not_there_is_a_bug(ledger: Ledger, kind: Any) -> None:
    with pytest.raises(BrokenInvariant, match="its hold is None"):
        apply(ledger.book, Entry(f"{kind}/j1", kind, 5, (), project_id="acme", job_id="j1"))
    with pytest.raises(BrokenInvariant, match="does not name its subject"):
        apply(ledger.book, Entry(f"{kind}/j1", kind, 5, ()))
