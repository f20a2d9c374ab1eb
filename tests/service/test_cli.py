"""The command as a whole: what it offers, and how it looks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from service.cli import cli


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    for name, command in group.commands.items():
        found += every_command(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", every_command(cli), ids=" ".join)
def test_every_command_explains_itself_in_80_columns(path: tuple[str, ...]) -> None:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(cli, [*path, "-h"], prog_name="qubatord")
    assert result.exit_code == 0
    assert [line for line in result.output.splitlines() if len(line) > 80] == []
    assert result.output.startswith(" ".join(("Usage: qubatord", *path)))


def test_the_commands_of_an_operator_are_there() -> None:
    assert set(cli.commands) == {
        "up", "serve", "dispatch", "work", "migrate", "project", "token", "funder", "programme", "grant", "backend",
        "engine", "audit", "ledger", "simulate", "wallet", "budget", "rate", "request", "report",
    }  # fmt: skip


def test_a_word_it_does_not_know_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, ["launch"], prog_name="qubatord")
    assert result.exit_code == 2
    assert "No such command 'launch'" in result.output


def test_the_installed_command_says_its_version() -> None:
    for command in ([Path(sys.executable).with_name("qubatord")], [sys.executable, "-m", "service"]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout == "qubatord, version 0.1.0\n"
