"""How the book is read and written: few statements, whatever the number of jobs. (What it means: conformance.)"""

from __future__ import annotations

import pytest

from ledger.commands import PlaceHold, SettleHold
from ledger.core import apply, decide
from ledger.model import Entry, Posting
from store import book


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


@pytest.mark.parametrize("count", [1, 200])
def test_an_admission_loads_its_book_with_two_questions(rich, count):
    seen = trace(rich.database, lambda c: book.load_book(c, project_ids=["acme"] * count))
    assert [statement.split()[0] for statement in seen] == ["SELECT", "SELECT"]


def test_a_settlement_loads_its_book_with_three(rich):
    commands = [PlaceHold(1, f"job-{n}", "acme", "CNY", 10) for n in range(50)]
    entries, books = entries_for(rich.database, commands, project_ids=["acme"])
    rich.database.writer.run(lambda c: book.record(c, entries, books))
    seen = trace(rich.database, lambda c: book.load_book(c, job_ids=[f"job-{n}" for n in range(50)]))
    assert [statement.split()[0] for statement in seen] == ["SELECT"] * 3


def test_balances_are_written_once_however_many_jobs(rich):
    commands = [PlaceHold(1, f"job-{n}", "acme", "CNY", 10) for n in range(50)]
    entries, books = entries_for(rich.database, commands, project_ids=["acme"])
    seen = trace(rich.database, lambda c: book.record(c, entries, books))
    written = [statement.split()[:2] for statement in seen]
    assert written.count(["UPDATE", "accounts"]) == 2
    assert written.count(["UPDATE", "holds"]) == 0
    assert written.count(["UPDATE", "ledger_head"]) == written.count(["SELECT", "size,"]) == 1
    nodes = 3 + 1  # of levels 4 and 5, completed by the entries 3 ... 52
    assert written.count(["INSERT", "INTO"]) == 50 * 3 + 2 + nodes, "entry, posting and hold of each job; two accounts"
    assert len(seen) == 50 * 3 + 2 * 2 + 2 + nodes


def test_settling_again_in_the_same_breath_is_caught(rich):
    entries, books = entries_for(rich.database, [PlaceHold(1, "j", "acme", "CNY", 10)], project_ids=["acme"])
    rich.database.writer.run(lambda c: book.record(c, entries, books))
    settled, books = entries_for(rich.database, [SettleHold(2, "j", 5)], job_ids=["j"])
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
    commands = [PlaceHold(1, f"job-{n:04}", "acme", "CNY", 1) for n in range(5_000)]
    entries, books = entries_for(rich.database, commands, project_ids=["acme"])
    rich.database.writer.run(lambda c: book.record(c, entries, books))
    with rich.database.read() as connection:
        stream = book.all_entries(connection)
        assert [next(stream).kind for _ in range(3)] == ["fund", "issue", "hold"]
        assert [entry.id for entry in stream][-1] == "hold/job-4999"
