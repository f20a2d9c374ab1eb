"""`qubatord ledger`: verify, checkpoint and key, in words and in exit codes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from store.database import open_database

pytestmark = pytest.mark.usefixtures("facility")


@pytest.fixture
def funded(shell: Any) -> Any:
    funder = shell.id("funder", "create", "City")
    shell("programme", "create", "Vouchers", "--funder", funder, "--budget", "100")
    return shell


def test_a_whole_ledger(funded: Any, narrow: Any, tmp_path: Path) -> None:
    assert "no key has been made yet" in funded("ledger", "key", code=1).output
    note = funded("ledger", "checkpoint").stdout
    assert note.split("\n")[1] == "1"
    assert funded("ledger", "checkpoint").stdout == note
    keys = funded("ledger", "key").stdout
    assert [line.split("+")[0] for line in keys.splitlines()] == [note.split("\n")[0]] * 2
    said = funded("ledger", "verify").stdout
    assert "checked 1 entries" in said
    assert "the ledger is whole" in said
    kept = tmp_path / "kept.pub"
    kept.write_text(keys)
    assert "the ledger is whole" in funded("ledger", "verify", "--key", kept).stdout
    told = funded.json("ledger", "verify")
    assert told["violations"] == []
    assert told["counts"]["checkpoints"] == told["counts"]["checkpoint files"] == 1


def test_a_changed_entry(funded: Any) -> None:
    with sqlite3.connect(funded.folder / "qubator-data" / "qubator.sqlite3") as conn:
        conn.execute("DROP TRIGGER postings_refuse_update")
        conn.execute("UPDATE postings SET amount = amount + 1")
        (name,) = conn.execute("SELECT id FROM entries").fetchone()
    said = funded("ledger", "verify", code=1).stdout
    assert f"VIOLATION entry {name} (seq 1): its columns do not have the hash that is recorded" in said
    told = json.loads(funded("ledger", "verify", "--json", code=1).stdout)
    assert (told["violations"][0]["entry_id"], told["violations"][0]["seq"]) == (name, 1)


def test_nothing_to_sign(shell: Any) -> None:
    assert "there is nothing to sign" in shell("ledger", "checkpoint", code=1).output
    assert "the ledger is whole" in shell("ledger", "verify").stdout


def test_a_lost_key(funded: Any) -> None:
    funded("ledger", "checkpoint")
    shell_key = funded.folder / "qubator-data" / "keys" / "ledger-ed25519.pem"
    shell_key.unlink()
    funder = funded.id("funder", "create", "State")
    funded("programme", "create", "More", "--funder", funder, "--budget", "100")
    assert "ledger-ed25519.pem is missing" in funded("ledger", "checkpoint", code=1).output


def test_a_file_that_holds_no_keys(funded: Any, tmp_path: Path) -> None:
    (tmp_path / "kept.pub").write_text("rubbish")
    assert (
        "holds no public keys of a ledger" in funded("ledger", "verify", "--key", tmp_path / "kept.pub", code=1).output
    )


def test_checkpoints_that_cannot_be_read_are_no_proof(funded: Any) -> None:
    funded("ledger", "checkpoint")
    (file,) = (funded.folder / "qubator-data" / "checkpoints").rglob("*.txt")
    file.unlink()
    file.mkdir()  # as unreadable as a file of somebody else, also for root
    said = funded("ledger", "verify", code=1).output
    assert f"{file} cannot be read (Is a directory): without its checkpoints nothing is proven" in said


def test_new_keys_take_over(funded: Any, tmp_path: Path) -> None:
    assert "has no keys yet" in funded("ledger", "new-key", "--reason", "yearly", code=1).output
    funded("ledger", "checkpoint")
    kept = tmp_path / "kept.pub"
    kept.write_text(funded("ledger", "key").stdout)
    done = funded("ledger", "new-key", "--reason", "yearly\nchange")
    new = done.stdout.splitlines()[-1].split("+")[0]
    assert f"{new} signs from now on, handed over to by qubator/" in done.stderr
    assert [line.startswith("retired 1 ") for line in done.stdout.splitlines()] == [True, True, False, False]
    assert funded("ledger", "key").stdout == done.stdout
    funded("programme", "create", "More", "--funder", funded.id("funder", "create", "State"), "--budget", "100")
    assert f"— {new} " in funded("ledger", "checkpoint").stdout
    said = funded("ledger", "verify", "--key", kept).stdout
    assert f"handed over to {new} after 1 entries (yearly change)" in said
    assert "the ledger is whole" in said


def test_keys_are_not_changed_while_a_dispatcher_signs(funded: Any) -> None:
    funded("ledger", "checkpoint")
    database = open_database(f"sqlite:///{funded.folder / 'qubator-data' / 'qubator.sqlite3'}")
    with database.lead():
        said = funded("ledger", "new-key", "--reason", "yearly", code=1).output
    database.close()
    assert "a dispatcher is running and signs with the present keys: stop it" in said
    assert "--reason has 0 characters; 1 to 500" in funded("ledger", "new-key", "--reason", " ", code=1).output
