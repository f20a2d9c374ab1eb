"""The chain in both databases: one, gap-free, and what is rolled back was never in it."""

from __future__ import annotations

import pytest

from ledger import merkle
from ledger.chain import GENESIS, linked
from ledger.commands import PlaceHold, SettleHold
from ledger.core import apply, decide
from store import book, chain, past


def whole(database):
    """Columns and hash of every entry, and the head."""
    with database.read() as connection:
        stray = []
        entries = list(past.entries_in_order(connection, stray))
        assert stray == []
        return entries, chain.head(connection)


def is_sound(database):
    """Every hash follows from the one before, no number is missing, and the head is the end. Returns the count."""
    entries, head = whole(database)
    last = GENESIS
    for number, (columns, hashed) in enumerate(entries, 1):
        assert columns[0] == number
        assert linked(last, columns) == hashed
        last = hashed
    assert (head.size, head.hash) == (len(entries), last)
    frontier = []
    for number, (_, hashed) in enumerate(entries):
        merkle.append(number, frontier, merkle.leaf(hashed))
    assert head.root == merkle.root(frontier)
    return len(entries)


def holds(town, first, count):
    """Holds of as many jobs, recorded at once."""

    def unit(connection):
        books = book.load_book(connection, project_ids=["acme"])
        entries = []
        for number in range(first, first + count):
            entries.append(decide(books, PlaceHold(number, f"job-{number}", "acme", "CNY", 1)))
            apply(books, entries[-1])
        book.record(connection, entries, books)

    return unit


@pytest.fixture
def rich(town):
    town.grant("acme", 1_000_000)
    return town


def test_an_empty_ledger_has_a_head(database):
    with database.read() as connection:
        head = chain.head(connection)
        assert (head.size, head.hash, head.frontier) == (0, GENESIS, ())
        assert head.root == chain.root_at(connection, 0) == merkle.EMPTY_ROOT


def test_the_chain_grows_entry_by_entry_and_by_many(rich):
    rich.post(PlaceHold(5, "job-x", "acme", "CNY", 7), project_ids=["acme"])
    rich.post(SettleHold(6, "job-x", 3), job_ids=["job-x"])
    rich.database.writer.run(holds(rich, 0, 100))
    assert is_sound(rich.database) == 104


def test_a_rolled_back_unit_leaves_no_gap(rich):
    def fails(connection):
        holds(rich, 10, 20)(connection)
        raise KeyError("changed its mind")

    writer = rich.database.writer
    gathered = [writer.submit(holds(rich, 0, 10)), writer.submit(fails), writer.submit(holds(rich, 30, 5))]
    for future in gathered:
        if future is gathered[1]:
            with pytest.raises(KeyError, match="changed its mind"):
                future.result()
        else:
            future.result()
    assert is_sound(rich.database) == 2 + 15


def test_units_of_one_transaction_that_roll_back_to_their_savepoints(rich):
    """All in one transaction for certain: the writer's own savepoints, by hand."""

    def unit(connection):
        for number in range(6):
            connection.exec_driver_sql("SAVEPOINT inner_unit")
            holds(rich, number * 40, 40)(connection)
            if number % 2:
                connection.exec_driver_sql("ROLLBACK TO SAVEPOINT inner_unit")
            connection.exec_driver_sql("RELEASE SAVEPOINT inner_unit")

    rich.database.writer.run(unit)
    assert is_sound(rich.database) == 2 + 3 * 40


def test_every_proof_holds(rich):
    for first in range(0, 60, 20):
        rich.database.writer.run(holds(rich, first, 20))
    entries, head = whole(rich.database)
    with rich.database.read() as connection:
        for seq, (_, hashed) in enumerate(entries, 1):
            path = chain.inclusion_path(connection, seq, head.size)
            assert merkle.root_from_inclusion(seq - 1, head.size, merkle.leaf(hashed), path) == head.root
        for old in range(1, head.size + 1):
            proof = chain.consistency_proof(connection, old, head.size)
            assert merkle.is_consistent(old, head.size, chain.root_at(connection, old), head.root, proof)


def test_a_proof_takes_few_questions(rich):
    rich.database.writer.run(holds(rich, 0, 3_000))
    seen = []
    with rich.database.read() as connection:
        if rich.database.dialect == "sqlite":
            connection.connection.dbapi_connection.set_trace_callback(seen.append)
        path = chain.inclusion_path(connection, 1_234, 3_002)
        if rich.database.dialect == "sqlite":
            connection.connection.dbapi_connection.set_trace_callback(None)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {seen[0]}").all()
            assert not any("SCAN merkle_nodes" in row[-1] for row in plan), plan
    assert len(path) == 12
    assert len(seen) <= 1 + chain.STORED_FROM + 2


def test_nodes_are_stored_from_one_level_on(rich):
    rich.database.writer.run(holds(rich, 0, 62))
    with rich.database.read() as connection:
        assert chain.levels(connection) == [4, 5, 6]
        assert [chain.count_nodes(connection, level) for level in (3, 4, 5, 6, 7)] == [0, 4, 2, 1, 0]
        run = chain.node_run(connection, 4, 0, 4)
        assert None not in run
        assert chain.node_run(connection, 4, 2, 3) == [*run[2:], None]
        assert chain.node_run(connection, 6, 0, 1) == [chain.head(connection).root]


def test_what_is_not_there_is_named(rich):
    with rich.database.read() as connection:
        with pytest.raises(LookupError, match="node 3 of level 5 of the ledger's tree is not in the database"):
            chain.nodes(connection, {(5, 3)})
        with pytest.raises(LookupError, match="an entry from 9 on is not in the database"):
            chain.nodes(connection, {(2, 2)})
    rich.database.writer.run(lambda c: c.exec_driver_sql("DELETE FROM ledger_head"))
    with pytest.raises(LookupError, match="the head of the ledger's chain is gone"):
        rich.post(PlaceHold(5, "job-x", "acme", "CNY", 7), project_ids=["acme"])


def test_recording_nothing_changes_nothing(rich):
    before = whole(rich.database)

    def unit(connection):
        book.record(connection, [], book.load_book(connection))

    rich.database.writer.run(unit)
    assert whole(rich.database) == before
