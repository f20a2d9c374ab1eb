"""The ledger's random commands, written to a real database as they go: what is loaded of it decides as the whole would.

Each command is decided three times: on the whole book in memory, side by side with the naive one (see
tests/ledger/test_properties.py), and on the part that a transaction loads. A crash between its statements leaves
nothing behind; and what is cached can be thrown away, for the entries lead to it.

QUBATOR_LEDGER_SEQUENCES=10000 pytest --timeout 0 plays so many sequences on each database.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from dispatcher.auditor import audit_ledger
from ledger.commands import (
    Command,
    CorrectJob,
    FundProgramme,
    IssueGrant,
    PayOut,
    PlaceHold,
    SettleHold,
    TopUp,
    TransferGrant,
    VoidHold,
)
from ledger.core import apply, decide
from ledger.invariants import audit, replay
from ledger.model import Entry, Refusal
from store import book as book_store
from store import budgets, identity, programmes
from store import terms as terms_store
from store.database import Connection, Database, open_database
from store.rows import FunderRow, ProgrammeRow, ProjectRow

SEQUENCES = int(os.environ.get("QUBATOR_LEDGER_SEQUENCES", "30"))


def _properties() -> Any:
    path = Path(__file__).parents[1] / "ledger" / "test_properties.py"
    spec = spec_from_file_location("ledger_properties", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PROPERTIES = _properties()


class Crash(Exception):  # noqa: N818 - named for what it is
    """The process dies between two statements."""


class StoredMachine(PROPERTIES.LedgerMachine):  # type: ignore[misc,name-defined]
    """The same commands, recorded."""

    def __init__(self, fresh: Callable[[], Database]) -> None:
        super().__init__()
        self.database = fresh()
        self.asked = 0

        def unit(connection: Connection) -> None:
            programmes.insert_funder(connection, FunderRow("city", "City", 0))
            for number, project_id in enumerate(("acme", "rival")):
                identity.insert_project(connection, ProjectRow(project_id, project_id, 100, number))
            for number, programme_id in enumerate(PROPERTIES.PROGRAMMES):
                row = ProgrammeRow(programme_id, "city", programme_id, "CNY", number)
                programmes.insert_programme(connection, row)

        self.database.writer.run(unit)

    def _put_terms(self, terms: Any) -> None:
        super()._put_terms(terms)
        self.database.writer.run(lambda conn: terms_store.insert_terms(conn, terms, self.at_us))

    def _ask(self, command: Command) -> str:
        for budget in self.blackboard.budgets:
            self.database.writer.run(lambda conn, budget=budget: budgets.put(conn, budget))
        self.asked += 1
        whole = decide(self.book, command)
        if self.asked % 5 == 0:
            with pytest.raises(Crash):
                self.database.writer.run(lambda conn: self._record(conn, command, crash=True))
        written = self.database.writer.run(lambda conn: self._record(conn, command, crash=False))
        assert written == whole
        return str(super()._ask(command))

    def _record(self, connection: Connection, command: Command, *, crash: bool) -> Entry | Refusal:
        books = book_store.load_book(connection, **_subjects(command))
        answer = decide(books, command)
        if isinstance(answer, Entry):
            apply(books, answer)
            book_store.record(connection, [answer], books)
        if crash:
            raise Crash
        return answer

    def teardown(self) -> None:
        super().teardown()
        with self.database.read() as connection:
            entries = list(book_store.all_entries(connection))
            stored = book_store.whole_book(connection)
            books = audit_ledger(connection)
        self.database.close()
        assert entries == self.entries
        assert (stored.holds, stored.grants) == (self.book.holds, self.book.grants)
        assert PROPERTIES._standing(stored.balances) == PROPERTIES._standing(self.book.balances)
        assert PROPERTIES._standing(stored.claims) == PROPERTIES._standing(self.book.claims)
        assert audit(entries, stored) == []
        assert (books.violations, books.counts["entries"]) == ([], len(entries))
        rebuilt, odd = replay(entries)
        assert odd == []
        assert (rebuilt.holds, rebuilt.grants) == (stored.holds, stored.grants), "what is cached may be thrown away"


def _subjects(command: Command) -> dict[str, Any]:
    """What the service would load for a command."""
    match command:
        case PlaceHold():
            return {"project_ids": [command.project_id], "job_ids": [command.job_id], "year": command.claimant.year}
        case SettleHold() | VoidHold() | CorrectJob():
            return {"job_ids": [command.job_id]}
        case FundProgramme():
            return {"programme_ids": [command.programme_id]}
        case IssueGrant():
            return {"programme_ids": [command.grant.programme_id], "grant_ids": [command.grant.id]}
        case TopUp() | PayOut():
            return {"project_ids": [command.project_id]}
        case TransferGrant():
            return {"grant_ids": [command.grant_id, command.to_grant_id]}
        case _:
            return {"grant_ids": [command.grant_id]}


_NUMBERS = itertools.count(1)


@pytest.fixture
def fresh_sqlite(sqlite_template: Path, tmp_path: Path) -> Callable[[], Database]:
    def fresh() -> Database:
        for old in tmp_path.glob("machine-*"):
            old.unlink()
        path = tmp_path / f"machine-{next(_NUMBERS)}.sqlite"
        shutil.copyfile(sqlite_template, path)
        return open_database(f"sqlite:///{path}")

    return fresh


@pytest.fixture
def fresh_postgres(postgres_server: Any) -> Callable[[], Database]:
    names: list[str] = []

    def fresh() -> Database:
        # Ten thousand of them would fill a disk.
        while names:
            postgres_server.run(f"DROP DATABASE {names.pop()} WITH (FORCE)")
        name = f"machine_{next(_NUMBERS)}"
        names.append(name)
        postgres_server.run(f"CREATE DATABASE {name} TEMPLATE template_migrated STRATEGY file_copy")
        return open_database(postgres_server.url_of(name))

    return fresh


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_whatever_is_asked_the_database_and_the_book_agree(kind: str, request: pytest.FixtureRequest) -> None:
    fresh: Callable[[], Database] = request.getfixturevalue(f"fresh_{kind}")
    run_state_machine_as_test(
        lambda: StoredMachine(fresh),
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=30,
            deadline=None,
            # Shrinking would play hundreds of databases more; the ledger's own machine finds the small case.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
