"""Checkpoints are signed notes as others write them: the example of the C2SP pages is read, and ours reads back."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.notes import BadNote, Checkpoint, PublicKey, Signature, note_of, read_note

ROOT = b"\x07" * 32
CHECKPOINT = Checkpoint("qubator/ledger", 17, ROOT, 1_700_000_000_000_000)
TEXT = f"qubator/ledger\n17\n{base64.b64encode(ROOT).decode()}\ntime_us 1700000000000000\n"
# A public example of the format: a text, and a signature by a key of this name and id.
EXAMPLE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)


def test_a_checkpoint_as_text():
    assert CHECKPOINT.to_text() == TEXT
    assert Checkpoint.from_text(TEXT) == CHECKPOINT


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("", "four lines"),
        (TEXT + "more\n", "four lines"),
        (TEXT.removesuffix("\n"), "four lines"),
        (TEXT.replace("time_us", "time"), "four lines"),
        (TEXT.replace("\n17", "\n017"), "is not written the way"),
        (TEXT.replace("\n17", "\n-17"), "is no number"),
        (TEXT.replace("\n17", "\n١٧"), "is no number"),
        (TEXT.replace("BwcH", "Bw H"), "the root is no base64"),
        (TEXT.replace("BwcHBwcH", "", 1), "a root has 32 bytes"),
        (TEXT.removeprefix("qubator/ledger"), "is not written the way"),
    ],
)
def test_what_is_no_checkpoint(wrong, why):
    with pytest.raises(BadNote, match=why):
        Checkpoint.from_text(wrong)


def test_a_note_of_the_specification_is_read():
    text, (signature,) = read_note(EXAMPLE)
    assert text.endswith("\n\ned è subito sera.\n")
    assert (signature.name, signature.key_id.hex()) == ("quasimodo.example/salvatore", "367ba04b")
    assert len(signature.content) == 64
    assert note_of(text, [signature]) == EXAMPLE


@given(st.lists(st.binary(min_size=5, max_size=80), min_size=1, max_size=3))
def test_a_note_reads_back(contents):
    signatures = [Signature(f"name{place}", each[:4], each[4:]) for place, each in enumerate(contents)]
    assert read_note(note_of(TEXT, signatures)) == (TEXT, signatures)


@pytest.mark.parametrize(
    "wrong",
    [
        TEXT,
        TEXT + "\n",
        TEXT + "\n— name",
        TEXT + "\n- name AAAAAAAA\n",
        TEXT + "\n— name\n",
        TEXT + "\n— name AAAA AAAA\n",
        TEXT + "\n— name AAAA\n",
        TEXT + "\n— name A!AA\n",
    ],
)
def test_what_is_no_note(wrong):
    with pytest.raises(BadNote):
        read_note(wrong)


KEYS = [PublicKey("qubator/ledger", "Ed25519", bytes(range(32))), PublicKey("q", "ML-DSA-65", bytes(1952))]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_one_line(key):
    assert PublicKey.from_text(key.to_text() + "\n") == key
    assert len(key.to_text().split("\n")) == 1


def test_a_key_of_a_public_example_is_read():
    """The key of Go's checksum database."""
    line = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    key = PublicKey.from_text(line)
    assert (key.name, key.algorithm, key.id.hex()) == ("sum.golang.org", "Ed25519", "033de0ae")
    assert key.to_text() == line


@pytest.mark.parametrize("key", KEYS)
def test_a_changed_key_is_no_key(key):
    line = key.to_text()
    for wrong in (line[1:], line[:-8] + "AAAABBBB", line.replace("+", "-"), line + "AAAA", "", "name+00000000+AQID"):
        with pytest.raises(BadNote):
            PublicKey.from_text(wrong)


def test_a_signature_is_by_the_key_of_its_name_and_id():
    key = KEYS[0]
    signature = Signature(key.name, key.id, b"s")
    assert signature.is_by(key)
    assert not signature.is_by(KEYS[1])
    assert not replace(signature, name="other").is_by(key)
    assert not replace(signature, key_id=b"1234").is_by(key)
