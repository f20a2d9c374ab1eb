"""The books in the database are the ledger's books, on both databases, and what is posted stays posted."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger import invariants
from ledger.commands import (
    ClawBack,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IncreaseGrant,
    PayOut,
    TopUp,
    VoidHold,
)
from ledger.core import apply, decide
from ledger.model import Claim, Entry, Hold, Posting, Slice
from ledger.terms import Budget, Claimant, Rule, Terms, pool_scope
from store import book, budgets
from store.errors import AppendOnly, Duplicate

EARNED = "facility/earned/funder/city"
YOUNG = Terms("young", 1, (Rule(300_000),), pool_year=1_000, cap_project_year=400)


def audit(database):
    with database.read() as connection:
        return invariants.audit(book.all_entries(connection), book.whole_book(connection))


def balances(database):
    with database.read() as connection:
        return {account: amount for (account, _), amount in book.all_balances(connection).items() if amount}


def test_a_job_is_paid_from_its_grant(town):
    town.grant("acme", 1_000)
    town.hold("job-1", "acme", 300)
    assert balances(town.database) == {
        "funder/city": -1_000,
        "grant/acme-grant/available": 700,
        "grant/acme-grant/held": 300,
    }
    with town.database.read() as connection:
        slices = (Slice("acme-grant", "qpu_ms", 300, "CNY", 300),)
        held = Hold("job-1", "acme", "CNY", town.priced(300), slices, "open", 10)
        assert book.hold_of(connection, "job-1") == held
        assert book.hold_of(connection, "job-2") is None
    town.settle("job-1", 120)
    assert balances(town.database) == {"funder/city": -1_000, "grant/acme-grant/available": 880, EARNED: 120}
    with town.database.read() as connection:
        settled = replace(held, state="settled", settled=town.priced(120), captured=(120,))
        assert settled.charged == 120
        assert book.hold_of(connection, "job-1") == settled
        assert book.holds_of_project(connection, "acme") == book.all_holds(connection) == [settled]
        assert [entry.id for entry in book.all_entries(connection)] == [
            "fund/for-acme-grant/city",
            "issue/acme-grant",
            "hold/job-1",
            "settle/job-1",
        ]
    assert audit(town.database) == []


def test_an_overrun_falls_on_the_facility(town):
    town.grant("acme", 1_000)
    town.hold("job-1", "acme", 300)
    town.settle("job-1", 500)
    with town.database.read() as connection:
        hold = book.hold_of(connection, "job-1")
    assert (hold.charged, hold.overrun) == (500, 200)
    assert balances(town.database)["facility/overrun"] == -200
    assert balances(town.database)["facility/earned/overrun"] == 200
    assert audit(town.database) == []


def test_what_a_grant_gets_back_after_its_end_is_expired(town):
    town.grant("acme", 1_000, valid_until_us=50)
    town.hold("job-1", "acme", 300)
    with town.database.read() as connection:
        assert book.due_grants(connection, 49) == []
        assert [grant.id for grant in book.due_grants(connection, 50)] == ["acme-grant"]
    town.post(ExpireGrant(50, "acme-grant"), grant_ids=["acme-grant"])
    town.post(VoidHold(60, "job-1"), job_ids=["job-1"])
    assert balances(town.database) == {"funder/city": -1_000, "grant/acme-grant/expired": 1_000}
    with town.database.read() as connection:
        assert book.due_grants(connection, 99) == []
        assert [grant.expired for grant in book.grants_of(connection, "acme")] == [True]
        assert book.grants_of(connection, "zeta") == []
    assert audit(town.database) == []


def test_a_hold_over_two_grants_loads_both_to_settle(town):
    town.grant("acme", 100, id="first", priority=1)
    town.grant("acme", 1_000, id="second", priority=2)
    town.hold("job-1", "acme", 300)
    with town.database.read() as connection:
        loaded = book.load_book(connection, job_ids=["job-1", "job-9"])
    assert sorted(loaded.grants) == ["first", "second"]
    assert [(part.payer, part.amount) for part in loaded.holds["job-1"].slices] == [("first", 100), ("second", 200)]
    assert loaded.balance("grant/second/held", "CNY") == 200
    town.settle("job-1", 150)
    assert audit(town.database) == []


def test_only_what_was_asked_for_is_loaded(town):
    town.grant("acme", 1_000)
    town.grant("zeta", 500)
    town.hold("job-1", "acme", 300)
    town.settle("job-1", 500)
    with town.database.read() as connection:
        nothing = book.load_book(connection)
        assert (nothing.grants, nothing.holds) == ({}, {})
        assert nothing.balances == {("facility/overrun", "CNY"): -200}
        one = book.load_book(connection, project_ids=["zeta"])
        assert list(one.grants) == ["zeta-grant"]
        assert one.holds == {}
        assert one.balance("grant/zeta-grant/available", "CNY") == 500
        assert ("grant/acme-grant/available", "CNY") not in one.balances
        programme = book.load_book(connection, programme_ids=["seed", "unknown"])
        assert programme.balances["programme/seed/available", "CNY"] == 0
        assert set(programme.balances) == {("facility/overrun", "CNY"), ("programme/seed/available", "CNY")}


def test_many_commands_in_one_unit(town):
    """What a batch of submissions and a batch of settlements do."""
    town.grant("acme", 1_000_000)
    names = [f"job-{n:03}" for n in range(200)]

    def place(connection):
        books = book.load_book(connection, project_ids=["acme"])
        entries = []
        for name in names:
            entries.append(decide(books, town.holding(name, "acme", 50)))
            apply(books, entries[-1])
        book.record(connection, entries, books)

    def settle(connection):
        books = book.load_book(connection, job_ids=names)
        entries = []
        for number, name in enumerate(names):
            command = VoidHold(20, name) if number % 3 == 0 else town.settling(name, number)
            entries.append(decide(books, command))
            apply(books, entries[-1])
        book.record(connection, entries, books)

    town.database.writer.run(place)
    town.database.writer.run(settle)
    assert audit(town.database) == []
    with town.database.read() as connection:
        states = [hold.state for hold in book.all_holds(connection)]
    assert (states.count("voided"), states.count("settled")) == (67, 133)


def test_placed_and_settled_in_one_unit(town):
    town.grant("acme", 1_000)

    def unit(connection):
        books = book.load_book(connection, project_ids=["acme"])
        entries = []
        for command in (town.holding("job-1", "acme", 50), town.settling("job-1", 40)):
            entries.append(decide(books, command))
            apply(books, entries[-1])
        book.record(connection, entries, books)

    town.database.writer.run(unit)
    assert audit(town.database) == []


def test_an_entry_is_posted_once(town):
    town.grant("acme", 1_000)
    entry = town.hold("job-1", "acme", 300)
    before = balances(town.database)

    def again(connection):
        books = book.load_book(connection, job_ids=["job-1"])
        book.record(connection, [entry], books)

    with pytest.raises(Duplicate):
        town.database.writer.run(again)
    assert balances(town.database) == before


def test_a_grant_is_issued_once(town):
    grant = town.grant("acme", 5)
    with town.database.read() as connection:
        issued = list(book.all_entries(connection))[-1]
        books = book.load_book(connection, grant_ids=[grant.id])
    for again in (issued, replace(issued, id="issue/again", postings=())):
        with pytest.raises(Duplicate):
            town.database.writer.run(lambda c, again=again: book.record(c, [again], books))
    assert audit(town.database) == []


def test_a_hold_is_closed_once(town):
    town.grant("acme", 1_000)
    town.hold("job-1", "acme", 300)
    with town.database.read() as connection:
        stale = book.load_book(connection, job_ids=["job-1"])
    town.settle("job-1", 100)
    void = decide(stale, VoidHold(30, "job-1"))
    apply(stale, void)
    with pytest.raises(LookupError, match="a hold that should be closed is not open"):
        town.database.writer.run(lambda c: book.record(c, [replace(void, postings=())], stale))
    assert audit(town.database) == []


@pytest.mark.parametrize("victim", ["grant/acme-grant/available", "wallet/acme/available", "facility/earned/copay"])
def test_the_database_itself_refuses_to_overdraw(town, victim):
    town.grant("acme", 1_000)
    town.post(TopUp(5, "t", "acme", "CNY", 5), project_ids=["acme"])
    town.hold("job-1", "acme", 1_003)
    town.settle("job-1", 1_003)
    theft = Entry("theft", "fund", 1, (Posting(victim, "funder/thief", 1_001, "CNY"),))
    with town.database.read() as connection:
        books = book.load_book(connection)
    with pytest.raises(IntegrityError, match="ck_accounts_balance"):
        town.database.writer.run(lambda c: book.record(c, [theft], books))
    assert audit(town.database) == []


def test_the_database_itself_refuses_a_limit_below_nothing(town):
    town.grant("acme", 1_000)
    town.database.writer.run(lambda c: c.exec_driver_sql("INSERT INTO claims VALUES ('pool/seed/2026', 0)"))
    fraud = Entry("fraud", "fund", 1, (), claims=(Claim(pool_scope("seed", 2026), -1),))
    with town.database.read() as connection:
        books = book.load_book(connection)
    with pytest.raises(IntegrityError, match="ck_claims_claimed"):
        town.database.writer.run(lambda c: book.record(c, [fraud], books))
    assert audit(town.database) == []


def test_nothing_is_taken_from_what_is_not_there(town):
    town.grant("acme", 1_000)
    theft = Entry("theft", "fund", 1, (Posting("wallet/acme/available", "funder/thief", 1, "CNY"),))
    fraud = Entry("fraud", "fund", 1, (), claims=(Claim(pool_scope("seed", 2026), -1),))
    for entry, what in ((theft, "an account that is taken from"), (fraud, "a limit that is given back to")):
        with town.database.read() as connection:
            books = book.load_book(connection)
        with pytest.raises(LookupError, match=f"{what} is not there"):
            town.database.writer.run(lambda c, entry=entry, books=books: book.record(c, [entry], books))
    assert audit(town.database) == []


COLUMNS = {
    "entries": "at_us",
    "postings": "amount",
    "merkle_nodes": "position",
    "audit": "at_us",
    "terms": "created_us",
    "rate_lines": "unit_price",
}


@pytest.mark.parametrize("table", COLUMNS)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = 1", "DELETE FROM {}"])
def test_what_is_written_once_can_not_be_changed(town, table, statement):
    town.programme("young", ("state", 1), terms=YOUNG)
    for number in range(8):
        town.grant("acme", 1_000, id=f"grant-{number}")
    for planted in (
        "audit (at_us, actor, act, subject, detail) VALUES (1, '', '', '', '{}')",
        "rate_lines SELECT 'r', 'job', 1, 1, '*', 0, 24, 0, NULL, 0",
    ):
        town.database.writer.run(lambda c, planted=planted: c.execute(text("INSERT INTO " + planted)))
    with pytest.raises(AppendOnly, match=f"{table} are written once"):
        town.database.writer.run(lambda c: c.execute(text(statement.format(table, COLUMNS[table]))))


def test_a_projects_statement_of_entries(town):
    town.grant("acme", 1_000)
    town.grant("zeta", 1_000)
    for number in range(4):
        town.hold(f"job-{number}", "acme", 5, 10 * number)
    with town.database.read() as connection:
        found = book.entries_of_project(connection, "acme", 10, 30)
        assert [entry.id for entry in found] == ["hold/job-1", "hold/job-2"]
        assert found[0].postings == (Posting("grant/acme-grant/available", "grant/acme-grant/held", 5, "CNY"),)
        assert [entry.kind for entry in book.entries_of_project(connection, "zeta", 0, 99)] == ["issue"]


def test_an_entry_without_postings_is_kept(town):
    """The grant was used up to the last unit: nothing is left to expire, and still it has expired."""
    town.grant("acme", 100, valid_until_us=50)
    town.hold("job-1", "acme", 100)
    town.post(ExpireGrant(50, "acme-grant"), grant_ids=["acme-grant"])
    with town.database.read() as connection:
        assert list(book.all_entries(connection))[-1].postings == ()
    assert audit(town.database) == []


@pytest.mark.parametrize("seed", range(4))
def test_random_lives_keep_the_books_balanced(town, seed):
    """The book in the database and one that only lived in memory end the same."""
    chance = random.Random(seed)
    town.programme("young", ("state", 2), ("club", 1), terms=replace(YOUNG, rollover_ppm=500_000, rollover_days=9))
    town.grant("acme", 2_000, valid_until_us=60)
    town.grant("acme", 900, id="young", programme_id="young", funders=(("state", 2), ("club", 1)), priority=-1)
    town.grant("zeta", 500)
    town.grant("zeta", 150, id="hours", asset="qpu_ms", valid_until_us=90)
    town.database.writer.run(lambda c: budgets.put(c, Budget("acme", "tag", "thesis", 1_500)))
    everything = {"project_ids": ["acme", "zeta"], "programme_ids": ["seed", "young"], "year": 2026}
    with town.database.read() as connection:
        memory = book.load_book(connection, **everything)
        memory.balances.update(book.all_balances(connection))
    posted = set()
    for at_us in range(1, 150):
        name, project = f"job-{chance.randrange(25)}", chance.choice(["acme", "zeta"])
        who = Claimant(tags=chance.choice([(), ("thesis",)]), year=2026)
        command = chance.choice(
            [
                town.holding(name, project, chance.randint(1, 300), at_us, claimant=who),
                town.holding(name, project, chance.randint(1, 300), at_us, claimant=who),
                town.settling(name, chance.randint(0, 400), at_us),
                VoidHold(at_us, name),
                CorrectJob(at_us, f"c-{at_us}", name, town.priced(chance.randint(0, 100)), "wrong"),
                ExpireGrant(at_us, chance.choice(["acme-grant", "hours"])),
                FundProgramme(at_us, f"more-{at_us}", "seed", "city", "CNY", 10),
                TopUp(at_us, f"up-{at_us}", project, "CNY", chance.randint(1, 200)),
                PayOut(at_us, f"out-{at_us}", project, "CNY", chance.randint(1, 200)),
                IncreaseGrant(at_us, f"i-{at_us}", "zeta-grant", chance.randint(1, 30), "more"),
                ClawBack(at_us, f"b-{at_us}", "young", chance.randint(1, 30), "unused"),
            ]
        )

        def unit(connection, command=command, name=name, project=project):
            asked = {"project_ids": [project], "job_ids": [name], "grant_ids": ["acme-grant", "hours", "young"]}
            asked["grant_ids"].append("zeta-grant")
            books = book.load_book(connection, **asked, year=2026)
            answer = decide(books, command)
            assert answer == decide(memory, command)
            if isinstance(answer, Entry):
                apply(books, answer)
                apply(memory, answer)
                book.record(connection, [answer], books)
                posted.add(answer.kind)

        town.database.writer.run(unit)
    assert posted >= {"hold", "settle", "void", "expire", "fund", "top_up"}, "or the story told nothing"
    assert audit(town.database) == []
    with town.database.read() as connection:
        stored = book.whole_book(connection)
    assert {key: amount for key, amount in stored.balances.items() if amount} == {
        key: amount for key, amount in memory.balances.items() if amount
    }
    assert (stored.holds, stored.grants) == (memory.holds, memory.grants)
    assert {scope: amount for scope, amount in stored.claims.items() if amount} == {
        scope: amount for scope, amount in memory.claims.items() if amount
    }
