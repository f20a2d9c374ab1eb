"""Whoever changes the past is found, whatever they change; and an untouched ledger is whole."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dispatcher import verifier
from dispatcher.keys import open_keys, public_text
from dispatcher.notary import Notary
from dispatcher.verifier import Verdict, verify_ledger
from ledger.commands import PlaceHold, SettleHold, VoidHold
from ledger.core import apply, decide
from ledger.model import Entry, Line
from store import book
from store.database import Connection, Database, open_database

JOBS = 30


def run_jobs(database: Database, first: int, count: int) -> None:
    """Jobs of acme: held, then settled or given back."""

    def unit(conn: Connection) -> None:
        books = book.load_book(conn, project_ids=["acme"])
        entries = []
        for number in range(first, first + count):
            name, most, used = f"job-{number}", Line("qpu_ms", 100 + number, 1), Line("qpu_ms", 60 + number, 1)
            end = VoidHold(9, name) if number % 5 == 0 else SettleHold(9, name, (used,))
            for command in (PlaceHold(7, name, "acme", "CNY", (most,)), end):
                entry = decide(books, command)
                assert isinstance(entry, Entry)
                apply(books, entry)
                entries.append(entry)
        book.record(conn, entries, books)

    database.writer.run(unit)


@pytest.fixture
def signed(town: Any, tmp_path: Path) -> Any:
    """A town whose ledger was signed after every ten jobs; `check` verifies it."""
    town.grant("acme", 10_000_000)
    town.folder = tmp_path / "data"
    town.notary = Notary(town.database, town.folder, lambda: 1_800_000_000_000_000)
    for first in range(0, JOBS, 10):
        run_jobs(town.database, first, 10)
        assert town.notary.sign() is not None
    return town


def check(town: Any, database: Database | None = None, keys: str | None = None) -> Verdict:
    database = database or town.database
    return verify_ledger(database, database._url.render_as_string(hide_password=False), town.folder, keys)


def texts(verdict: Verdict) -> list[str]:
    return [str(one) for one in verdict.violations]


def test_an_auditor_who_may_not_read_the_folder_of_the_keys_is_told_which_were_believed(signed: Any) -> None:
    kept = (signed.folder / "keys" / "ledger.pub").read_text()
    (signed.folder / "keys" / "ledger.pub").unlink()
    (signed.folder / "keys" / "ledger.pub").mkdir()  # as unreadable as a folder of mode 0700, also for root
    verdict = check(signed)
    assert texts(verdict) == []
    (remark,) = verdict.remarks
    assert "ledger.pub cannot be read (Is a directory): the signatures were checked by the keys in" in remark
    brought = check(signed, keys=kept)
    assert (texts(brought), brought.remarks) == ([], [])


def test_an_untouched_ledger_is_whole(signed: Any) -> None:
    verdict = check(signed)
    assert texts(verdict) == []
    assert verdict.remarks == []
    assert verdict.counts["entries"] == 2 + 2 * JOBS
    assert (verdict.counts["checkpoints"], verdict.counts["checkpoint files"]) == (3, 3)
    assert verdict.counts["tree nodes"] == 3 + 1
    assert check(signed, keys=public_text(signed.notary.public_keys())).violations == []


def test_two_processes_find_the_same_as_one(signed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "APART_FROM", 1)
    assert check(signed).counts == {**check(signed).counts, "entries": 2 + 2 * JOBS, "checkpoints": 3}
    tamper(signed.database, "UPDATE accounts SET balance = balance + 1 WHERE account = 'facility/earned/funder/city'")
    assert any("account facility/earned/funder/city stands at" in text for text in texts(check(signed)))


def test_an_empty_ledger_is_whole(database: Database, tmp_path: Path) -> None:
    assert verify_ledger(database, "", tmp_path).violations == []


def tamper(database: Database, *statements: str) -> None:
    """What somebody does who owns the database: the triggers go first."""

    def unit(conn: Connection) -> None:
        if database.dialect == "sqlite":
            names = conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all()
            for (name,) in names:
                conn.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            conn.exec_driver_sql("SET session_replication_role = replica")
        for statement in statements:
            assert conn.exec_driver_sql(statement).rowcount >= 1, statement

    database.writer.run(unit)


TAMPERED = [
    ("UPDATE postings SET amount = amount + 1 WHERE seq = 9 AND position = 0", "(seq 9): its columns do not have"),
    ("UPDATE entries SET at_us = at_us + 1 WHERE seq = 64", "(seq 64): its columns do not have the hash"),
    ("UPDATE entries SET job_id = NULL WHERE seq = 5", "(seq 5): its columns do not have the hash"),
    ("DELETE FROM postings WHERE seq = 12", "(seq 12): its columns do not have the hash"),
    ("INSERT INTO postings VALUES (12, 7, 'facility/overrun', 'facility/earned', 1, 'CNY')", "(seq 12): its columns"),
    ("UPDATE merkle_nodes SET hash = hash || hash WHERE level = 4 AND position = 2", "the entries 33 to 48 (level 4"),
    ("DELETE FROM merkle_nodes WHERE level = 5", "1 to 32 (level 5, position 0) is missing"),
    ("INSERT INTO merkle_nodes SELECT 9, 0, hash FROM entries WHERE seq = 1", "5 nodes of the tree are stored"),
    ("UPDATE ledger_head SET size = 63", "the head says 63 entries, there are 62"),
    ("UPDATE ledger_head SET hash = frontier", "the head says another hash than the last entry has"),
    ("DELETE FROM ledger_head", "the head of the ledger's chain is gone"),
    ("DELETE FROM checkpoints WHERE size = 22", None),
    ("UPDATE checkpoints SET at_us = 5 WHERE size = 42", "is recorded with other figures than signed"),
    ("UPDATE checkpoints SET root = (SELECT hash FROM entries WHERE seq = 1) WHERE size = 42", "with another root"),
    ("UPDATE checkpoints SET note = replace(note, 'time_us 18', 'time_us 17')", "cannot be believed: the Ed25519"),
    ("UPDATE meta SET value = '[]' WHERE key = 'ledger_keys'", "the public keys in the database are not the trusted"),
    ("UPDATE accounts SET balance = balance + 1 WHERE account = 'funder/city'", "funder/city stands at"),
    ("UPDATE holds SET charged = 5 WHERE job_id = 'job-7'", "the hold of job job-7 is written down as 107, charged 5"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "said"), TAMPERED)
def test_what_was_changed_is_said(signed: Any, statement: str, said: str | None) -> None:
    if "seq = 64" in statement:
        run_jobs(signed.database, 900, 1)
    tamper(signed.database, statement)
    found = texts(check(signed))
    if said is None:
        assert found == [], "what is signed outside is believed without its row"
    else:
        assert any(said in text for text in found), found


def test_files_outside_are_compared(signed: Any) -> None:
    files = signed.notary.files
    files.write(22, files.read(42) or "")
    files.path(42).unlink()
    found = texts(check(signed))
    assert any("000022.txt is not the checkpoint in the database" in text for text in found)
    assert any("the file of the checkpoint over 42 entries" in text and "is missing" in text for text in found)
    shutil.rmtree(files.root)
    verdict = check(signed)
    assert texts(verdict) == []
    assert "no checkpoints outside of the database" in verdict.remarks[0]


def test_a_history_rewritten_from_end_to_end_is_betrayed_by_its_checkpoints(signed: Any, tmp_path: Path) -> None:
    """Another ledger, sound in itself, with the signed checkpoints of the first beside it."""
    other = open_database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.migrate()
    copied = type(signed)(other).found("acme")
    copied.grant("acme", 20_000_000)
    run_jobs(other, 0, JOBS)
    found = texts(check(signed, other))
    other.close()
    for size in (22, 42, 62):
        assert any(f"{size:013}.txt was signed over other entries" in text for text in found), found


def test_an_older_ledger_is_betrayed_by_its_checkpoints(signed: Any) -> None:
    for table in ("postings", "entries"):
        tamper_all = f"DELETE FROM {table} WHERE seq > 40"
        tamper(signed.database, tamper_all)
    assert any("covers more than the 40 entries that are there" in text for text in texts(check(signed)))


def test_keys_of_somebody_else_are_not_believed(signed: Any, tmp_path: Path) -> None:
    strangers = public_text(open_keys(tmp_path / "strangers", []).public)
    assert any("is not signed by the Ed25519 key" in text for text in texts(check(signed, keys=strangers)))


ENTRY_COLUMNS = ("seq", "id", "kind", "at_us", "project_id", "job_id", "grant_id", "programme_id", "hash")
POSTING_COLUMNS = ("seq", "position", "source", "destination", "amount", "asset")


def flip(raw: sqlite3.Connection, rng: random.Random) -> tuple[str, int]:
    """One byte of one column of one row, other than it was; returns which, and the transaction it belongs to."""
    while True:
        table, columns = rng.choice([("entries", ENTRY_COLUMNS), ("postings", POSTING_COLUMNS)])
        column = rng.choice(columns)
        key = "seq" if table == "entries" else "seq, position"
        row = rng.choice(raw.execute(f"SELECT {key}, {column} FROM {table}").fetchall())
        *place, value = row
        bit, here = 1 << rng.randrange(8), " AND ".join(f"{name} = ?" for name in key.split(", "))
        new: Any
        if isinstance(value, int):
            new, cast = value ^ bit << 8 * rng.randrange(6), "?"
        else:
            old = b"" if value is None else value.encode() if isinstance(value, str) else value
            at = rng.randrange(len(old)) if old else 0
            new = old[:at] + bytes([(old[at] if old else 0) ^ bit]) + old[at + 1 :]
            cast = "?" if isinstance(value, bytes) else "CAST(? AS TEXT)"
        try:
            raw.execute(f"UPDATE {table} SET {column} = {cast} WHERE {here}", (new, *place))
        except sqlite3.IntegrityError:  # the number or id is taken: no such change is possible
            continue
        raw.commit()
        return f"{table}.{column} of {place}: {value!r} -> {new!r}", place[0]


@pytest.fixture
def flipped(sqlite_town: Any, tmp_path: Path) -> Any:
    sqlite_town.grant("acme", 10_000_000)
    sqlite_town.folder = tmp_path / "data"
    run_jobs(sqlite_town.database, 0, JOBS)
    Notary(sqlite_town.database, sqlite_town.folder, lambda: 1_800_000_000_000_000).sign()
    sqlite_town.database.close()
    return sqlite_town


def test_one_byte_anywhere_is_found_and_its_transaction_named_a_hundred_times(flipped: Any, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    rng, source = random.Random(seed), flipped.database.path
    with sqlite3.connect(source) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
    raw.close()
    for turn in range(100):
        path = tmp_path / f"turn-{turn}.sqlite"
        shutil.copyfile(source, path)
        raw = sqlite3.connect(path)
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        names = dict(raw.execute("SELECT seq, id FROM entries"))
        what, seq = flip(raw, rng)
        raw.close()
        database = open_database(f"sqlite:///{path}")
        named = [one for one in check(flipped, database).violations if one.entry_id is not None]
        database.close()
        path.unlink()
        assert named, f"seed {seed}, turn {turn}: {what}"
        is_it = [one for one in named if one.seq == seq or one.entry_id == names[seq]]
        assert is_it, f"seed {seed}, turn {turn}: {what}: {list(map(str, named))}"


def _write_many(url: str, first: int, ready: Any) -> None:
    database = open_database(url)
    ready.wait()
    for number in range(first, first + 20):
        run_jobs(database, number, 1)
    database.close()


def test_two_processes_that_write_at_once_keep_one_chain(town: Any, database_url: str, tmp_path: Path) -> None:
    town.grant("acme", 10_000_000)
    town.folder = tmp_path
    apart = multiprocessing.get_context("spawn")
    ready = apart.Barrier(2)
    writers = [apart.Process(target=_write_many, args=(database_url, first, ready)) for first in (1, 1001)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    verdict = check(town)
    assert (texts(verdict), verdict.counts["entries"]) == ([], 2 + 2 * 40)
