"""Shares, caps, budgets, wallets, corrections: what subsidies do to the books in the database, on both databases."""

from __future__ import annotations

from dataclasses import replace

from ledger import invariants
from ledger.commands import (
    ClawBack,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IncreaseGrant,
    PayOut,
    PlaceHold,
    SettleHold,
    TopUp,
    TransferGrant,
    VoidHold,
)
from ledger.core import apply, decide
from ledger.model import WALLET, Claim, Line
from ledger.terms import Budget, Claimant, Rule, Terms, cap_scope, pool_scope
from store import book, budgets

EARNED = "facility/earned/funder/city"
YOUNG = Terms("young", 1, (Rule(300_000),), pool_year=1_000, cap_project_year=400)


def audit(database):
    with database.read() as connection:
        return invariants.audit(book.all_entries(connection), book.whole_book(connection))


def balances(database):
    with database.read() as connection:
        return {account: amount for (account, _), amount in book.all_balances(connection).items() if amount}


def claimed(database):
    with database.read() as connection:
        return {scope: amount for scope, amount in book.whole_book(connection).claims.items() if amount}


def test_caps_and_budgets_count_what_is_held_and_then_what_was_paid(town):
    town.programme("young", ("state", 1), terms=YOUNG)
    town.grant("acme", 10_000, programme_id="young", funders=(("state", 1),))
    town.post(TopUp(0, "t", "acme", "CNY", 5_000))
    town.database.writer.run(lambda c: budgets.put(c, Budget("acme", "tag", "thesis", 5_000)))
    who = Claimant(tags=("thesis",), year=2026)
    for number in (1, 2):
        town.post(town.holding(f"job-{number}", "acme", 1_000, claimant=who), project_ids=["acme"], year=2026)
    cap, pool, budget = cap_scope("young", "acme", 2026), pool_scope("young", 2026), "budget/acme/2026/tag/thesis"
    assert claimed(town.database) == {cap: 400, pool: 400, budget: 2_000}, "300 of the first, and 100 up to the cap"
    with town.database.read() as connection:
        loaded = book.load_book(connection, project_ids=["acme", "zeta"], year=2026)
        assert loaded.terms == {"young": YOUNG}
        assert loaded.claims == {cap: 400, pool: 400, budget: 2_000}
        assert book.load_book(connection, project_ids=["acme"], year=2027).claims == {}
        assert set(book.hold_of(connection, "job-2").claims) == {
            Claim(cap, 100),
            Claim(pool, 100),
            Claim(budget, 1_000),
        }
    town.settle("job-1", 100)
    assert claimed(town.database) == {cap: 130, pool: 130, budget: 1_100}
    town.post(VoidHold(30, "job-2"), job_ids=["job-2"])
    assert claimed(town.database) == {cap: 30, pool: 30, budget: 100}
    assert audit(town.database) == []


def test_a_claim_goes_into_the_year_of_its_job_even_when_it_is_settled_in_the_next(town):
    town.programme("young", ("state", 1), terms=YOUNG)
    town.grant("acme", 10_000, programme_id="young", funders=(("state", 1),))
    town.post(TopUp(0, "t", "acme", "CNY", 5_000))
    for number, year in ((1, 2026), (2, 2027)):
        command = town.holding(f"job-{number}", "acme", 1_000, claimant=Claimant(year=year))
        town.post(command, project_ids=["acme"], year=year)
    town.settle("job-1", 500)
    stands = claimed(town.database)
    assert (stands[pool_scope("young", 2026)], stands[pool_scope("young", 2027)]) == (150, 300)
    assert audit(town.database) == []


def test_a_grant_in_kind_a_programme_of_two_and_a_wallet_pay_one_job(town):
    funders = (("state", 1), ("club", 1))
    half = Terms("both", 1, (Rule(500_000),))
    town.programme("both", *funders, terms=half)
    town.grant("acme", 10, id="hours", asset="qpu_ms", resources=("qpu_ms",))
    town.grant("acme", 1_000, id="half", programme_id="both", funders=funders)
    town.post(TopUp(0, "t", "acme", "CNY", 500))
    lines = (Line("qpu_ms", 20, 7, 2, "r1"), Line("shots", 9, 1, 100, "r2"))
    town.post(PlaceHold(10, "job-1", "acme", "CNY", lines), project_ids=["acme"])
    with town.database.read() as connection:
        hold = book.hold_of(connection, "job-1")
    assert [(part.payer, part.resource, part.amount, part.worth) for part in hold.slices] == [
        ("hours", "qpu_ms", 10, 35),
        ("half", "qpu_ms", 52, 52),
        ("half", "shots", 4, 4),
        (WALLET, "qpu_ms", 53, 53),
        (WALLET, "shots", 5, 5),
    ]
    assert hold.slices[1].rule == "both@1#1"
    town.post(SettleHold(20, "job-1", (replace(lines[0], quantity=8), lines[1])), job_ids=["job-1"])
    stands = balances(town.database)
    with town.database.read() as connection:
        assert book.all_balances(connection)[EARNED, "qpu_ms"] == 10
        settled = book.hold_of(connection, "job-1")
    assert settled.captured == (10, 10, 4, 11, 5)
    assert (stands["facility/earned/funder/state"], stands["facility/earned/funder/club"]) == (7, 7)
    assert stands["facility/earned/copay"] == 16
    assert (stands["wallet/acme/available"], stands["payer/acme"]) == (500 - 16, -500)
    assert audit(town.database) == []


def test_the_life_of_grants_and_wallets(town):
    town.grant("acme", 1_000)
    town.grant("acme", 100, id="other")
    town.post(FundProgramme(1, "more", "seed", "city", "CNY", 50), programme_ids=["seed"])
    for command in (
        IncreaseGrant(2, "i", "acme-grant", 50, "more work"),
        TransferGrant(3, "t", "acme-grant", "other", 300, "another team"),
        ClawBack(4, "c", "other", 150, "unused"),
    ):
        town.post(command, grant_ids=["acme-grant", "other"])
    town.post(TopUp(5, "t1", "acme", "CNY", 90), project_ids=["acme"])
    town.post(PayOut(6, "p1", "acme", "CNY", 40), project_ids=["acme"])
    with town.database.read() as connection:
        assert {grant.id: grant.amount for grant in book.all_grants(connection)} == {"acme-grant": 750, "other": 250}
    assert balances(town.database) == {
        "funder/city": -1_150,
        "programme/seed/available": 150,
        "grant/acme-grant/available": 750,
        "grant/other/available": 250,
        "payer/acme": -50,
        "wallet/acme/available": 50,
    }
    assert audit(town.database) == []


def test_a_job_is_corrected_more_than_once_and_never_upwards(town):
    town.grant("acme", 1_000, valid_until_us=50)
    town.hold("job-1", "acme", 300)
    town.settle("job-1", 250)
    town.post(CorrectJob(30, "c1", "job-1", town.priced(200), "the clock was wrong"), job_ids=["job-1"])
    town.post(ExpireGrant(50, "acme-grant"), grant_ids=["acme-grant"])
    town.post(CorrectJob(60, "c2", "job-1", town.priced(50), "very wrong"), job_ids=["job-1"])
    with town.database.read() as connection:
        hold = book.hold_of(connection, "job-1")
        books = book.load_book(connection, job_ids=["job-1"])
    assert (hold.state, hold.charged, hold.captured) == ("settled", 50, (50,))
    assert decide(books, CorrectJob(70, "c3", "job-1", town.priced(51), "")).code == "correction_raises"
    assert balances(town.database)["grant/acme-grant/expired"] == 950
    assert audit(town.database) == []


def test_settled_and_corrected_in_one_unit(town):
    town.grant("acme", 1_000)
    town.hold("job-1", "acme", 300)

    def unit(connection):
        books = book.load_book(connection, job_ids=["job-1"])
        entries = []
        for command in (
            town.settling("job-1", 250),
            CorrectJob(30, "c1", "job-1", town.priced(90), ""),
            CorrectJob(31, "c2", "job-1", town.priced(80), ""),
        ):
            entries.append(decide(books, command))
            apply(books, entries[-1])
        book.record(connection, entries, books)

    town.database.writer.run(unit)
    with town.database.read() as connection:
        assert book.hold_of(connection, "job-1").captured == (80,)
    assert audit(town.database) == []


def test_a_grant_comes_back_with_all_its_restrictions(town):
    town.programme("both", ("state", 3), ("club", 1))
    meant = town.grant(
        "acme",
        9,
        programme_id="both",
        funders=(("state", 3), ("club", 1)),
        resources=("qpu_ms", "shots"),
        backends=("aer",),
        members=("acme-ann",),
        priority=-3,
    )
    with town.database.read() as connection:
        assert book.grants_of(connection, "acme") == book.all_grants(connection) == [meant]
        assert book.load_book(connection, grant_ids=[meant.id]).grants == {meant.id: meant}
