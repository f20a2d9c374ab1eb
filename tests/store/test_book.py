"""How the book is read and written: few statements, whatever the number of jobs. (What it means: conformance.)"""

from __future__ import annotations

import pytest

from ledger.core import apply, decide
from ledger.model import Entry, Posting
from ledger.terms import Budget, Claimant, Rule, Terms, cap_scope, pool_scope
from store import book, budgets


def trace(database, act):
    seen = []

    def unit(connection):
        connection.connection.dbapi_connection.set_trace_callback(seen.append)
        act(connection)
        connection.connection.dbapi_connection.set_trace_callback(None)

    database.writer.run(unit)
    return seen


@pytest.fixture
def rich(sqlite_town):
    sqlite_town.grant("acme", 1_000_000)
    return sqlite_town


def entries_for(database, commands, **subjects):
    with database.read() as connection:
        books = book.load_book(connection, **subjects)
    entries = []
    for command in commands:
        entries.append(decide(books, command))
        apply(books, entries[-1])
    return entries, books


def tables(seen):
    return [statement.split("FROM ")[1].split()[0] for statement in seen]


@pytest.mark.parametrize("count", [1, 200])
def test_an_admission_loads_its_book_with_six_questions(rich, count):
    seen = trace(rich.database, lambda c: book.load_book(c, project_ids=["acme"] * count))
    assert tables(seen) == ["ledger_head", "grants", "budgets", "terms", "accounts", "claims"]


def test_claims_on_caps_pools_and_budgets_are_asked_for(rich):
    rich.programme("young", ("state", 1), terms=Terms("young", 1, (Rule(500_000),), pool_year=10))
    rich.grant("acme", 5, id="second", programme_id="young", funders=(("state", 1),))
    rich.database.writer.run(lambda c: budgets.put(c, Budget("acme", "tag", "thesis", 9)))
    seen = trace(rich.database, lambda c: book.load_book(c, project_ids=["acme", "zeta"], year=2026))
    assert tables(seen) == ["ledger_head", "grants", "budgets", "terms", "accounts", "claims"]
    for scope in ("budget/acme/2026/tag/thesis", cap_scope("young", "acme", 2026), pool_scope("young", 2026)):
        assert scope in seen[-1]


def test_a_settlement_loads_its_book_with_four_questions(rich):
    commands = [rich.holding(f"job-{n}", "acme", 10) for n in range(50)]
    entries, books = entries_for(rich.database, commands, project_ids=["acme"])
    rich.database.writer.run(lambda c: book.record(c, entries, books))
    seen = trace(rich.database, lambda c: book.load_book(c, job_ids=[f"job-{n}" for n in range(50)]))
    assert tables(seen) == ["ledger_head", "holds", "grants", "accounts"]


def test_balances_and_claims_are_written_once_however_many_jobs(rich):
    rich.database.writer.run(lambda c: budgets.put(c, Budget("acme", "tag", "thesis", 10**6)))
    claimant = Claimant(tags=("thesis",), year=2026)
    commands = [rich.holding(f"job-{n}", "acme", 10, claimant=claimant) for n in range(50)]
    entries, books = entries_for(rich.database, commands, project_ids=["acme"], year=2026)
    seen = trace(rich.database, lambda c: book.record(c, entries, books))
    written = [statement.split()[:2] for statement in seen]
    assert written.count(["UPDATE", "accounts"]) == 1
    assert written.count(["UPDATE", "claims"]) == 0
    assert written.count(["UPDATE", "holds"]) == 0
    assert written.count(["UPDATE", "ledger_head"]) == written.count(["SELECT", "size,"]) == 1
    nodes = 3 + 1  # of levels 4 and 5, completed by the entries 3 ... 52
    assert written.count(["INSERT", "INTO"]) == 50 * 3 + 2 + nodes, (
        "entry, posting and hold of each job; an account that is given to, and a scope"
    )
    assert len(seen) == 50 * 3 + 3 + 2 + nodes, "and an account that is taken from; reading and writing the head"


def test_settling_again_in_the_same_breath_is_caught(rich):
    entries, books = entries_for(rich.database, [rich.holding("j", "acme", 10)], project_ids=["acme"])
    rich.database.writer.run(lambda c: book.record(c, entries, books))
    settled, books = entries_for(rich.database, [rich.settling("j", 5)], job_ids=["j"])
    twice = [settled[0], Entry("void/j", "void", 3, (), project_id="acme", job_id="j")]
    with pytest.raises(LookupError, match="not open"):
        rich.database.writer.run(lambda c: book.record(c, twice, books))


def test_what_cancels_out_moves_no_balance(rich):
    """Two opposite postings in one call: the accounts are opened, and stand at 0."""
    there = Entry("a", "fund", 1, (Posting("funder/x", "programme/y/available", 5, "CNY"),))
    back = Entry("b", "fund", 1, (Posting("programme/y/available", "funder/x", 5, "CNY"),))
    with rich.database.read() as connection:
        books = book.load_book(connection)
    rich.database.writer.run(lambda c: book.record(c, [there, back], books))
    with rich.database.read() as connection:
        assert book.all_balances(connection)["funder/x", "CNY"] == 0


def test_the_whole_past_is_streamed(rich):
    commands = [rich.holding(f"job-{n:04}", "acme", 1) for n in range(5_000)]
    entries, books = entries_for(rich.database, commands, project_ids=["acme"])
    rich.database.writer.run(lambda c: book.record(c, entries, books))
    with rich.database.read() as connection:
        stream = book.all_entries(connection)
        assert [next(stream).kind for _ in range(3)] == ["fund", "issue", "hold"]
        assert [entry.id for entry in stream][-1] == "hold/job-4999"
