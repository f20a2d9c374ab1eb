"""What stands in the tables is read as it stands."""

from __future__ import annotations

from ledger.chain import GENESIS, columns_of
from store import book, past


def test_columns_are_those_of_the_entries(town):
    town.grant("acme", 1_000)
    town.post(town.holding("job-é", "acme", 7, 5), project_ids=["acme"])
    town.post(town.settling("job-é", 3, 6), job_ids=["job-é"])
    with town.database.read() as connection:
        stray = []
        found = list(past.entries_in_order(connection, stray))
        entries = list(book.all_entries(connection))
    assert [columns for columns, _ in found] == [columns_of(seq, entry) for seq, entry in enumerate(entries, 1)]
    assert all(len(hashed) == 32 for _, hashed in found)
    assert stray == []


def test_the_entries_of_a_job_with_the_hashes_before_them(town):
    town.grant("acme", 1_000)
    for number in (1, 2):
        town.post(town.holding(f"job-{number}", "acme", 7, 5), project_ids=["acme"])
    town.post(town.settling("job-1", 3, 6), job_ids=["job-1"])
    with town.database.read() as connection:
        every = list(past.entries_in_order(connection, []))
        found = past.entries_of_job(connection, "job-1")
        assert past.entries_of_job(connection, "job-9") == []
        (hold,) = past.entries_of_job(connection, "job-2")
    assert [one.seq for one in found] == [3, 5]
    assert [one.previous for one in found] == [every[1][1], every[3][1]]
    assert [(one.columns, one.hash) for one in found] == [every[2], every[4]]
    assert hold.previous != GENESIS


def test_the_first_entry_has_the_beginning_before_it(town):
    town.grant("acme", 1_000)
    town.post(town.holding("job-1", "acme", 7, 5), project_ids=["acme"])
    with town.database.read() as connection:
        (_, fund), *_ = past.entries_in_order(connection, [])
        assert fund != GENESIS


def test_postings_of_no_entry_are_found(sqlite_town):
    sqlite_town.grant("acme", 1_000)
    raw = sqlite_town.database._writing.raw_connection()
    raw.execute("PRAGMA foreign_keys = OFF")
    for seq in (0, 9, 10):
        raw.execute("INSERT INTO postings VALUES (?, 0, 'a', 'b', 1, 'CNY')", (seq,))
    raw.commit()
    raw.close()
    stray = []
    with sqlite_town.database.read() as connection:
        assert len(list(past.entries_in_order(connection, stray))) == 2
    assert [posting[0] for posting in stray] == [0, 9, 10]


def test_entries_and_holds_as_the_audit_takes_them(town):
    town.grant("acme", 1_000)
    town.post(town.holding("job-é", "acme", 7, 5), project_ids=["acme"])
    town.post(town.settling("job-é", 3, 6), job_ids=["job-é"])
    with town.database.read() as connection:
        entries = list(book.all_entries(connection))
        told = list(past.entries_as_told(connection))
        (stored,) = past.holds_as_stored(connection)
        hold = book.hold_of(connection, "job-é")
    assert [(row[1], row[2], row[9]) for row, _ in told] == [(entry.id, entry.kind, entry.body) for entry in entries]
    assert [[posting[1:] for posting in own] for _, own in told] == [
        [(one.source, one.destination, one.amount, one.asset) for one in entry.postings] for entry in entries
    ]
    assert (stored[0], stored[7], stored[8:]) == ("job-é", "settled", (hold.charged, hold.overrun, 5, 6))
