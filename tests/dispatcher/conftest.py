"""A zone to tell stories in: real store, ledger, scheduler, dispatcher; clock, inspector and executor by the script."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest

from backends.catalogue import catalogue
from backends.findings import CircuitFindings, Findings
from backends.rejected import Rejection
from dispatcher.admission import Accepted
from dispatcher.auditor import audit_store
from dispatcher.ground import Ground
from dispatcher.loop import Dispatcher
from dispatcher.model import Caller, GrantTerms, Refusal, Role, Submission
from dispatcher.room import Room
from dispatcher.rules import Rules
from ledger.model import CNY, FULL_PPM
from ledger.rates import RateLine
from ledger.terms import Budget, Rule, Terms
from scheduler.policy import Policy
from store import budgets, identity, leader, rate_lines, schema
from store import terms as terms_store
from store.blobs import Blobs
from store.database import Connection, Database
from store.rows import JobRow
from workers.port import Capabilities, Failed, Held, Order, Seen, Started, Stopped, Succeeded
from workers.questions import Routes

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
OPERATOR = Caller("mem-operator", None, "operator", "tok-operator")
AUDITOR = Caller("mem-auditor", None, "auditor", "tok-auditor")
RESULT = b'{"v":1,"pubs":[]}'


@dataclass
class Clock:
    """Stands still until told otherwise."""

    at_us: int = NOW_US

    def now_us(self) -> int:
        return self.at_us

    def pass_(self, seconds: float) -> int:
        self.at_us += int(seconds * SECOND_US)
        return self.at_us


@dataclass
class ScriptedInspector:
    """The work says what there is to be found in it: {"shots", "qubits", …}, or {"reject": [code, detail]}."""

    inspected: list[bytes] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def inspect(self, works: Sequence[bytes]) -> list[Findings | Rejection]:
        self.before()
        self.inspected += works
        return [self._find(orjson.loads(work)) for work in works]

    def routes(self, work: bytes) -> Routes | Rejection:
        found = self.inspect([work])[0]
        return found if isinstance(found, Rejection) else Routes({"findings": found.to_json(), "ideal": {}})

    def ready(self) -> bool:
        return True

    @staticmethod
    def _find(told: dict[str, Any]) -> Findings | Rejection:
        if "reject" in told:
            code, detail = told["reject"]
            return Rejection(code, detail, {"circuit": 0})
        qubits, shots = told.get("qubits", 2), told.get("shots", 1_000)
        numbers: dict[str, Any] = {one.name: 0 for one in fields(CircuitFindings)}
        numbers |= {"qubits": qubits, "active": qubits, "clbits": qubits, "depth": 2, "executions": 1, "shots": shots}
        circuit = CircuitFindings(**numbers | {"clifford": told.get("clifford", True), "measured": True})
        return Findings("sampler", (circuit,), 1, 1, 1, shots, qubits, 100)


class ScriptedExecutor:
    """Keeps what it is told to start and to stop; the story makes its observations."""

    def __init__(self, slots: int = 1, pipeline: int = 0, backends: tuple[str, ...] = ()) -> None:
        names = backends or tuple(spec.name for spec in catalogue())
        self._offer = Capabilities(slots, pipeline, names)
        self.orders: list[Order] = []
        self.stops: list[tuple[str, int]] = []
        self.held: dict[tuple[str, int], Held] = {}
        self.closed = False
        self._known: set[tuple[str, int]] = set()
        self._seen: list[Seen] = []
        self._woken = False
        self._changed = threading.Condition()

    def capabilities(self) -> Capabilities:
        return self._offer

    def inventory(self) -> tuple[Held, ...]:
        return tuple(self.held.values())

    def start(self, order: Order) -> None:
        with self._changed:
            key = (order.attempt_id, order.token)
            if key in self._known:
                return
            self._known.add(key)
            self.orders.append(order)
            self.held[key] = Held(*key, started=False)
            self._changed.notify_all()

    def stop(self, attempt_id: str, token: int) -> None:
        with self._changed:
            self.stops.append((attempt_id, token))
            self._changed.notify_all()

    def observe(self, timeout_s: float) -> list[Seen]:
        with self._changed:
            self._changed.wait_for(lambda: self._seen or self._woken or self.closed, timeout_s)
            seen, self._seen, self._woken = self._seen, [], False
            return seen

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    # What the story says.

    def say(self, *seen: Seen) -> None:
        with self._changed:
            for one in seen:
                key = (one.attempt_id, one.token)
                if isinstance(one, Started):
                    if key in self.held:
                        self.held[key] = replace(self.held[key], started=True)
                else:
                    self.held.pop(key, None)
                self._seen.append(one)
            self._changed.notify_all()

    def order(self, number: int = -1) -> Order:
        """The order of that number; waits for it when it is not there yet."""
        with self._changed:
            if number >= 0:
                assert self._changed.wait_for(lambda: len(self.orders) > number, 10), self.orders
            return self.orders[number]


@dataclass
class Zone:
    """One store with its room, and a dispatcher that is led by hand: `turn` is one cycle of its loop."""

    operator: ClassVar[Caller] = OPERATOR
    auditor: ClassVar[Caller] = AUDITOR
    submission: ClassVar[Callable[..., Submission]] = staticmethod(lambda **changes: submission(**changes))

    database: Database
    folder: Path
    rules: Rules = field(default_factory=Rules)
    policy: Policy = field(default_factory=Policy)
    clock: Clock = field(default_factory=Clock)
    inspector: ScriptedInspector = field(default_factory=ScriptedInspector)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.ground = self.new_ground()
        self.room = Room(self.ground)
        self.executor = ScriptedExecutor()
        self.dispatcher = self.new_dispatcher(self.executor)
        self.epoch = 0

    def new_ground(self, database: Database | None = None) -> Ground:
        """What another process over the same store would stand on."""
        return Ground(
            database=database or self.database,
            blobs=Blobs(self.folder / "blobs", clock_us=self.clock.now_us),
            inspector=self.inspector,
            rules=self.rules,
            now_us=self.clock.now_us,
            new_id=lambda prefix: f"{prefix}-{next(self._numbers):06d}",
        )

    def new_dispatcher(self, executor: ScriptedExecutor | None, ground: Ground | None = None) -> Dispatcher:
        worker_id = f"local-{next(self._numbers):06d}"
        return Dispatcher(ground or self.ground, self.policy, executor=executor, worker_id=worker_id, host="here")

    # Who there is.

    def startup(self, name: str = "acme", *, grant: int | None = 10**7, role: Role = "admin", **terms: Any) -> Caller:
        """A member of a new project with a grant (None: without one)."""
        project = self.room.create_project(OPERATOR, name)
        assert not isinstance(project, Refusal), project
        if grant is not None:
            self.grant(project.id, grant, **terms)
        return self.member(project.id, role)

    def member(self, project_id: str, role: Role) -> Caller:
        row = self.room.create_member(OPERATOR, project_id, "Ann", role)
        assert not isinstance(row, Refusal), row
        return Caller(row.id, project_id, role, f"tok-{row.id}")

    def funder(self, name: str) -> str:
        """The funder of that name, made if there is none."""
        known = self.room.list_funders(OPERATOR)
        assert not isinstance(known, Refusal)
        found = next((one for one in known if one.name == name), None) or self.room.create_funder(OPERATOR, name)
        assert not isinstance(found, Refusal), found
        return found.id

    def programme(
        self, name: str, *funders: tuple[str, int], budget: int = 10**15, asset: str = CNY, **terms: Any
    ) -> str:
        """A programme of funders by name and weight (the city's alone if none is named), with terms if any are told."""
        shares = [(self.funder(funder), weight) for funder, weight in funders or (("city", 1),)]
        made = self.room.create_programme(OPERATOR, name, shares, asset, budget)
        assert not isinstance(made, Refusal), made
        if terms:
            self.terms(made.id, **terms)
        return made.id

    def terms(self, programme_id: str, *rules: Rule, version: int = 1, share_ppm: int = FULL_PPM, **told: Any) -> Terms:
        """A version of a programme's terms: the rules, or one for everybody."""
        terms = Terms(programme_id, version, rules or (Rule(share_ppm),), **told)
        self.write(lambda conn: terms_store.insert_terms(conn, terms, self.clock.now_us()))
        return terms

    def grant(
        self,
        project_id: str,
        amount: int,
        *,
        until_us: int = NOW_US + DAY_US,
        priority: int = 0,
        programme_id: str | None = None,
        asset: str = CNY,
        **restrictions: tuple[str, ...],
    ) -> str:
        """A grant of the programme "vouchers", or of the one that is named."""
        programmes = self.room.list_programmes(OPERATOR)
        assert not isinstance(programmes, Refusal)
        vouchers = (row.id for row, _ in programmes if row.name == "vouchers")
        chosen = programme_id or next(vouchers, None) or self.programme("vouchers")
        now = self.clock.now_us()
        wanted = GrantTerms(project_id, chosen, asset, amount, now, until_us, priority, **restrictions)
        made = self.room.issue_grant(OPERATOR, wanted)
        assert not isinstance(made, Refusal), made
        return made.id

    def top_up(self, project_id: str, amount: int) -> None:
        made = self.room.top_up(OPERATOR, project_id, amount, f"top-{next(self._numbers)}")
        assert not isinstance(made, Refusal), made

    def rate(self, resource: Any, unit_price: int, quantum: int = 1, **told: Any) -> RateLine:
        """A new line of the rate card, in force from now on."""
        told = {"valid_from_us": self.clock.now_us(), "created_us": self.clock.now_us()} | told
        line = RateLine(f"rate-{next(self._numbers)}", resource, unit_price, quantum, **told)
        self.write(lambda conn: rate_lines.insert_lines(conn, [line]))
        return line

    def budget(self, project_id: str, kind: str, key: str, limit: int) -> None:
        self.write(lambda conn: budgets.put(conn, Budget(project_id, kind, key, limit)))

    def describe(self, project_id: str, **told: Any) -> None:
        row = self.room.get_project(OPERATOR, project_id)
        assert row is not None
        self.write(lambda conn: identity.describe_project(conn, replace(row, **told)))

    # What they do.

    def submit(self, caller: Caller, **changes: Any) -> JobRow:
        answer = self.ask(caller, **changes)
        assert isinstance(answer, Accepted), answer
        assert answer.created
        return answer.job

    def ask(self, caller: Caller, **changes: Any) -> Accepted | Refusal:
        return self.room.submit(caller, [submission(**changes)])[0]

    def job(self, job: JobRow | str) -> JobRow:
        found = self.room.job(OPERATOR, job if isinstance(job, str) else job.id)
        assert found is not None
        return found

    def story(self, job: JobRow | str) -> list[str]:
        """The states a job went through."""
        return [row.state for row in self.room.history(OPERATOR, job if isinstance(job, str) else job.id)]

    def figures(self, caller: Caller) -> dict[str, int]:
        """Where the caller's project stands, without its expired and granted sums."""
        assert caller.project_id is not None
        balance = self.room.balance(OPERATOR, caller.project_id)
        assert isinstance(balance, dict)
        return {name: balance[name] for name in ("settled", "held", "available", "expired")}

    def violations(self) -> list[str]:
        return audit_store(self.database).violations

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.database.read() as conn:
            return {
                name: conn.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one()
                for name in schema.metadata.tables
            }

    def write(self, unit: Callable[[Connection], Any]) -> Any:
        return self.database.writer.run(unit)

    # The dispatcher, by hand.

    def lead(self) -> None:
        """A new epoch, and the state of the store taken over."""
        self.epoch = self.write(lambda conn: leader.acquire(conn, "dispatcher", "here"))
        self.dispatcher._recover(self.epoch)

    def turn(self) -> list[Order]:
        """What the executor has seen, then one cycle; returns the orders that were started by it."""
        before = len(self.executor.orders)
        self.dispatcher._pending += self.dispatcher._overseer.reports(self.executor.observe(0))
        self.dispatcher._cycle(self.epoch)
        return self.executor.orders[before:]

    def restart(self) -> None:
        """The process is gone with its workers and its memory; another one begins on the same store."""
        self.ground = self.new_ground()
        self.room = Room(self.ground)
        self.executor = ScriptedExecutor()
        self.dispatcher = self.new_dispatcher(self.executor)
        self.lead()

    def started(self, order: Order) -> None:
        self.executor.say(Started(order.attempt_id, order.token, self.clock.now_us()))

    def succeeded(
        self, order: Order, *, used_us: int = 3_000, result: bytes | Path = RESULT, shots: int = 1_000
    ) -> None:
        now = self.clock.now_us()
        self.executor.say(Succeeded(order.attempt_id, order.token, now, result, used_us, used_us, shots))

    def failed(self, order: Order, kind: Any, *, used_us: int = 0, code: str = "", **fields: Any) -> None:
        now = self.clock.now_us()
        self.executor.say(Failed(order.attempt_id, order.token, now, kind, code, f"it was a {kind}", fields, used_us))

    def stopped(self, order: Order, *, used_us: int = 0) -> None:
        self.executor.say(Stopped(order.attempt_id, order.token, self.clock.now_us(), used_us))

    def run(self, caller: Caller, **changes: Any) -> JobRow:
        """A job from its submission to its success."""
        job = self.submit(caller, **changes)
        (order,) = self.turn()
        self.started(order)
        self.turn()
        self.succeeded(order)
        self.turn()
        return self.job(job)


def submission(**changes: Any) -> Submission:
    """A sampler job of 1,000 shots; `work` may be given as the dict that the scripted inspector reads."""
    work = changes.pop("work", {})
    content = work if isinstance(work, bytes) else orjson.dumps({"shots": 1_000, **work})
    told = sorted((name, str(value)) for name, value in changes.items() if name != "idempotency_key")
    request_hash = hashlib.sha256(content + str(told).encode()).hexdigest()
    asked: dict[str, Any] = {"primitive": "sampler", "work": content, "backend": "auto", "request_hash": request_hash}
    return Submission(**asked | changes)


@pytest.fixture
def zone(sqlite_database: Database, tmp_path: Path) -> Zone:
    return Zone(sqlite_database, tmp_path)


@pytest.fixture
def led(zone: Zone) -> Zone:
    """A zone whose dispatcher leads."""
    zone.lead()
    return zone


@pytest.fixture
def everywhere(database: Database, tmp_path: Path) -> Zone:
    """A zone on each kind of database."""
    return Zone(database, tmp_path)
