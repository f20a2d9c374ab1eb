"""Who pays which part of a price: grants in burn order, their shares and caps, and the wallet last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.allocation import Allocation, allocate
from ledger.commands import PlaceHold
from ledger.model import WALLET, Cut, Entry, Line
from ledger.terms import Claimant

Ledger = Any  # the fixture's class lives in conftest.py

ANN = Claimant(member_id="ann", backend="aer", year=2026)


def spread(ledger: Ledger, *lines: Line, at_us: int = 10, claimant: Claimant = ANN, **more: Any) -> Allocation:
    return allocate(ledger.book, PlaceHold(at_us, "j", "acme", "CNY", lines, claimant, **more))


def parts(found: Allocation) -> list[tuple[str, str, int, int]]:
    """(payer, resource, amount, worth) of each slice."""
    return [(part.payer, part.resource, part.amount, part.worth) for part in found.slices]


def reasons(found: Allocation) -> dict[str, str]:
    return {source.grant.id: source.reason for source in found.sources}


def test_grants_burn_in_order_and_an_empty_one_makes_no_slice(ledger: Ledger) -> None:
    ledger.grant("C", 100, priority=3)
    ledger.grant("A", 50, priority=1)
    ledger.grant("B", 30, priority=2)
    found = spread(ledger, ledger.qpu(90))
    assert parts(found) == [("A", "qpu_ms", 50, 50), ("B", "qpu_ms", 30, 30), ("C", "qpu_ms", 10, 10)]
    assert found.cuts == [Cut("A", "available", 40), Cut("B", "available", 10)]
    ledger.hold("j1", 50)
    assert parts(spread(ledger, ledger.qpu(5))) == [("B", "qpu_ms", 5, 5)]


def test_a_grant_pays_line_after_line(ledger: Ledger) -> None:
    ledger.grant("A", 50, priority=1)
    ledger.grant("B", 100, priority=2)
    assert parts(spread(ledger, Line("job", 1, 20), ledger.qpu(40), ledger.shots(10))) == [
        ("A", "job", 20, 20),
        ("A", "qpu_ms", 30, 30),
        ("A", "shots", 0, 0),  # its share of a line that there was nothing left for: the others may cost less
        ("B", "qpu_ms", 10, 10),
        ("B", "shots", 10, 10),
    ]


def test_a_grant_in_kind_pays_whole_quanta_of_its_own_line_first(ledger: Ledger) -> None:
    """35 shots are three quanta of ten; worth 3 × 7. The grant in money burns earlier, and yet pays the rest."""
    ledger.grant("G", 1_000, priority=-5)
    ledger.grant("K", 35, asset="shots")
    found = spread(ledger, ledger.qpu(100), ledger.shots(5, 7, 10))
    assert parts(found) == [("K", "shots", 30, 21), ("G", "qpu_ms", 100, 100), ("G", "shots", 14, 14)]
    assert found.cuts == [Cut("K", "available", 20)]


def test_a_grant_in_kind_pays_no_yuan(ledger: Ledger) -> None:
    ledger.grant("K", 100, asset="shots")
    found = spread(ledger, ledger.qpu(10))
    assert (parts(found), found.missing) == ([], 10)


def test_the_wallet_pays_what_no_grant_does(ledger: Ledger) -> None:
    ledger.terms(share_ppm=300_000)
    ledger.grant("G", 1_000)
    ledger.top_up(60)
    found = spread(ledger, Line("job", 1, 9), ledger.qpu(100))
    assert parts(found) == [
        ("G", "job", 2, 2),
        ("G", "qpu_ms", 30, 30),
        (WALLET, "job", 7, 7),
        (WALLET, "qpu_ms", 53, 53),
    ]
    assert (found.missing, found.wallet) == (17, 60)
    assert found.cuts == [], "a share is no cut"


def test_shares_of_one_programme_count_together_those_of_others_add_up(ledger: Ledger) -> None:
    """Seed pays half of 100 out of two grants; green half of the price too, of which half is left."""
    ledger.terms(share_ppm=500_000)
    ledger.grant("A", 20, priority=1)
    ledger.grant("B", 500, priority=2)
    ledger.terms("green", 500_000)
    ledger.grant("C", 500, programme="green", priority=3)
    ledger.top_up(500)
    assert parts(spread(ledger, ledger.qpu(100))) == [
        ("A", "qpu_ms", 20, 20),
        ("B", "qpu_ms", 30, 30),
        ("C", "qpu_ms", 50, 50),
    ]


def test_a_programme_pays_its_share_once_in_kind_and_in_money(ledger: Ledger) -> None:
    """Half of 100 ms at 4 is 200: 20 ms in kind are 80 of it, the grant in money pays 120, the wallet the rest."""
    ledger.terms(share_ppm=500_000)
    ledger.grant("K", 20, asset="qpu_ms")
    ledger.grant("G", 1_000)
    ledger.top_up(1_000)
    assert parts(spread(ledger, ledger.qpu(100, 4))) == [
        ("K", "qpu_ms", 20, 80),
        ("G", "qpu_ms", 120, 120),
        (WALLET, "qpu_ms", 200, 200),
    ]


def test_a_rule_adds_up_with_others_only_to_its_limit(ledger: Ledger) -> None:
    ledger.terms(share_ppm=600_000)
    ledger.grant("A", 500, priority=1)
    ledger.terms("green", 500_000, up_to_ppm=800_000)
    ledger.grant("B", 500, programme="green", priority=2)
    ledger.top_up(500)
    found = spread(ledger, ledger.qpu(100))
    assert [(part.payer, part.amount, part.rule, part.up_to_ppm) for part in found.slices] == [
        ("A", 60, "seed@1#1", 1_000_000),
        ("B", 20, "green@1#1", 800_000),
        (WALLET, 20, "", 1_000_000),
    ]


@pytest.mark.parametrize(
    ("caps", "paid", "limit"),
    [
        ({"cap_per_job": 35}, 35, "cap_per_job"),
        ({"cap_project_year": 50}, 40, "cap_project_year"),
        ({"pool_year": 60}, 42, "pool_year"),
        ({"pool_year": 50, "cap_project_year": 50, "cap_per_job": 41}, 32, "pool_year"),
    ],
)
def test_caps_cut_what_a_programme_pays(ledger: Ledger, caps: dict[str, int], paid: int, limit: str) -> None:
    """The project has drawn 10 of this year's money already, another one 8."""
    ledger.terms(**caps)
    ledger.grant("A", 30, priority=1)
    ledger.grant("B", 500, priority=2)
    ledger.grant("R", 500, project="rival")
    ledger.top_up(500)
    ledger.hold("j1", 10, claimant=ANN)
    ledger.settle("j1", 10)
    ledger.hold("j2", 8, project="rival", claimant=ANN)
    found = spread(ledger, ledger.qpu(100))
    by_grants = sum(part.amount for part in found.slices if part.payer != WALLET)
    assert (by_grants, found.missing) == (paid, 0)
    assert found.cuts[-1].limit == limit
    scopes = {"cap/seed/2026/acme": paid, "pool/seed/2026": paid}
    assert {claim.scope: claim.change for claim in found.claimed()} == scopes
    assert sum(part.amount for part in spread(ledger, ledger.qpu(30), claimant=replace(ANN, year=2027)).slices) == 30


def test_a_cap_counts_what_is_held_and_forgets_what_came_back(ledger: Ledger) -> None:
    ledger.terms(cap_project_year=100)
    ledger.grant("G", 1_000)
    ledger.hold("j1", 90, claimant=ANN)
    assert ledger.hold("j2", 20, claimant=ANN).code == "wallet_short"
    ledger.settle("j1", 75)
    assert isinstance(ledger.hold("j2", 25, claimant=ANN), Entry)
    ledger.void("j2")
    ledger.correct("j1", 0)
    assert isinstance(ledger.hold("j3", 100, claimant=ANN), Entry)


def test_a_use_is_claimed_once_in_a_group(ledger: Ledger) -> None:
    for number, programme in enumerate(("seed", "green", "other")):
        ledger.terms(programme, 400_000, claim_group="" if programme == "other" else "vouchers")
        ledger.grant(programme, 500, programme=programme, priority=number)
    ledger.grant("seed 2", 500, priority=3)
    ledger.top_up(500)
    found = spread(ledger, ledger.qpu(100))
    assert parts(found) == [("seed", "qpu_ms", 40, 40), ("other", "qpu_ms", 40, 40), (WALLET, "qpu_ms", 20, 20)]
    assert reasons(found)["green"] == "claimed_elsewhere"
    assert reasons(found)["seed 2"] == "", "its own programme has claimed it; there is only nothing left of its share"


def test_a_group_is_free_again_when_its_first_programme_pays_nothing(ledger: Ledger) -> None:
    ledger.terms("seed", 400_000, claim_group="vouchers", excluded=("qpu_ms",))
    ledger.grant("A", 500, priority=1)
    ledger.terms("green", 400_000, claim_group="vouchers")
    ledger.grant("B", 500, programme="green", priority=2)
    assert parts(spread(ledger, ledger.qpu(100))) == [("B", "qpu_ms", 40, 40)]


def test_a_quotes_terms_hold_though_others_are_in_force(ledger: Ledger) -> None:
    promised = ledger.terms(share_ppm=900_000)
    ledger.terms(share_ppm=100_000, version=2)
    ledger.grant("G", 500)
    ledger.top_up(500)
    assert parts(spread(ledger, ledger.qpu(100)))[0] == ("G", "qpu_ms", 10, 10)
    assert parts(spread(ledger, ledger.qpu(100), pinned=(promised,)))[0] == ("G", "qpu_ms", 90, 90)


def test_a_restricted_grant_pays_for_what_it_names(ledger: Ledger) -> None:
    ledger.grant("shots", 500, resources=("shots",), priority=1)
    ledger.grant("other backend", 500, backends=("garnet",), priority=2)
    ledger.grant("other member", 500, members=("bob",), priority=3)
    ledger.grant("mine", 5, members=("ann",), backends=("aer",), priority=4)
    found = spread(ledger, ledger.qpu(5), ledger.shots(7))
    assert parts(found) == [("shots", "shots", 7, 7), ("mine", "qpu_ms", 5, 5)]
    assert reasons(found) == {"shots": "", "other backend": "other_backend", "other member": "other_member", "mine": ""}


@pytest.mark.parametrize(("at_us", "reason"), [(99, "not_started"), (100, ""), (199, ""), (200, "expired")])
def test_a_grant_pays_within_its_time(ledger: Ledger, at_us: int, reason: str) -> None:
    ledger.grant("G", 500, valid=(100, 200))
    found = spread(ledger, ledger.qpu(5), at_us=at_us)
    assert (reasons(found)["G"], found.missing) == (reason, 5 if reason else 0)


def test_a_grant_marked_expired_is_used_no_more_even_if_the_clock_runs_back(ledger: Ledger) -> None:
    ledger.grant("G", 100)
    ledger.expire("G", at_us=1000)
    assert reasons(spread(ledger, ledger.qpu(5), at_us=999)) == {"G": "expired"}


def test_nothing_costs_nothing(ledger: Ledger) -> None:
    found = spread(ledger)
    assert (found.slices, found.missing, found.claimed()) == ([], 0, ())


def test_nobody_sees_another_projects_grant(ledger: Ledger) -> None:
    ledger.grant("G", 100, project="rival")
    assert spread(ledger, ledger.qpu(10)).sources == []
