"""`qubatord audit`: its words, its JSON, its exit code."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("facility")


@pytest.fixture
def broken(shell: Any) -> Any:
    funder = shell.id("funder", "create", "City")
    shell("programme", "create", "Vouchers", "--funder", funder, "--budget", "100")
    with sqlite3.connect(shell.folder / "qubator-data" / "qubator.sqlite3") as conn:
        conn.execute("UPDATE accounts SET balance = balance + 1 WHERE account LIKE 'programme/%'")
    return shell


def test_sound_books(shell: Any) -> None:
    assert shell("audit").stdout == "checked 0 jobs, 0 entries, 0 accounts, 0 grants, 0 holds\nthe books balance\n"
    assert json.loads(shell("audit", "--json").stdout) == {
        "counts": {"jobs": 0, "entries": 0, "accounts": 0, "grants": 0, "holds": 0},
        "violations": [],
    }


def test_broken_books(broken: Any) -> None:
    said = broken("audit", code=1).stdout.splitlines()
    assert said[0] == "checked 0 jobs, 1 entries, 2 accounts, 0 grants, 0 holds"
    assert said[-1] == "2 violations"
    assert said[1] == "VIOLATION all accounts in CNY add up to 1 instead of 0"
    assert said[2].startswith("VIOLATION account programme/")
    assert len(json.loads(broken("audit", "--json", code=1).stdout)["violations"]) == 2


def test_books_that_cannot_be_read(shell: Any) -> None:
    (shell.folder / "qubator-data").mkdir(exist_ok=True)
    (shell.folder / "qubator-data" / "qubator.sqlite3").write_bytes(b"not a database" * 100)
    said = shell("audit", code=1).stderr
    assert said.startswith("Error: cannot open qubator-data: ")
    assert "Traceback" not in said


def test_a_folder_without_a_facility_is_no_empty_facility(shell: Any) -> None:
    said = shell("audit", "--data", "elsewhere", code=1)
    assert "there is no facility in elsewhere; start one with `qubatord up`" in said.output
    assert not (shell.folder / "elsewhere").exists()
