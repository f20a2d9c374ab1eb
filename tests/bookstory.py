"""The books of a small facility, told entry by entry: in memory, and in a database if there is one.

Two startups, three funders, three programmes, an autumn. Every figure can be worked out by hand:

- "vouchers" is paid 2:1 by the city and the district, 60 % of every job, at most 500,000 a project and year of a pool
  of 2,000,000; "kind" gives QPU time of the university's. A job costs 1,000 and 500 a millisecond.
- acme has the voucher grant "g-acme" of 1,000,000 until December begins, and 300,000 in its wallet; zeta has the
  voucher grant "g-zeta" of 100,000, the grant in kind "g-kind" of 1,000 ms, and 10,000 in its wallet.
- October: job a is settled at 101 ms; jobs b and c are held. Then October is closed.
- November: b (300 ms, corrected to 200), c (10 ms; settled as of the last minutes of October, after the close), d (500
  ms, held for 400: 50,000 to the facility), z of zeta (40 ms in kind); a is corrected to 51 ms; 50,000 go from g-acme
  to g-zeta, 9,400 of it are clawed back.
- December: what is left of g-acme expires.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.ground import Ground
from dispatcher.model import Caller
from dispatcher.room import Room
from dispatcher.rules import Rules
from ledger import core
from ledger.book import Book
from ledger.commands import (
    ClawBack,
    Command,
    CorrectJob,
    ExpireGrant,
    FundProgramme,
    IssueGrant,
    PlaceHold,
    SettleHold,
    TopUp,
    TransferGrant,
)
from ledger.flows import JobFacts
from ledger.model import Entry, Grant, Line
from ledger.months import Month
from ledger.terms import Claimant, Rule, Terms
from store import book as book_store
from store import identity, jobs, programmes, terms
from store.blobs import Blobs
from store.database import Connection, Database
from store.rows import FunderRow, JobRow, MemberRow, ProgrammeRow, ProjectRow

ZONE = ZoneInfo("Asia/Shanghai")
CNY = "CNY"
OPERATOR = Caller("op", None, "operator", "t")
OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)
VOUCHERS = (("city", 2), ("district", 1))
FUNDERS = {"city": "The City", "district": "The District", "uni": "The University"}
PROGRAMMES = {
    "vouchers": ProgrammeRow("vouchers", "city", "Vouchers 2026", CNY, 0, VOUCHERS),
    "kind": ProgrammeRow("kind", "uni", "QPU time", "qpu_ms", 0, (("uni", 1),)),
}
TERMS = Terms("vouchers", 1, (Rule(600_000),), cap_project_year=500_000, pool_year=2_000_000)


def at(text: str) -> int:
    """An instant of 2026 by the facility's clocks: "10-31 23:50"."""
    return int(datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).timestamp()) * 1_000_000


def lines(qpu_ms: int) -> tuple[Line, ...]:
    """What a job of so many milliseconds costs."""
    return (Line("job", 1, 1_000, 1, "card/job"), Line("qpu_ms", qpu_ms, 500, 1, "card/qpu"))


@dataclass
class Story:
    """`entries` with their numbers are those of the database, from 1 on; `facts` tell the jobs."""

    database: Database | None = None
    book: Book = field(default_factory=Book.empty)
    entries: list[Entry] = field(default_factory=list)
    facts: dict[str, JobFacts] = field(default_factory=dict)

    @classmethod
    def autumn(cls, database: Database | None = None) -> Story:
        """Everything up to the end of the year; October is not closed."""
        story = cls(database)
        story.october()
        story.november()
        story.december()
        return story

    def post(self, command: Command) -> Entry:
        """Decide and apply; it must not be refused."""
        entry = core.decide(self.book, command)
        assert isinstance(entry, Entry), entry
        core.apply(self.book, entry)
        self.entries.append(entry)
        if self.database is not None:
            self.database.writer.run(lambda conn: book_store.record(conn, [entry], self.book))
        return entry

    def begin(self) -> None:
        """Who there is."""
        self.book.terms["vouchers"] = TERMS
        if self.database is not None:
            self.database.writer.run(_people)

    def october(self) -> None:
        """Budgets, grants, wallets; job a; what b and c hold."""
        self.begin()
        for funder, amount in (("city", 2_000_000), ("district", 1_000_000)):
            self.post(FundProgramme(at("10-01 08:00"), f"v-{funder}", "vouchers", funder, CNY, amount))
        self.post(FundProgramme(at("10-01 08:00"), "k-uni", "kind", "uni", "qpu_ms", 5_000))
        self.grant("g-acme", "acme", 1_000_000, at("12-01 00:00"), "10-01 09:00")
        self.post(TopUp(at("10-10 09:00"), "t-acme", "acme", CNY, 300_000))
        self.hold("a", "acme", "acme-ann", "chemistry", "10-12 10:00")
        self.settle("a", 101, "10-12 10:01")
        self.hold("b", "acme", "acme-bob", "general", "10-31 23:30")
        self.hold("c", "acme", "acme-bob", "general", "10-31 23:40")

    def november(self) -> None:
        """What is posted after October is over; c is settled as of October."""
        self.settle("b", 300, "11-01 00:10")
        self.settle("c", 10, "10-31 23:50")
        self.grant("g-zeta", "zeta", 100_000, at("12-31 00:00"), "11-03 09:00")
        kind = Grant(
            "g-kind", "kind", (("uni", 1),), "zeta", "qpu_ms", 1_000, 0, at("12-20 00:00"), 0, at("11-03 09:00")
        )
        self.post(IssueGrant(at("11-03 09:00"), kind))
        self.post(TopUp(at("11-03 10:00"), "t-zeta", "zeta", CNY, 10_000))
        self.post(TransferGrant(at("11-04 09:00"), "move", "g-acme", "g-zeta", 50_000, "zeta has more to do"))
        self.hold("z", "zeta", "zeta-eve", "research", "11-05 09:00", ceiling_ms=100)
        self.settle("z", 40, "11-05 09:01")
        self.post(ClawBack(at("11-06 09:00"), "claw", "g-zeta", 9_400, "given by mistake"))
        self.post(CorrectJob(at("11-15 09:00"), "fix-a", "a", lines(51), "the meter ran on"))
        self.post(CorrectJob(at("11-16 09:00"), "fix-b", "b", lines(200), "slow cooling"))
        self.hold("d", "acme", "acme-ann", "chemistry", "11-20 10:00")
        self.settle("d", 500, "11-20 10:02")

    def december(self) -> None:
        """The end of g-acme."""
        self.post(ExpireGrant(at("12-01 00:00"), "g-acme"))

    def grant(self, grant_id: str, project_id: str, amount: int, until_us: int, when: str) -> None:
        """A grant of vouchers."""
        grant = Grant(grant_id, "vouchers", VOUCHERS, project_id, CNY, amount, 0, until_us, 0, at(when))
        self.post(IssueGrant(at(when), grant))

    def hold(
        self, job_id: str, project_id: str, member_id: str, category: str, when: str, *, ceiling_ms: int = 400
    ) -> None:
        """A job that may cost 1,000 and 500 for each of `ceiling_ms`."""
        claimant = Claimant(member_id=member_id, category=category, backend="aer", provider="aer", year=2026)
        facts = JobFacts(job_id, project_id, member_id, category, "aer", f"job {job_id}", ("tagged",), at(when))
        self.facts[job_id] = facts
        if self.database is not None:
            self.database.writer.run(lambda conn: jobs.insert_jobs(conn, [_row(facts, at(when))]))
        self.post(PlaceHold(at(when), job_id, project_id, CNY, lines(ceiling_ms), claimant))

    def settle(self, job_id: str, used_ms: int, when: str) -> None:
        """The job has used so many milliseconds."""
        self.post(SettleHold(at(when), job_id, lines(used_ms)))

    def seq(self, entry_id: str) -> int:
        """The number of an entry."""
        return 1 + [entry.id for entry in self.entries].index(entry_id)


@dataclass
class Books:
    """A story in a database and a room over it, whose clock is set by hand. No job can be submitted here."""

    story: Story
    folder: Path
    now_us: int = 0

    def __post_init__(self) -> None:
        assert self.story.database is not None
        self.database = self.story.database
        numbers = itertools.count(1)
        self.room = Room(
            Ground(
                database=self.database,
                blobs=Blobs(self.folder / "blobs"),
                inspector=_NoInspector(),
                rules=Rules(zone=ZONE, facility="Zone 1"),
                now_us=lambda: self.now_us,
                new_id=lambda prefix: f"{prefix}-{next(numbers)}",
            )
        )

    def clock(self, text: str) -> Books:
        """Set it: "11-02 09:00"."""
        self.now_us = at(text)
        return self

    def at(self, text: str) -> int:
        """See `at`."""
        return at(text)

    def lines(self, qpu_ms: int) -> tuple[Line, ...]:
        """See `lines`."""
        return lines(qpu_ms)

    def statement(self, project_id: str, month: str, caller: Caller = OPERATOR) -> dict[str, Any]:
        """The statement, which must not be refused."""
        found = self.room.month_statement(caller, project_id, month)
        assert isinstance(found, dict), found
        return found

    def close(self, month: str) -> dict[str, Any]:
        """Close a month, which must not be refused."""
        found = self.room.close_month(OPERATOR, month)
        assert isinstance(found, dict), found
        return found

    def live_through_autumn(self) -> Books:
        """October is closed on November 2, before c is settled as of October; then it is December 2."""
        self.story.october()
        self.clock("11-02 09:00").close("2026-10")
        self.story.november()
        self.story.december()
        return self.clock("12-02 09:00")


class _NoInspector:
    def inspect(self, works: Sequence[bytes]) -> list[Any]:
        raise AssertionError("no job is submitted here")

    def routes(self, work: bytes) -> Any:
        raise AssertionError("nobody asks for a route here")

    def ready(self) -> bool:
        return False


def _people(conn: Connection) -> None:
    for project_id, members in (("acme", ("ann", "bob")), ("zeta", ("eve",))):
        identity.insert_project(conn, ProjectRow(project_id, project_id.title(), 100, 0))
        for name in members:
            identity.insert_member(conn, MemberRow(f"{project_id}-{name}", project_id, name.title(), "member", 0))
    for funder_id, name in FUNDERS.items():
        programmes.insert_funder(conn, FunderRow(funder_id, name, 0))
    for row in PROGRAMMES.values():
        programmes.insert_programme(conn, row)
    terms.insert_terms(conn, TERMS, 0)


_ROW = JobRow(
    id="",
    project_id="",
    member_id="",
    primitive="sampler",
    name=None,
    state="queued",
    version=1,
    priority=0,
    backend_asked="auto",
    backend="aer",
    tags=(),
    metadata={},
    request_hash="",
    idempotency_key=None,
    work_hash="",
    created_us=0,
    started_us=None,
    ended_us=None,
    time_limit_us=1,
    max_cost=None,
    estimate_us=1,
    quote={},
    findings={},
)


def _row(facts: JobFacts, created_us: int) -> JobRow:
    return replace(
        _ROW,
        id=facts.job_id,
        project_id=facts.project_id,
        member_id=facts.member_id,
        category=facts.category,
        backend=facts.backend,
        name=facts.name,
        tags=facts.tags,
        created_us=created_us,
        started_us=facts.started_us,
    )
