"""The command `qubator` as a startup uses it: in a shell, against the running service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BELL2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q -> c;\n'
TURN3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float[64] theta;\nqubit[1] q;\nry(theta) q[0];\n'

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def shell(zone: Any, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Runs `qubator` in a folder with two circuits, signed in to the zone."""
    home, startup = tmp_path_factory.mktemp("shell"), zone.startup()
    (home / "bell.qasm").write_text(BELL2)
    (home / "turn.qasm").write_text(TURN3)
    kept = {word: value for word, value in os.environ.items() if not word.startswith("QUBATOR_")}

    def run(*arguments: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "qubator.cli", *arguments],
            cwd=home, input=stdin, capture_output=True, text=True, timeout=120, check=False,
            env={**kept, "XDG_CONFIG_HOME": str(home / "config"), "COLUMNS": "80", "NO_COLOR": "1", **env},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        if "login" not in arguments and "--json" not in arguments:
            assert all(len(line) <= 80 for line in done.stdout.splitlines()), done.stdout
        return done

    done = run("login", zone.url, stdin=startup.token + "\n")
    assert done.returncode == 0, done.stderr
    assert startup.token not in done.stdout + done.stderr
    return run


def told(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON on standard output, which holds nothing else."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_from_price_to_receipt(shell: Shell) -> None:
    assert "at most" in shell("quote", "bell.qasm", "--shots", "1000").stdout
    done = shell("submit", "bell.qasm", "--shots", "1000", "--seed", "7", "--name", "bell", "--wait")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^state +succeeded$", done.stdout, re.M)
    assert {line.split()[0] for line in done.stdout.splitlines()[-2:]} == {"00", "11"}
    (job,) = told(shell("jobs", "--limit", "1", "--json"))["jobs"]
    assert (job["name"], job["state"]) == ("bell", "succeeded")
    receipt = told(shell("receipt", job["id"], "--json"))
    assert receipt["charged"] == job["cost"]["micro"] == sum(line["amount"] for line in receipt["lines"])
    assert "charged" in shell("receipt", job["id"]).stdout
    assert shell("job", job["id"], "--history").stdout.count("succeeded") == 2
    assert job["id"] in shell("jobs").stdout
    quota = told(shell("quota", "--json"))
    assert quota["granted"] == quota["settled"] + quota["held"] + quota["available"] + quota["expired"]
    assert "available" in shell("quota").stdout
    assert "succeeded" in shell("statement").stdout


def test_a_receipt_is_checked_without_the_service(shell: Shell, tmp_path: Path) -> None:
    job = told(shell("submit", "bell.qasm", "--shots", "10", "--wait", "--json"))
    for _ in range(50):
        bill = told(shell("receipt", job["id"], "--json"))
        if bill["proof"]["state"] == "signed":
            break
    kept, keys = tmp_path / "receipt.json", tmp_path / "ledger.pub"
    kept.write_text(json.dumps(bill))
    keys.write_text(told(shell("ledger", "key", "--json"))["text"])
    alone = {"QUBATOR_URL": "http://127.0.0.1:9", "QUBATOR_TOKEN": "qb_none"}
    done = shell("receipt", "verify", str(kept), "--key", str(keys), "--json", **alone)
    assert (done.returncode, json.loads(done.stdout)["proven"]) == (0, True), done.stdout
    kept.write_text(json.dumps({**bill, "charged": bill["charged"] - 1}))
    done = shell("receipt", "verify", str(kept), "--key", str(keys), **alone)
    assert (done.returncode, "NOT PROVEN: charged: the receipt says" in done.stderr) == (1, True)


def test_a_job_in_two_steps_with_json_between(shell: Shell) -> None:
    job = told(shell("submit", "-", "--shots", "10", "--json", stdin=BELL2))
    document = told(shell("result", job["id"], "--json"))
    assert document["pubs"][0]["registers"]["c"]["shots"] == 10
    assert shell("cancel", job["id"]).returncode == 6
    both = told(shell("submit", "bell.qasm", "--shots", "10", "--wait", "--json"))
    assert (both["state"], both["result"]["primitive"]) == ("succeeded", "sampler")


def test_estimates_over_a_sweep(shell: Shell) -> None:
    done = shell(
        "submit", "turn.qasm", "--observable", "Z", "--observable", "0.5*X - Z", "--param", "theta=0,pi/2", "--wait"
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[-4:]]
    assert [row[0] + row[1] for row in rows] == ["0,0", "0,1", "1,0", "1,1"]
    assert [float(row[2]) for row in rows] == pytest.approx([1.0, 0.0, -1.0, 0.5])


def test_the_same_key_is_the_same_job(shell: Shell) -> None:
    first, second = (told(shell("submit", "bell.qasm", "--key", "K1", "--json"))["id"] for _ in range(2))
    assert first == second
    assert shell("submit", "bell.qasm", "--key", "K1", "--shots", "5").returncode == 6


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("submit", "nowhere.qasm"), 2, ""),
        (("submit", "bell.qasm", "--shots", "0"), 2, ""),
        (("quota", "--project", "prj_other"), 4, "not_found"),
        (("job", "job_none"), 4, "not_found"),
        (("result", "../../etc"), 4, "not_found"),
        (("submit", "bell.qasm", "--backend", "nothing"), 5, "unknown_backend"),
        (("submit", "bell.qasm", "--max-cost", "0.000001"), 5, "cost_limit"),
        (("submit", "turn.qasm", "--observable", "ZZ", "--param", "theta=1"), 5, "observable_width"),
        (("submit", "turn.qasm", "--observable", "Z"), 5, "parameters_unbound"),
        (("submit", "bell.qasm", "--shots", "1000000000"), 5, "shots_out_of_range"),
    ],
)
def test_every_no_has_its_exit_code_and_its_word(
    shell: Shell, arguments: tuple[str, ...], code: int, word: str
) -> None:
    done = shell(*arguments)
    assert done.returncode == code, done.stderr
    assert word in done.stderr
    assert done.stdout == ""


def test_with_json_a_no_is_json_too(shell: Shell) -> None:
    done = shell("submit", "bell.qasm", "--max-cost", "0.000001", "--json")
    assert done.returncode == 5
    assert json.loads(done.stdout)["problem"]["code"] == "cost_limit"


def test_a_wrong_token_and_a_wrong_address(shell: Shell, zone: Any) -> None:
    assert shell("quota", QUBATOR_URL=zone.url, QUBATOR_TOKEN="qb_wrong").returncode == 3
    assert shell("login", zone.url, stdin="qb_wrong\n").returncode == 3
    assert shell("version", QUBATOR_URL="http://127.0.0.1:9").returncode == 7
    assert shell("quota").returncode == 0  # the stored profile is unharmed


def test_backends_and_version(shell: Shell) -> None:
    assert "aer" in [backend["name"] for backend in told(shell("backends", "--json"))["backends"]]
    assert shell("backends").stdout.splitlines()[0].startswith("BACKEND")
    assert told(shell("version", "--json"))["service"]["service"]


def test_a_qpy_file(shell: Shell, tmp_path: Path) -> None:
    from qiskit import QuantumCircuit, qpy

    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.measure_all()
    with (tmp_path / "x.qpy").open("wb") as out:
        qpy.dump(circuit, out)
    done = shell("submit", str(tmp_path / "x.qpy"), "--shots", "5", "--wait")
    assert done.stdout.splitlines()[-1].startswith("1  5  100.0%")
