"""The commands, called in this process on a data folder of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service import telemetry
from service.cli import cli
from service.settings import Settings


class Shell:
    """`qubatord …` without a process of its own; 80 columns wide, as a person sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: object, code: int = 0) -> Result:
        """Run a command; it must end with `code`."""
        result = CliRunner(env={"COLUMNS": "80"}).invoke(cli, list(map(str, arguments)), prog_name="qubatord")
        assert result.exit_code == code, (result.output, result.exception)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def id(self, *arguments: object) -> str:
        """What a command prints with -q."""
        return self(*arguments, "-q").stdout.strip()

    def json(self, *arguments: object) -> Any:
        """What a command prints with --json."""
        return json.loads(self(*arguments, "--json").stdout)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in (*Settings.model_fields, "token", "url"):
        monkeypatch.delenv(f"QUBATOR_{name.upper()}", raising=False)
    # Set up once for a whole process; the stream of one test must not be kept for the next.
    monkeypatch.setattr(telemetry, "configure", lambda level, as_json: None)
    return Shell(tmp_path)


@pytest.fixture
def facility(shell: Shell) -> None:
    """A facility to look at: the commands that only look make none."""
    shell("migrate")


@pytest.fixture
def narrow() -> Callable[[str], None]:
    """Fails for a line that a terminal of 80 columns would break."""

    def check(text: str) -> None:
        assert [line for line in text.splitlines() if len(line) > 80] == []

    return check
