"""A change of keys is one text, and only one."""

from __future__ import annotations

import pytest

from ledger.handover import Handover, after
from ledger.notes import BadNote, PublicKey

OLD = PublicKey("qubator/old", "Ed25519", b"\x01" * 32)
NEW = PublicKey("qubator/new", "Ed25519", b"\x02" * 32)
NEW_TOO = PublicKey("qubator/new", "ML-DSA-65", b"\x03" * 1952)
CHANGE = Handover("qubator/old", 7, b"\x07" * 32, 1_800_000_000_000_000, "the machine was stolen", (NEW, NEW_TOO))


def test_it_is_read_as_it_was_written() -> None:
    text = CHANGE.to_text()
    assert text.split("\n")[:3] == ["qubator/old", "new keys", "after 7"]
    assert Handover.from_text(text) == CHANGE


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text + "\n",
        lambda text: text.replace("after 7", "after 07"),
        lambda text: text.replace("after 7", "after many"),
        lambda text: text.replace("reason", "season"),
        lambda text: text.replace("new keys", "old keys"),
        lambda text: "\n".join(text.split("\n")[:6]) + "\n",
        lambda text: text.replace(NEW.to_text(), OLD.to_text()),
        lambda text: text.replace(NEW.to_text(), "rubbish"),
    ],
)
def test_nothing_else_is_read(change) -> None:
    with pytest.raises(BadNote):
        Handover.from_text(change(CHANGE.to_text()))


def test_those_in_force_are_retired_by_it() -> None:
    oldest = PublicKey("qubator/oldest", "Ed25519", b"\x04" * 32, retired_at=3)
    found = after([oldest, OLD], CHANGE)
    assert [(key.name, key.retired_at) for key in found] == [
        ("qubator/oldest", 3),
        ("qubator/old", 7),
        ("qubator/new", None),
        ("qubator/new", None),
    ]
    assert [PublicKey.from_line(key.to_line()).retired_at for key in found] == [3, 7, None, None]
    assert found[1] == OLD, "that it is retired is no part of the key"
