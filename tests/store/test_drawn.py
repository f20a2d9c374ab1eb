"""How much of what a project was granted is gone, in a database of each kind."""

from __future__ import annotations

from ledger.commands import FundProgramme, IssueGrant, PlaceHold
from ledger.core import apply, decide
from ledger.model import Entry, Grant, Line
from ledger.quota import Drawn
from store import book, identity, programmes
from store.database import Connection, Database
from store.drawn import drawn_of
from store.rows import FunderRow, ProgrammeRow, ProjectRow


def granted(database: Database, *grants: Grant, held: int = 0) -> None:
    """Issue the grants to the project acme, and hold so much of them."""

    def unit(conn: Connection) -> None:
        identity.insert_project(conn, ProjectRow("acme", "Acme", 100, 0))
        programmes.insert_funder(conn, FunderRow("city", "The City", 0))
        for asset in ("CNY", "shots"):
            programmes.insert_programme(conn, ProgrammeRow(asset, "city", asset, asset, 0))
        books = book.load_book(conn, programme_ids=["CNY", "shots"], project_ids=["acme"])
        commands = [FundProgramme(0, asset, asset, "city", asset, 10**9) for asset in ("CNY", "shots")]
        entries = []
        for command in (*commands, *[IssueGrant(0, grant) for grant in grants]):
            entry = decide(books, command)
            assert isinstance(entry, Entry)
            apply(books, entry)
            entries.append(entry)
        if held:
            entry = decide(books, PlaceHold(50, "job-1", "acme", "CNY", (Line("job", 1, held),)))
            assert isinstance(entry, Entry)
            apply(books, entry)
            entries.append(entry)
        book.record(conn, entries, books)

    database.writer.run(unit)


def grant(name: str, amount: int, from_us: int = 0, until_us: int = 100, asset: str = "CNY") -> Grant:
    return Grant(name, asset, (("city", 1),), "acme", asset, amount, from_us, until_us, 0, 0)


def read(database: Database, at_us: int) -> dict[str, Drawn]:
    with database.read() as conn:
        return drawn_of(conn, "acme", at_us)


def test_nobody_who_was_granted_nothing_has_used_any(database: Database) -> None:
    assert read(database, 5) == {}


def test_what_is_held_counts_as_used_over_all_valid_grants(database: Database) -> None:
    granted(database, grant("one", 100), grant("two", 50), held=120)
    assert read(database, 50) == {"CNY": Drawn(150, 120)}


def test_grants_of_another_time_do_not_count_and_each_asset_counts_alone(database: Database) -> None:
    granted(database, grant("now", 100), grant("later", 70, 60), grant("kind", 7, asset="shots"), held=30)
    assert read(database, 50) == {"CNY": Drawn(100, 30), "shots": Drawn(7, 0)}
    assert read(database, 60) == {"CNY": Drawn(170, 30), "shots": Drawn(7, 0)}
    assert read(database, 100) == {}
