"""A room on a real store, an application around it, and people of every role; only the inspector is of paper."""

from __future__ import annotations

import copy
import itertools
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from api.app import create_app, release_waiters
from api.limits import ApiLimits
from backends.findings import CircuitFindings, Findings
from backends.route_document import document
from dispatcher.ground import Ground
from dispatcher.model import Caller, GrantTerms, Refusal, Role
from dispatcher.room import Room
from dispatcher.rules import Rules
from store import jobs
from store.blobs import Blobs
from store.database import Database, open_database
from store.rows import JobChange, JobState
from workers.inspector import Rejection
from workers.questions import Routes

BELL = {"format": "openqasm2", "content": "qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;"}
SAMPLER: dict[str, Any] = {"primitive": "sampler", "pubs": [{"circuit": BELL, "shots": 100}]}
ESTIMATOR: dict[str, Any] = {"primitive": "estimator", "pubs": [{"circuit": BELL, "observables": ["ZZ"]}]}
RESULT = b'{"v":1,"primitive":"sampler","pubs":[],"metadata":{}}'


class PaperInspector:
    """Believes in every circuit, except in one whose text is "refuse: CODE"; keeps the works it was shown."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def inspect(self, works: Sequence[bytes]) -> list[Findings | Rejection]:
        self.seen += works
        self.entered.set()
        assert self.may_go_on.wait(20)
        return [self._measure(orjson.loads(work)) for work in works]

    def routes(self, work: bytes) -> Routes | Rejection:
        (found,) = self.inspect([work])
        return found if isinstance(found, Rejection) else Routes({"findings": found.to_json(), "ideal": document(())})

    def ready(self) -> bool:
        return True

    def _measure(self, work: dict[str, Any]) -> Findings | Rejection:
        for circuit in work["circuits"]:
            text, _, code = circuit["content"].partition(": ")
            if text == "refuse":
                return Rejection(code, f"refused as {code}", {"limit": 7})
        shots = sum(pub.get("shots", 0) for pub in work["pubs"])
        count = len(work["pubs"])
        circuit = CircuitFindings(2, 2, 3, 1, 1, 4, True, True, 0, False, False, count, shots)
        return Findings(work["primitive"], (circuit,), count, count, count, shots, 2, shots)


@dataclass
class House:
    """Everything a test may want to touch."""

    database: Database
    ground: Ground
    room: Room
    inspector: PaperInspector
    secrets: dict[str, str] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    def caller(self, who: str) -> Caller:
        found = self.room.authenticate(self.secrets[who])
        assert isinstance(found, Caller)
        return found

    def headers(self, who: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secrets[who]}"}

    def fund(self, project: str, micro: int, **change: Any) -> str:
        """A project of its own with one grant of `micro`, and a member who is called as the project is."""
        operator, now_us = self.caller("operator"), self.room.now_us()
        made = self.room.create_project(operator, project, 100)
        assert not isinstance(made, Refusal)
        self.member(project, made.id, "member")
        programmes = self.room.list_programmes(operator)
        assert not isinstance(programmes, Refusal)
        terms = {"valid_from_us": now_us, "valid_until_us": now_us + 10**12, **change}
        wanted = GrantTerms(made.id, programmes[0][0].id, "CNY", micro, priority=0, **terms)
        assert not isinstance(self.room.issue_grant(operator, wanted), Refusal)
        return made.id

    def member(self, who: str, project: str | None, role: Role, expires_us: int | None = None) -> str:
        operator = self.caller("operator")
        member = self.room.create_member(operator, project, who, role)
        assert not isinstance(member, Refusal)
        made = self.room.create_token(operator, project, member.id, role, who, expires_us)
        assert not isinstance(made, Refusal)
        self.secrets[who] = made[1]
        return member.id

    def move(self, job_id: str, state: JobState, reason: str = "", **change: Any) -> None:
        """Let the job take a step, as the dispatcher would."""
        step = JobChange(job_id, self.room.now_us(), state, reason or state, **change)
        self.database.writer.run(lambda conn: jobs.advance(conn, [step]))

    def finish(self, job_id: str, result: bytes = RESULT, **figures: Any) -> None:
        """Let the job succeed with a result and a receipt, which `figures` make a whole one."""

        def unit(conn: Any) -> None:
            kept = self.ground.blobs.put(conn, result)
            receipt = {"job_id": job_id, "charged": 2_603, "asset": "CNY", **figures}
            step = JobChange(
                job_id,
                self.room.now_us(),
                "succeeded",
                "done",
                ended_us=self.room.now_us(),
                result_hash=kept,
                result_size=len(result),
                usage={"qpu_ms": 3, "shots": 100, "cpu_ms": 3},
                receipt=receipt,
            )
            jobs.advance(conn, [step])

        self.database.writer.run(unit)

    def books(self) -> tuple[dict[str, Any], int]:
        """The balance of project moz and how many jobs there are: what a refusal must leave as it was."""
        operator = self.caller("operator")
        balance = self.room.balance(operator, self.projects["moz"])
        assert not isinstance(balance, Refusal)
        with self.database.read() as conn:
            return balance, sum(jobs.count_by_state(conn, None).values())


@contextmanager
def built(folder: Path) -> Iterator[House]:
    """A house on the migrated database in `folder`; nobody lives there yet."""
    database = open_database(f"sqlite:///{folder / 'house.sqlite'}")
    numbers = itertools.count(1)
    inspector = PaperInspector()
    ground = Ground(
        database=database,
        blobs=Blobs(folder / "blobs", max_bytes=1_000_000_000),
        inspector=inspector,
        rules=Rules(queued_max=5_000),
        now_us=lambda: time.time_ns() // 1_000,
        new_id=lambda prefix: f"{prefix}_{folder.name[:20]}{next(numbers):06d}",
    )
    database.listen(ground.changes.publish)
    why: dict[str, str] = {}
    yield House(database, ground, Room(ground, why.get), inspector, why=why)
    database.close()


@dataclass
class Template:
    """A house with two projects, their people and their grants, to be copied: people take some twenty commits."""

    folder: Path
    secrets: dict[str, str]
    projects: dict[str, str]

    @contextmanager
    def copied(self, folder: Path) -> Iterator[House]:
        """The same house once more, in `folder`."""
        shutil.copyfile(self.folder / "house.sqlite", folder / "house.sqlite")
        with built(folder) as house:
            house.secrets.update(self.secrets)
            house.projects.update(self.projects)
            yield house


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Template:
    folder = tmp_path_factory.mktemp("template")
    shutil.copyfile(sqlite_template, folder / "house.sqlite")
    with built(folder) as house:
        secret = house.room.first_operator()
        assert secret is not None
        house.secrets["operator"] = secret
        _people(house)
    return Template(folder, house.secrets, house.projects)


def _people(house: House) -> None:
    operator, now_us = house.caller("operator"), house.room.now_us()
    for name in ("moz", "lao"):
        project = house.room.create_project(operator, name, 100)
        assert not isinstance(project, Refusal)
        house.projects[name] = project.id
        house.member(f"admin of {name}", project.id, "admin")
        house.member(f"member of {name}", project.id, "member")
    house.member("auditor", None, "auditor")
    funder = house.room.create_funder(operator, "bureau")
    assert not isinstance(funder, Refusal)
    programme = house.room.create_programme(operator, "vouchers", [(funder.id, 1)], "CNY", 10**12)
    assert not isinstance(programme, Refusal)
    for project_id in house.projects.values():
        terms = GrantTerms(project_id, programme.id, "CNY", 10**11, now_us, now_us + 86_400_000_000, 100)
        grant = house.room.issue_grant(operator, terms)
        assert not isinstance(grant, Refusal)


@pytest.fixture
def sampler() -> dict[str, Any]:
    """A request that is accepted."""
    return copy.deepcopy(SAMPLER)


@pytest.fixture
def estimator() -> dict[str, Any]:
    """Another one."""
    return copy.deepcopy(ESTIMATOR)


@pytest.fixture(scope="session")
def wire() -> Any:
    """A context manager that takes an application and headers, and gives a client."""
    return wired


@pytest.fixture
def house(tmp_path: Path, template: Template) -> Iterator[House]:
    with template.copied(tmp_path) as house:
        yield house


@pytest.fixture
def app(house: House) -> FastAPI:
    return create_app(house.room)


class Wire(httpx.BaseTransport):
    """Takes requests of a blocking client to an application on an event loop of its own; many threads may use it."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def send() -> httpx.Response:
            answer = await self._transport.handle_async_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return self._portal.call(send)


@contextmanager
def wired(app: FastAPI, **headers: str) -> Iterator[httpx.Client]:
    with (
        start_blocking_portal() as portal,
        httpx.Client(transport=Wire(app, portal), base_url="http://house", headers=headers) as client,
    ):
        yield client
        portal.call(app.state.desk.watch.close)


@pytest.fixture
def client(app: FastAPI, house: House) -> Iterator[httpx.Client]:
    """A client of moz's member; other people by `headers=house.headers(who)`."""
    with wired(app, **house.headers("member of moz")) as client:
        yield client


@pytest.fixture
def stranger(app: FastAPI) -> Iterator[httpx.Client]:
    """A client without a token."""
    with wired(app) as client:
        yield client


class Servers:
    """Servers of the house on real sockets."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._running: list[tuple[uvicorn.Server, threading.Thread, FastAPI]] = []

    def start(self, limits: ApiLimits | None = None) -> str:
        """The URL of a new one."""
        app = create_app(self._house.room, limits=limits)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        self._running.append((server, thread, app))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        httpx.get(f"{url}/health/live", timeout=10)
        return url

    def stop(self, *, release: bool = True) -> None:
        """Stop them all, the way the service does; without `release` the way any other server would."""
        for server, thread, app in self._running:
            if release:
                server.servers[0].get_loop().call_soon_threadsafe(release_waiters, app)
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()
        self._running.clear()


@pytest.fixture
def serve(house: House) -> Iterator[Servers]:
    servers = Servers(house)
    yield servers
    servers.stop()
