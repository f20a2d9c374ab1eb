"""The books in the database are the ledger's books, on both databases, and what is posted stays posted."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger import invariants
from ledger.commands import ExpireGrant, FundProgramme, PlaceHold, SettleHold, VoidHold
from ledger.core import apply, decide
from ledger.model import Entry, Hold, Posting, Slice
from store import book
from store.errors import AppendOnly, Duplicate
from store.rows import FunderRow, ProgrammeRow


def audit(database):
    with database.read() as connection:
        return invariants.audit(
            book.all_entries(connection),
            book.all_balances(connection),
            book.all_grants(connection),
            book.all_holds(connection),
        )


def balances(database):
    with database.read() as connection:
        return {account: amount for (account, _), amount in book.all_balances(connection).items() if amount}


def test_a_job_is_paid_from_its_grant(town):
    town.grant("acme", 1_000)
    town.post(PlaceHold(10, "job-1", "acme", "CNY", 300), project_ids=["acme"])
    assert balances(town.database) == {
        "funder/city": -1_000,
        "grant/acme-grant/available": 700,
        "grant/acme-grant/held": 300,
    }
    with town.database.read() as connection:
        held = Hold("job-1", "acme", "CNY", 300, (Slice("acme-grant", 300),), "open", 0, 0, 10)
        assert book.hold_of(connection, "job-1") == held
        assert book.hold_of(connection, "job-2") is None
    town.post(SettleHold(20, "job-1", 120), job_ids=["job-1"])
    assert balances(town.database) == {"funder/city": -1_000, "grant/acme-grant/available": 880, "facility/earned": 120}
    with town.database.read() as connection:
        settled = replace(held, state="settled", charged=120)
        assert book.hold_of(connection, "job-1") == settled
        assert book.holds_of_project(connection, "acme") == book.all_holds(connection) == [settled]
        assert [entry.id for entry in book.all_entries(connection)] == [
            "fund/for-acme-grant",
            "issue/acme-grant",
            "hold/job-1",
            "settle/job-1",
        ]
    assert audit(town.database) == []


def test_an_overrun_falls_on_the_facility(town):
    town.grant("acme", 1_000)
    town.post(PlaceHold(10, "job-1", "acme", "CNY", 300), project_ids=["acme"])
    town.post(SettleHold(20, "job-1", 500), job_ids=["job-1"])
    with town.database.read() as connection:
        hold = book.hold_of(connection, "job-1")
    assert (hold.charged, hold.overrun) == (500, 200)
    assert balances(town.database)["facility/overrun"] == -200
    assert audit(town.database) == []


def test_what_a_grant_gets_back_after_its_end_is_expired(town):
    town.grant("acme", 1_000, valid_until_us=50)
    town.post(PlaceHold(10, "job-1", "acme", "CNY", 300), project_ids=["acme"])
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
    town.post(PlaceHold(10, "job-1", "acme", "CNY", 300), project_ids=["acme"])
    with town.database.read() as connection:
        loaded = book.load_book(connection, job_ids=["job-1", "job-9"])
    assert sorted(loaded.grants) == ["first", "second"]
    assert loaded.holds["job-1"].slices == (Slice("first", 100), Slice("second", 200))
    assert loaded.balance("grant/second/held", "CNY") == 200
    town.post(SettleHold(20, "job-1", 150), job_ids=["job-1"])
    assert audit(town.database) == []


def test_only_what_was_asked_for_is_loaded(town):
    town.grant("acme", 1_000)
    town.grant("zeta", 500)
    town.post(PlaceHold(10, "job-1", "acme", "CNY", 300), project_ids=["acme"])
    town.post(SettleHold(20, "job-1", 500), job_ids=["job-1"])
    with town.database.read() as connection:
        nothing = book.load_book(connection)
        assert (nothing.grants, nothing.holds) == ({}, {})
        assert nothing.balances == {("facility/earned", "CNY"): 500, ("facility/overrun", "CNY"): -200}
        one = book.load_book(connection, project_ids=["zeta"])
        assert list(one.grants) == ["zeta-grant"]
        assert one.holds == {}
        assert one.balance("grant/zeta-grant/available", "CNY") == 500
        assert ("grant/acme-grant/available", "CNY") not in one.balances
        programme = book.load_book(connection, programme_ids=["seed", "unknown"])
        assert programme.balance("funder/city", "CNY") == -1_500
        assert programme.balances["programme/seed/available", "CNY"] == 0


def test_many_commands_in_one_unit(town):
    """What a batch of submissions and a batch of settlements do."""
    town.grant("acme", 1_000_000)
    names = [f"job-{n:03}" for n in range(200)]

    def place(connection):
        books = book.load_book(connection, project_ids=["acme"])
        entries = []
        for name in names:
            entries.append(decide(books, PlaceHold(10, name, "acme", "CNY", 50)))
            apply(books, entries[-1])
        book.record(connection, entries, books)

    def settle(connection):
        books = book.load_book(connection, job_ids=names)
        entries = []
        for number, name in enumerate(names):
            command = VoidHold(20, name) if number % 3 == 0 else SettleHold(20, name, number)
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
        for command in (PlaceHold(10, "job-1", "acme", "CNY", 50), SettleHold(11, "job-1", 40)):
            entries.append(decide(books, command))
            apply(books, entries[-1])
        book.record(connection, entries, books)

    town.database.writer.run(unit)
    assert audit(town.database) == []


def test_an_entry_is_posted_once(town):
    town.grant("acme", 1_000)
    entry = town.post(PlaceHold(10, "job-1", "acme", "CNY", 300), project_ids=["acme"])
    before = balances(town.database)

    def again(connection):
        books = book.load_book(connection, job_ids=["job-1"])
        book.record(connection, [entry], books)

    with pytest.raises(Duplicate):
        town.database.writer.run(again)
    assert balances(town.database) == before


def test_a_hold_is_closed_once(town):
    town.grant("acme", 1_000)
    town.post(PlaceHold(10, "job-1", "acme", "CNY", 300), project_ids=["acme"])
    with town.database.read() as connection:
        stale = book.load_book(connection, job_ids=["job-1"])
    town.post(SettleHold(20, "job-1", 100), job_ids=["job-1"])
    void = decide(stale, VoidHold(30, "job-1"))
    apply(stale, void)
    with pytest.raises(LookupError, match="a hold that should be closed is not open"):
        town.database.writer.run(lambda c: book.record(c, [replace(void, postings=())], stale))
    assert audit(town.database) == []


def test_the_database_itself_refuses_to_overdraw(town):
    town.grant("acme", 1_000)
    theft = Entry("theft", "fund", 1, (Posting("grant/acme-grant/available", "funder/thief", 1_001, "CNY"),))
    with town.database.read() as connection:
        books = book.load_book(connection)
    with pytest.raises(IntegrityError, match="ck_accounts_balance"):
        town.database.writer.run(lambda c: book.record(c, [theft], books))
    assert audit(town.database) == []


COLUMNS = {"entries": "at_us", "postings": "amount", "merkle_nodes": "position", "audit": "at_us"}


@pytest.mark.parametrize("table", COLUMNS)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = 1", "DELETE FROM {}"])
def test_what_is_written_once_can_not_be_changed(town, table, statement):
    for number in range(8):
        town.grant("acme", 1_000, id=f"grant-{number}")
    town.database.writer.run(
        lambda c: c.execute(text("INSERT INTO audit (at_us, actor, act, subject, detail) VALUES (1, '', '', '', '{}')"))
    )
    with pytest.raises(AppendOnly, match=f"{table} are written once"):
        town.database.writer.run(lambda c: c.execute(text(statement.format(table, COLUMNS[table]))))


def test_a_projects_statement_of_entries(town):
    town.grant("acme", 1_000)
    town.grant("zeta", 1_000)
    for number in range(4):
        town.post(PlaceHold(10 * number, f"job-{number}", "acme", "CNY", 5), project_ids=["acme"])
    with town.database.read() as connection:
        found = book.entries_of_project(connection, "acme", 10, 30)
        assert [entry.id for entry in found] == ["hold/job-1", "hold/job-2"]
        assert found[0].postings == (Posting("grant/acme-grant/available", "grant/acme-grant/held", 5, "CNY"),)
        assert [entry.kind for entry in book.entries_of_project(connection, "zeta", 0, 99)] == ["issue"]


def test_an_entry_without_postings_is_kept(town):
    """The grant was used up to the last unit: nothing is left to expire, and still it has expired."""
    town.grant("acme", 100, valid_until_us=50)
    town.post(PlaceHold(10, "job-1", "acme", "CNY", 100), project_ids=["acme"])
    town.post(ExpireGrant(50, "acme-grant"), grant_ids=["acme-grant"])
    with town.database.read() as connection:
        assert list(book.all_entries(connection))[-1].postings == ()
    assert audit(town.database) == []


def test_funders_and_programmes(town):
    def unit(connection):
        book.insert_funder(connection, FunderRow("state", "The State", 5))
        book.insert_programme(connection, ProgrammeRow("grow", "state", "Seed", "CNY", 6))

    town.database.writer.run(unit)
    with town.database.read() as connection:
        assert book.list_funders(connection) == [FunderRow("city", "The City", 0), FunderRow("state", "The State", 5)]
        assert [programme.id for programme in book.list_programmes(connection)] == ["seed", "grow"]
    grant = town.grant("acme", 5)
    for again in (
        lambda c: book.insert_funder(c, FunderRow("other", "The City", 9)),
        lambda c: book.insert_programme(c, ProgrammeRow("other", "city", "Seed", "CNY", 9)),
        lambda c: book.insert_grant(c, grant),
    ):
        with pytest.raises(Duplicate):
            town.database.writer.run(again)


@pytest.mark.parametrize("seed", range(4))
def test_random_lives_keep_the_books_balanced(town, seed):
    """The book in the database and one that only lived in memory end the same."""
    chance = random.Random(seed)
    town.grant("acme", 2_000, valid_until_us=60)
    town.grant("zeta", 500)
    with town.database.read() as connection:
        memory = book.load_book(connection, project_ids=["acme", "zeta"], programme_ids=["seed"])
    for at_us in range(1, 120):
        name, project = f"job-{chance.randrange(25)}", chance.choice(["acme", "zeta"])
        command = chance.choice(
            [
                PlaceHold(at_us, name, project, "CNY", chance.randint(1, 300)),
                SettleHold(at_us, name, chance.randint(0, 400)),
                VoidHold(at_us, name),
                ExpireGrant(at_us, "acme-grant"),
                FundProgramme(at_us, f"more-{at_us}", "seed", "city", "CNY", 10),
            ]
        )

        def unit(connection, command=command, name=name, project=project):
            asked = {"project_ids": [project], "job_ids": [name], "grant_ids": ["acme-grant"]}
            books = book.load_book(connection, **asked)
            answer = decide(books, command)
            assert answer == decide(memory, command)
            if isinstance(answer, Entry):
                apply(books, answer)
                apply(memory, answer)
                book.record(connection, [answer], books)

        town.database.writer.run(unit)
    assert audit(town.database) == []
    with town.database.read() as connection:
        stored = {key: amount for key, amount in book.all_balances(connection).items() if amount}
        assert stored == {key: amount for key, amount in memory.balances.items() if amount}
        assert {hold.job_id: hold for hold in book.all_holds(connection)} == memory.holds
