"""How long an auditor waits: a ledger of a million entries, made by the ledger itself, is verified in full.

`make bench-verify` builds it in SQLite (twenty projects, a hold and a settlement a job, signed now and then) and runs
what `qubatord ledger verify` runs. The last line has the figures.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from dispatcher.notary import Notary
from dispatcher.verifier import verify_ledger
from ledger.book import Book
from ledger.commands import Command, FundProgramme, IssueGrant, PlaceHold, SettleHold
from ledger.core import apply, decide
from ledger.model import Entry, Grant, Line
from store import book, identity, programmes
from store.database import Connection, Database, open_database
from store.rows import FunderRow, ProgrammeRow, ProjectRow

PROJECTS = [f"prj_{number:026d}" for number in range(20)]
START_US = 1_800_000_000_000_000
BATCH = 5_000
JOB, SHOTS = Line("job", 1, 1_000), Line("shots", 100, 1, 10)
CEILING = (JOB, Line("qpu_ms", 250, 500), SHOTS)


def found(database: Database) -> None:
    """Twenty projects, each with a grant of one funder's programme."""

    def unit(conn: Connection) -> None:
        programmes.insert_funder(conn, FunderRow("fun_city", "The City", 0))
        programmes.insert_programme(conn, ProgrammeRow("pgm_seed", "fun_city", "Seed", "CNY", 0))
        for number, project_id in enumerate(PROJECTS):
            identity.insert_project(conn, ProjectRow(project_id, f"Startup {number}", 100, 0))
            grant = Grant(
                f"grt_{number:026d}", "pgm_seed", (("fun_city", 1),), project_id, "CNY", 10**13, 0, 2**61, 0, START_US
            )
            books = book.load_book(conn, programme_ids=["pgm_seed"])
            pledge = FundProgramme(START_US, f"pledge-{number}", "pgm_seed", "fun_city", "CNY", 10**13)
            entries = [decided(books, pledge)]
            entries.append(decided(books, IssueGrant(START_US, grant)))
            book.record(conn, entries, books)

    database.writer.run(unit)


def decided(books: Book, command: Command) -> Entry:
    """Decide and apply."""
    entry = decide(books, command)
    assert isinstance(entry, Entry), entry
    apply(books, entry)
    return entry


def run_jobs(database: Database, first: int, count: int) -> None:
    """`count` jobs from number `first` on: all held, then all settled, two transactions."""
    jobs = [(f"job_{number:026d}", PROJECTS[number % len(PROJECTS)]) for number in range(first, first + count)]

    def hold(conn: Connection) -> None:
        books = book.load_book(conn, project_ids=PROJECTS)
        commands = [PlaceHold(START_US + first, job_id, project, "CNY", CEILING) for job_id, project in jobs]
        book.record(conn, [decided(books, command) for command in commands], books)

    def settle(conn: Connection) -> None:
        books = book.load_book(conn, job_ids=[job_id for job_id, _ in jobs])
        used = [(JOB, Line("qpu_ms", 3 + place % 100, 500), SHOTS) for place in range(len(jobs))]
        at_us = START_US + first + 1
        commands = [SettleHold(at_us, job_id, lines) for (job_id, _), lines in zip(jobs, used, strict=True)]
        book.record(conn, [decided(books, command) for command in commands], books)

    database.writer.run(hold)
    database.writer.run(settle)


def main() -> None:
    """Build, verify, say how long it took. Fails when the ledger does not verify."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="Folder to build in and to keep; a ledger that is there is verified.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qubator-bench-") as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder.resolve() / 'qubator.sqlite3'}"
        database = open_database(url)
        begun = time.monotonic()
        if database.revision() is None:
            build(database, folder, chosen.entries)
        built_s = time.monotonic() - begun
        begun, before_s = time.monotonic(), _cpu_s()
        verdict = verify_ledger(database, url, folder)
        verified_s, after_s = time.monotonic() - begun, _cpu_s()
        database.close()
    for violation in verdict.violations:
        print(f"VIOLATION {violation}")
    for what, count in verdict.counts.items():
        print(f"  {what:<18}{count:>12,}")
    entries = verdict.counts["entries"]
    print(
        f"figures: entries={entries} cores={os.cpu_count()} build_s={built_s:.1f} verify_s={verified_s:.1f} "
        f"verify_us_per_entry={verified_s / entries * 1e6:.1f} adding_cpu_s={after_s[0] - before_s[0]:.1f} "
        f"hashing_cpu_s={after_s[1] - before_s[1]:.1f} violations={len(verdict.violations)}"
    )
    if verdict.violations:
        raise SystemExit(1)


def _cpu_s() -> tuple[float, float]:
    """What this process and its ended children have computed, which a busy machine changes less than the clock."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own, children = (one.ru_utime + one.ru_stime for one in spent)
    return own, children


def build(database: Database, folder: Path, entries: int) -> None:
    """A ledger of about so many entries, signed once a batch."""
    database.migrate()
    found(database)
    notary = Notary(database, folder, lambda: START_US)
    for first in range(0, entries // 2, BATCH):
        run_jobs(database, first, min(BATCH, entries // 2 - first))
        notary.sign()


if __name__ == "__main__":
    main()
