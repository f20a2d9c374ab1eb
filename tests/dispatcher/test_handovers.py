"""A ledger changes its keys: what was signed stays provable, and nobody slips keys of their own in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dispatcher.handovers import followed
from dispatcher.keys import CannotSign, believed, public_text, read_public
from dispatcher.notary import Notary
from dispatcher.verifier import Verdict, verify_ledger
from ledger.handover import Handover
from ledger.notes import BadNote, PublicKey, note_of
from store import audit_log, checkpoints, jobs


class Ledger:
    """A ledger that is signed in a folder."""

    def __init__(self, town: Any, folder: Path) -> None:
        self.town, self.folder, self.database = town, folder, town.database
        town.grant("acme", 1_000_000)
        self.jobs = 0
        self.restart()

    def restart(self) -> None:
        self.notary = Notary(self.database, self.folder, lambda: 7)

    def sign(self) -> str:
        """One more entry, signed; the note."""
        self.jobs += 1
        self.database.writer.run(lambda conn: jobs.insert_jobs(conn, [self.town.job(f"job-{self.jobs}")]))
        self.town.post(self.town.holding(f"job-{self.jobs}", "acme", 7, 5), project_ids=["acme"])
        row = self.notary.sign()
        assert row is not None
        return row.note

    def change(self, *, lost: bool = False, reason: str = "yearly") -> Handover:
        return self.notary.change_keys(reason, lost=lost, actor="console")

    def lose(self) -> None:
        for path in self.notary.key_folder.glob("*.pem"):
            path.unlink()
        self.restart()

    def public(self) -> list[PublicKey]:
        return self.notary.public_keys()

    def check(self, keys: str | None = None) -> Verdict:
        return verify_ledger(self.database, "", self.folder, keys)

    def texts(self, keys: str | None = None) -> list[str]:
        return [str(one) for one in self.check(keys).violations]

    def handovers(self) -> list[str]:
        with self.database.read() as conn:
            return checkpoints.handovers(conn)


@pytest.fixture
def books(town: Any, tmp_path: Path) -> Ledger:
    return Ledger(town, tmp_path / "data")


def test_the_old_keys_hand_over_and_stay_good_for_what_they_signed(books: Ledger) -> None:
    first = books.sign()
    old = books.public()
    change = books.change()
    assert (change.size, change.origin, change.reason) == (3, old[0].name, "yearly")
    second = books.sign()
    keys = books.public()
    assert [(key.name, key.retired_at) for key in keys] == [(old[0].name, 3)] * 2 + [(change.keys[0].name, None)] * 2
    assert believed(first, keys)[1] == old[0].name
    checkpoint, name = believed(second, keys)
    assert (checkpoint.origin, checkpoint.size, name) == (old[0].name, 4, change.keys[0].name)
    assert books.texts() == []
    assert books.check().remarks == [f"{old[0].name} handed over to {name} after 3 entries (yearly)"]
    assert books.texts(public_text(old)) == [], "whoever kept the old keys alone follows the hand-over"
    assert read_public((books.notary.key_folder / "ledger.pub").read_text()) == keys
    assert books.notary.files.handovers() == books.handovers()
    with books.database.read() as conn:
        (row,) = audit_log.list_audit(conn, 5, subject=name)
    assert (row.actor, row.act, row.detail["lost"], row.detail["before"]) == (
        "console",
        "ledger.new_key",
        False,
        old[0].name,
    )
    books.restart()
    books.sign()
    assert books.texts() == []


def test_keys_may_be_changed_again_and_again(books: Ledger) -> None:
    books.sign()
    old = public_text(books.public())
    for _ in range(3):
        books.change()
        books.sign()
    assert books.texts() == books.texts(old) == []
    assert len({key.name for key in books.public()}) == 4
    assert len(list(books.notary.key_folder.glob("*.retired"))) == 6


def test_lost_keys_are_replaced_by_an_announcement(books: Ledger) -> None:
    first = books.sign()
    old = books.public()
    books.lose()
    with pytest.raises(CannotSign, match=r"is missing: .* `qubatord ledger new-key --lost`"):
        books.change()
    change = books.change(lost=True, reason="the disk burnt")
    books.sign()
    name = change.keys[0].name
    assert believed(first, books.public())[1] == old[0].name
    assert books.texts() == []
    (remark,) = books.check().remarks
    assert f"the keys {name} were announced after 3 entries (the disk burnt), not handed over" in remark
    said = books.texts(public_text(old))
    assert f"nobody whose keys are trusted here vouches for the keys {name}" in said[0]
    assert any("the checkpoint over 4 entries cannot be believed" in text for text in said)
    assert books.texts(public_text(books.public())) == [], "an auditor who was told and trusts it brings both"


def test_keys_that_are_there_are_not_lost(books: Ledger) -> None:
    with pytest.raises(CannotSign, match="has no keys yet"):
        books.change()
    books.sign()
    with pytest.raises(CannotSign, match="are not lost: leave --lost out"):
        books.change(lost=True)
    assert books.handovers() == []


def test_the_old_keys_sign_nothing_after_they_were_retired(books: Ledger) -> None:
    books.sign()
    kept = {path.name: path.read_bytes() for path in books.notary.key_folder.glob("*.pem")}
    thief = Notary(books.database, books.folder / "thief", lambda: 8)
    thief.key_folder.mkdir(parents=True)
    for name, content in kept.items():
        (thief.key_folder / name).write_bytes(content)
    old = books.public()
    stolen = thief._opened(old)
    books.change()
    note = books.sign()
    checkpoint, _ = believed(note, books.public())
    with pytest.raises(BadNote, match="was retired at 3 entries and signed over 4"):
        believed(stolen.signed(checkpoint), books.public())


def test_a_change_that_was_cut_off_after_its_record_is_finished(books: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    books.sign()
    with monkeypatch.context() as patch:
        patch.setattr("dispatcher.notary.put_in_force", lambda *_: (_ for _ in ()).throw(OSError("power")))
        with pytest.raises(CannotSign, match="power"):
            books.change()
    books.restart()
    books.sign()
    assert books.texts() == []
    assert list(books.notary.key_folder.glob("*.new")) == []


def test_a_change_that_was_cut_off_before_its_record_is_made_again(
    books: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.sign()
    with monkeypatch.context() as patch:
        patch.setattr("dispatcher.notary.audit_log.append", lambda *_: (_ for _ in ()).throw(OSError("power")))
        with pytest.raises(CannotSign, match="power"):
            books.change()
    books.restart()
    books.sign()
    books.change()
    books.sign()
    assert books.texts() == []


def test_keys_that_somebody_slips_in_are_found(books: Ledger, tmp_path: Path) -> None:
    books.sign()
    old = books.public()
    other = Notary(books.database, tmp_path / "other", lambda: 8)
    forged_keys = other._opened([])
    forged = Handover(old[0].name, 3, b"\x01" * 32, 9, "trust me", forged_keys.public)
    text = forged.to_text()
    note = note_of(text, forged_keys.signatures(text))
    found = followed(old, [note], None)
    assert "nobody whose keys are trusted here vouches" in found.wrong[0]
    assert [key.name for key in found.keys] == [old[0].name] * 2
    unsigned = note_of(text, forged_keys.signatures(text)[:1])
    assert "number 1 cannot be believed: it is not signed by the ML-DSA-65" in followed(old, [unsigned], None).wrong[0]
    assert "not those in the files" in followed(old, [note], []).wrong[0]
