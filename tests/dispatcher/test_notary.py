"""Who signs, when, and what is never signed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dispatcher.keys import CannotSign, verified
from dispatcher.notary import Notary
from ledger.commands import PlaceHold
from ledger.notes import Checkpoint
from store import chain, checkpoints


@pytest.fixture
def notary(town: Any, tmp_path: Path) -> Notary:
    town.grant("acme", 1_000_000)
    return Notary(town.database, tmp_path, lambda: 7)


def hold(town: Any, number: int) -> None:
    town.post(PlaceHold(5, f"job-{number}", "acme", "CNY", 7), project_ids=["acme"])


def test_what_was_added_is_signed_inside_and_outside(town: Any, notary: Notary) -> None:
    row = notary.sign()
    assert row is not None
    with town.database.read() as conn:
        assert checkpoints.newest(conn) == row
        head = chain.head(conn)
    assert notary.files.read(2) == row.note
    keys = notary.public_keys()
    assert verified(row.note, keys) == Checkpoint(keys[0].name, 2, head.root, 7)
    assert notary.sign() == row, "nothing was added: nothing is signed anew"
    hold(town, 1)
    later = notary.sign()
    assert later is not None
    assert (later.size, list(notary.files.sizes())) == (3, [2, 3])
    assert Notary(town.database, notary.key_folder.parent, lambda: 9).sign() == later


def test_an_empty_ledger_is_not_signed(database: Any, tmp_path: Path) -> None:
    assert Notary(database, tmp_path, lambda: 7).sign() is None


def test_keys_are_made_early_only_by_whom_leads(notary: Notary) -> None:
    assert notary.public_keys() == []
    notary.leading = lambda: True
    assert len(notary.public_keys()) == 2


def test_a_lost_key_stops_the_signing(town: Any, notary: Notary) -> None:
    notary.sign()
    shutil.rmtree(notary.key_folder)
    hold(town, 1)
    with pytest.raises(CannotSign, match=r"ledger-ed25519\.pem is missing"):
        Notary(town.database, notary.key_folder.parent, lambda: 9).sign()


def test_an_older_database_is_not_signed(town: Any, notary: Notary) -> None:
    notary.sign()
    notary.files.write(5, "a checkpoint over more entries than there are\n")
    hold(town, 1)
    with pytest.raises(CannotSign, match="a checkpoint over 5 entries has been signed and the ledger has 3"):
        notary.sign()


def test_a_rewritten_database_is_not_signed(town: Any, notary: Notary) -> None:
    row = notary.sign()
    assert row is not None
    hold(town, 1)
    text = Checkpoint("qubator/x", 3, b"\x01" * 32, 7).to_text()
    notary.files.write(3, text + "\n— qubator/x AAAAAAAA\n")
    hold(town, 2)
    with pytest.raises(CannotSign, match="the first 3 entries are not those that were signed"):
        notary.sign()


def test_a_checkpoint_whose_row_was_never_written_is_taken_over(town: Any, notary: Notary) -> None:
    """The file is written first; what stopped there goes on with the same words."""
    notary.leading = lambda: True
    name = notary.public_keys()[0].name
    with town.database.read() as conn:
        head = chain.head(conn)
    assert notary._keys is not None
    note = notary._keys.signed(Checkpoint(name, 2, head.root, 3))
    notary.files.write(2, note)
    row = notary.sign()
    assert row is not None
    assert (row.note, row.at_us) == (note, 3)


def test_a_folder_that_refuses(town: Any, notary: Notary) -> None:
    notary.files.root.write_text("in the way")
    with pytest.raises(CannotSign, match="checkpoints"):
        notary.sign()
