"""The command as a whole: help, usage, JSON, errors without tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qubator import cli

COMMANDS = sorted(cli.qubator.commands)


def qubator(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qubator.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "80", **env},
        check=False,
    )


def test_all_commands_are_there() -> None:
    wanted = "backends cancel events job jobs ledger login quota quote receipt result route statement submit version"
    assert wanted.split() == COMMANDS


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_names_the_exit_codes_and_fits_80_columns(shell: Any, command: list[str]) -> None:
    code, out, err = shell(*command, "--help")
    assert (code, err) == (0, "")
    assert "5  refused: bad input, or no budget" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["submit"], ["submit", "no-such-file.qasm"], ["jobs", "--limit", "0"], ["jobs", "--state", "lost"]],
)
def test_wrong_usage_is_exit_code_2(shell: Any, arguments: list[str]) -> None:
    code, out, err = shell(*arguments)
    assert (code, out) == (2, "")
    assert "Error:" in err


def test_json_may_stand_before_or_after_the_command(shell: Any, script: Any) -> None:
    for arguments in (("--json", "backends"), ("backends", "--json")):
        script.say(script.answer(200, {"backends": [{"name": "aer"}]}))
        code, out, err = shell(*arguments)
        assert (code, json.loads(out), err) == (0, {"backends": [{"name": "aer"}]}, "")


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 3), (404, 4), (409, 6), (402, 5), (422, 5), (500, 7)])
def test_a_no_of_the_service_is_an_exit_code_and_a_sentence(shell: Any, script: Any, status: int, code: int) -> None:
    script.say(script.problem(status, "some_code"))
    assert shell("job", "job_1", "--json") == (
        code,
        json.dumps({"problem": {"code": "some_code", "status": status, "detail": "no: some_code"}}, indent=2) + "\n",
        "qubator: no: some_code [some_code]\n",
    )


def test_bad_input_is_refused_before_any_request(shell: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.qasm"
    path.write_bytes(b"\xff\xfe")
    code, out, err = shell("submit", str(path))
    assert (code, out) == (5, "")
    assert err == "qubator: the content is neither QPY nor OpenQASM text [invalid_input]\n"


def test_without_a_token_it_says_to_log_in() -> None:
    done = qubator("quota")
    assert (done.returncode, done.stdout) == (3, "")
    assert "run `qubator login" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_service_is_exit_code_7_and_the_clients_version_is_still_told() -> None:
    done = qubator("version", "--json", QUBATOR_URL="http://127.0.0.1:9")
    first, second = done.stdout.split("}\n{")
    assert done.returncode == 7
    assert json.loads(first + "}")["client"] == "0.1.0"
    assert json.loads("{" + second)["problem"]["code"] == "unreachable"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m qubator.cli submit --help | true", shell=True, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_is_told_and_has_the_shells_exit_code(shell: Any, script: Any) -> None:
    def interrupted(_: Any) -> Any:
        raise KeyboardInterrupt

    script.say(interrupted)
    assert shell("quota") == (130, "", "\ninterrupted\n")


def test_importing_the_package_imports_neither_qiskit_nor_http() -> None:
    loaded = "import qubator, sys; print(sorted({'qiskit', 'httpx', 'rich', 'numpy', 'click'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "[]\n"
    loaded = loaded.replace("import qubator,", "import qubator.cli,")
    assert (
        subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
        == "['click']\n"
    )
