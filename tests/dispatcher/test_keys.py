"""Keys are made once, kept closed, and never silently replaced."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from dispatcher.keys import CannotSign, open_keys, public_text, read_public, verified
from ledger.notes import BadNote, Checkpoint


def checkpoint(name: str) -> Checkpoint:
    return Checkpoint(name, 5, b"\x07" * 32, 1_800_000_000_000_000)


def test_keys_are_made_and_found_again(tmp_path: Path) -> None:
    made = open_keys(tmp_path / "keys", [])
    assert [key.algorithm for key in made.public] == ["Ed25519", "ML-DSA-65"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert modes == {"ledger-ed25519.pem": 0o600, "ledger-ml-dsa-65.pem": 0o600, "ledger.pub": 0o644}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert read_public((tmp_path / "keys" / "ledger.pub").read_text()) == list(made.public)
    assert open_keys(tmp_path / "keys", made.public).public == made.public
    assert open_keys(tmp_path / "keys", []).public == made.public, "a start that was cut off goes on with its keys"


def test_a_note_is_believed_when_every_known_key_has_signed_it(tmp_path: Path) -> None:
    keys = open_keys(tmp_path / "keys", [])
    note = keys.signed(checkpoint(keys.name))
    assert verified(note, keys.public) == checkpoint(keys.name)
    for key in keys.public:
        assert verified(note, [key]) == checkpoint(keys.name)
    with pytest.raises(BadNote, match=r"signature by qubator/.* is wrong"):
        verified(note.replace("\n5\n", "\n6\n"), keys.public)
    other = open_keys(tmp_path / "other", [])
    with pytest.raises(BadNote, match="is not signed by the Ed25519 key"):
        verified(note, other.public)
    only_one = "\n".join(line for line in note.split("\n") if len(line) < 1_000)
    with pytest.raises(BadNote, match="is not signed by the ML-DSA-65 key"):
        verified(only_one, keys.public)
    with pytest.raises(BadNote, match="is a checkpoint of the log elsewhere"):
        verified(keys.signed(checkpoint("elsewhere")), keys.public)
    with pytest.raises(BadNote, match="no public key"):
        verified(note, [])


def test_a_lost_key_is_named_and_not_remade(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    known = open_keys(folder, []).public
    (folder / "ledger-ml-dsa-65.pem").unlink()
    with pytest.raises(CannotSign, match=r"ledger-ml-dsa-65\.pem is missing: .* Restore it from a backup"):
        open_keys(folder, known)
    assert not (folder / "ledger-ml-dsa-65.pem").exists()


def test_another_key_and_no_key(tmp_path: Path) -> None:
    known = open_keys(tmp_path / "keys", []).public
    open_keys(tmp_path / "other", [])
    path = tmp_path / "keys" / "ledger-ed25519.pem"
    path.write_bytes((tmp_path / "other" / "ledger-ed25519.pem").read_bytes())
    with pytest.raises(CannotSign, match="holds another key than the one that signs"):
        open_keys(tmp_path / "keys", known)
    path.write_text("rubbish")
    with pytest.raises(CannotSign, match="is no private key that can be read here"):
        open_keys(tmp_path / "keys", known)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(CannotSign, match=r"the ledger's keys in .*keys cannot be used"):
        open_keys(tmp_path / "keys", [])


def test_where_the_library_has_no_ml_dsa_ed25519_signs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> MLDSA65PrivateKey:
        raise UnsupportedAlgorithm("not here")

    monkeypatch.setattr("dispatcher.keys.MLDSA65PrivateKey", type("Absent", (), {"generate": staticmethod(refuse)}))
    keys = open_keys(tmp_path / "keys", [])
    assert [key.algorithm for key in keys.public] == ["Ed25519"]
    assert verified(keys.signed(checkpoint(keys.name)), keys.public) == checkpoint(keys.name)


def test_a_key_file_may_have_remarks(tmp_path: Path) -> None:
    keys = open_keys(tmp_path / "keys", [])
    assert read_public("# kept in 2026\n\n" + public_text(keys.public)) == list(keys.public)
