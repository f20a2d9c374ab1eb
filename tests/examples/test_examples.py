"""Every example runs as its reader would run it: in a process of its own, address and token in the environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatcher.auditor import audit_store
from dispatcher.model import GrantTerms
from dispatcher.room import Room
from service.embedded import CONSOLE, Embedded, embedded

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NUMBERED = sorted(EXAMPLES.glob("[0-9][0-9]_*.py"))
GRANT = 200_000_000
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Startup:
    """What a startup knows, and (for the test) what the facility knows of it."""

    project_id: str
    environment: dict[str, str]
    service: Embedded

    @property
    def room(self) -> Room:
        return self.service.room

    def run(self, script: Path, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == "" or "Traceback" not in done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("examples"), slots=2) as running:
        yield running


@pytest.fixture
def startup(service: Embedded, request: pytest.FixtureRequest, tmp_path: Path) -> Startup:
    """A project of the test's own, with a grant and an admin's token."""
    room = service.room
    now = room.now_us()
    project = room.create_project(CONSOLE, request.node.name)
    funders = room.list_funders(CONSOLE)
    funder = funders[0] if funders else room.create_funder(CONSOLE, "city")
    programme = room.create_programme(CONSOLE, request.node.name, [(funder.id, 1)], "CNY", GRANT)
    room.issue_grant(CONSOLE, GrantTerms(project.id, programme.id, "CNY", GRANT, now, now + DAY_US, 0))
    member = room.create_member(CONSOLE, project.id, "Ann", "admin")
    _, secret = room.create_token(CONSOLE, project.id, member.id, "admin", "t", None)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
    environment |= {"QUBATOR_URL": service.url, "QUBATOR_TOKEN": secret, "HOME": str(tmp_path), "COLUMNS": "80"}
    return Startup(project.id, environment, service)


@pytest.mark.parametrize("script", NUMBERED, ids=lambda path: path.stem)
def test_it_runs_and_its_jobs_are_paid(startup: Startup, script: Path) -> None:
    said = startup.run(script)
    assert said
    statement = startup.room.statement(CONSOLE, startup.project_id)
    assert set(statement["jobs"]) == {"succeeded"}
    assert (statement["held"], statement["granted"]) == (0, GRANT)
    assert statement["settled"] + statement["available"] == GRANT
    assert statement["charged"] > 0


def test_the_numbers_have_no_gap() -> None:
    assert [path.name[:2] for path in NUMBERED] == [f"{number:02}" for number in range(1, len(NUMBERED) + 1)]


def test_the_first_job_tells_price_counts_and_receipt(startup: Startup) -> None:
    said = startup.run(EXAMPLES / "01_first_job.py")
    counts = eval(re.search(r"^counts (.*)$", said, re.MULTILINE)[1])
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 1_000
    assert "Together" in said
    assert "expected" in said.splitlines()[0]


def test_a_thousand_jobs_add_up(startup: Startup) -> None:
    said = startup.run(EXAMPLES / "03_a_thousand_jobs.py", "60")
    charged, went_down = map(int, re.search(r"charged (\d+) micro-yuan, balance went down by (\d+)", said).groups())
    statement = startup.room.statement(CONSOLE, startup.project_id)
    assert statement["jobs"] == {"succeeded": 60}
    assert (charged, went_down) == (statement["charged"], statement["settled"])


def test_the_books_balance_after_all_of_them(startup: Startup) -> None:
    startup.run(EXAMPLES / "04_plain_http.py")
    assert audit_store(startup.service.service.database).violations == []


def test_the_demo_from_its_own_service_to_statements_that_add_up(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "demo.py")],
        cwd=tmp_path,
        env=environment | {"COLUMNS": "80", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert time.monotonic() - began < 60
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
    for words in (
        "Bell pair",
        "ansatz, 50 bindings",
        "energy, 4 observables",
        "QFT, 8 qubits",
        "teleport",
        "coin toss",
    ):
        assert words in done.stdout
    statements = done.stdout.partition("statements")[2]
    assert (statements.count(" yes"), statements.count(" NO")) == (3, 0), "three statements that add up"
    refused = done.stdout.partition("refused, at no charge")[2]
    assert re.search(r"a typing error: .*hadamard", " ".join(refused.split()))
    assert re.search(r"beyond its grant: .*ask for fewer shots", " ".join(refused.split()))
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing behind"


def test_the_plain_example_says_what_it_needs() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
    script = EXAMPLES / "04_plain_http.py"
    done = subprocess.run(
        [sys.executable, str(script)], env=bare, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "set QUBATOR_URL and QUBATOR_TOKEN first: the address of the service, and a token of yours\n"
