"""The client follows a ledger that changed its keys, by itself and offline."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.keys import Keys, new_keys, open_keys, public_text
from ledger.handover import Handover, after
from ledger.notes import Checkpoint, note_of
from qubator.signed_notes import NotProven, checkpoint, followed, keys_of

ROOT = b"\x07" * 32


@pytest.fixture
def old(tmp_path: Path) -> Keys:
    return open_keys(tmp_path / "keys", [])


@pytest.fixture
def new(tmp_path: Path, old: Keys) -> Keys:
    return new_keys(tmp_path / "keys", old.origin)


def change(new: Keys, *signers: Keys, size: int = 5) -> tuple[Handover, str]:
    told = Handover(new.origin, size, ROOT, 9, "yearly", new.public)
    text = told.to_text()
    return told, note_of(text, [one for keys in signers for one in keys.signatures(text)])


def signed(keys: Keys, size: int) -> str:
    return keys.signed(Checkpoint(keys.origin, size, ROOT, 9))


def test_from_the_old_keys_to_the_new_ones(old: Keys, new: Keys) -> None:
    told, note = change(new, old, new)
    kept = keys_of(public_text(old.public))
    trusted, said = followed(kept, [note])
    assert said == [f"{old.name} handed over to {new.name} after 5 entries, and signed that"]
    assert checkpoint(signed(new, 6), trusted) == (6, ROOT, new.name, ["Ed25519", "ML-DSA-65"])
    assert checkpoint(signed(old, 5), trusted)[2] == old.name
    with pytest.raises(NotProven, match="was retired at 5 entries, the checkpoint is over 6"):
        checkpoint(signed(old, 6), trusted)
    assert [key.retired_at for key in trusted] == [5, 5, None, None]
    listed = keys_of(public_text(after(old.public, told)))
    assert followed(listed, [note])[0] == trusted
    assert listed == trusted, "the service's list says the same"


def test_an_announcement_is_believed_by_whom_trusts_the_new_keys(old: Keys, new: Keys) -> None:
    told, note = change(new, new)
    trusted, said = followed(keys_of(public_text(old.public)), [note])
    assert said == []
    with pytest.raises(NotProven, match="is not signed by the Ed25519 key"):
        checkpoint(signed(new, 6), trusted)
    assert checkpoint(signed(old, 5), trusted)[0] == 5
    both, _ = followed(keys_of(public_text(after(old.public, told))), [note])
    assert checkpoint(signed(new, 6), both)[2] == new.name


def test_a_change_that_the_new_keys_have_not_signed_is_none(old: Keys, new: Keys) -> None:
    _, note = change(new, old)
    with pytest.raises(NotProven, match="a hand-over of keys is not signed by the Ed25519 key"):
        followed(keys_of(public_text(old.public)), [note])


@pytest.mark.parametrize("note", ["rubbish", "a\nb\n\n— x AAAAAAAA\n"])
def test_what_is_no_change_of_keys(old: Keys, note: str) -> None:
    with pytest.raises((NotProven, ValueError)):
        followed(keys_of(public_text(old.public)), [note])


@pytest.mark.parametrize("text", ["retired a+00+AQID", "retired 5 6 a+00+AQID", "tired 5 a+00+AQID", "# nothing"])
def test_lines_that_are_no_keys(text: str) -> None:
    with pytest.raises(NotProven):
        keys_of(text)
