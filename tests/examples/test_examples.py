"""Every numbered example runs against a real service, and the demo adds up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.embedded import CONSOLE, embedded

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9][0-9]_*.py"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with embedded(tmp_path_factory.mktemp("examples"), slots=2) as running:
        room, now = running.room, running.room.now_us()
        funder = room.create_funder(CONSOLE, "funder")
        programme = room.create_programme(CONSOLE, "programme", funder.id, "CNY", 10**12)
        project = room.create_project(CONSOLE, "reader", 100)
        until = now + 86_400_000_000
        room.issue_grant(CONSOLE, project.id, programme.id, "CNY", 10**11, now, until, 0)
        member = room.create_member(CONSOLE, project.id, "reader", "admin")
        _, secret = room.create_token(CONSOLE, project.id, member.id, "admin", "examples", until)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
        yield {**kept, "QUBATOR_URL": running.url, "QUBATOR_TOKEN": secret}


def run(script: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, script, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_an_example_runs(script: Path, environment: dict[str, str]) -> None:
    assert run(script, environment).strip()


def test_the_demo_adds_up_within_a_minute() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUBATOR_")}
    began = time.monotonic()
    shown = run(ROOT / "examples" / "demo.py", {**kept, "COLUMNS": "80"})
    assert time.monotonic() - began < 60
    assert shown.count(" yes") == 3
    assert "NO" not in shown.split("statements")[1]
    assert "hadamard" in shown
    assert "ask for fewer shots" in " ".join(shown.split())
    assert max(len(line) for line in shown.splitlines()) <= 100
