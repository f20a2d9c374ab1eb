"""The encoding is bencode, written out here by hand once, and nothing that an entry says escapes its hash."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import ENTRY, GENESIS, POSTING, VERSION, columns_of, document, encoded, linked
from ledger.model import Claim, Entry, Posting

ENTRIES = st.builds(
    Entry,
    id=st.text(max_size=5),
    kind=st.sampled_from(["fund", "issue", "hold", "settle", "void", "expire"]),
    at_us=st.integers(0, 2**62),
    postings=st.lists(
        st.builds(
            Posting, st.text(max_size=3), st.text(max_size=3), st.integers(1, 2**62), st.sampled_from(["CNY", "shots"])
        ),
        max_size=3,
    ).map(tuple),
    project_id=st.none() | st.text(max_size=3),
    job_id=st.none() | st.text(max_size=3),
    grant_id=st.none() | st.text(max_size=3),
    programme_id=st.none() | st.text(max_size=3),
    claims=st.lists(st.builds(Claim, st.text(max_size=3), st.integers(-9, 9)), max_size=2).map(tuple),
    body=st.text(max_size=5),
)
HOLD = Entry("hold/j", "hold", 7, (Posting("a", "é", 5, "CNY"),), project_id="p", job_id="j", body="a body!")


def test_an_entry_is_encoded_as_bencode():
    previous = b"\x00" * 32
    wanted = (
        b"l15:qubator.entry/132:"
        + previous
        + b"i3e6:hold/j4:holdi7e1:p1:jlele"
        + b"0:7:a body!"
        + b"lli0e1:a2:\xc3\xa9i5e3:CNYee"
        + b"e"
    )
    columns = columns_of(3, HOLD)
    assert encoded(GENESIS, columns) == wanted
    assert linked(GENESIS, columns) == hashlib.sha256(wanted).digest()
    assert len(VERSION) == 15


@given(ENTRIES, st.integers(1, 2**40), st.binary(max_size=40))
def test_the_hash_is_that_of_the_encoding(entry, seq, previous):
    columns = columns_of(seq, entry)
    assert linked(previous, columns) == hashlib.sha256(encoded(previous, columns)).digest()


@pytest.mark.parametrize("place", range(len(ENTRY)))
@pytest.mark.parametrize("value", [True, 1.5, 1.0, "text"])
def test_what_is_no_column_has_no_hash(place, value):
    columns = list(columns_of(3, HOLD))
    columns[place] = ((0, b"a", b"b", value, b"CNY"),) if ENTRY[place] == "postings" else value
    with pytest.raises(TypeError, match="a column of an entry is an integer, bytes or None"):
        linked(GENESIS, tuple(columns))


def bdecoded(content: bytes):
    """Bencode, read back by other code than wrote it."""

    def value(at: int):
        if content[at : at + 1] == b"i":
            end = content.index(b"e", at)
            return int(content[at + 1 : end]), end + 1
        if content[at : at + 1] == b"l":
            found, at = [], at + 1
            while content[at : at + 1] != b"e":
                one, at = value(at)
                found.append(one)
            return found, at + 1
        colon = content.index(b":", at)
        end = colon + 1 + int(content[at:colon])
        return content[colon + 1 : end], end

    read, end = value(0)
    assert end == len(content)
    return read


def as_lists(value):
    if value is None:
        return []
    return [as_lists(one) for one in value] if isinstance(value, tuple) else value


@given(ENTRIES, st.integers(1, 2**62), st.binary(min_size=32, max_size=32))
def test_whatever_is_encoded_can_be_read_back(entry, seq, previous):
    columns = columns_of(seq, entry)
    assert bdecoded(encoded(previous, columns)) == [VERSION.encode(), previous, *as_lists(columns)]


@given(ENTRIES, ENTRIES)
def test_different_entries_have_different_hashes(one, other):
    alike = linked(GENESIS, columns_of(1, one)) == linked(GENESIS, columns_of(1, other))
    assert alike == (one == other)


def test_every_field_of_an_entry_and_of_a_posting_is_covered():
    """Whoever gives the model another field must give it to the encoding too."""
    assert [*ENTRY[1:]] != sorted(ENTRY[1:])
    assert set(ENTRY) - {"seq"} == {field.name for field in fields(Entry)} - {"meant"}, "which is never stored"
    assert set(POSTING) - {"position"} == {field.name for field in fields(Posting)}
    before = linked(GENESIS, columns_of(1, HOLD))
    changed = {
        "id": "hold/k",
        "kind": "void",
        "at_us": 8,
        "postings": (),
        "project_id": None,
        "job_id": "",
        "grant_id": "",
        "programme_id": "x",
        "claims": (Claim("pool/p/2026", 1),),
        "body": "another",
    }
    assert set(changed) == {field.name for field in fields(Entry)} - {"meant"}
    for name, value in changed.items():
        assert linked(GENESIS, columns_of(1, replace(HOLD, **{name: value}))) != before, name
    for name, value in {"source": "b", "destination": "b", "amount": 6, "asset": "USD"}.items():
        other = replace(HOLD, postings=(replace(HOLD.postings[0], **{name: value}),))
        assert linked(GENESIS, columns_of(1, other)) != before, name
    assert linked(GENESIS, columns_of(2, HOLD)) != before
    assert linked(b"\x01" * 32, columns_of(1, HOLD)) != before


@pytest.mark.parametrize("wrong", [1.0, True, "text", [b""]])
def test_what_is_no_value_of_a_column_is_not_encoded(wrong):
    with pytest.raises(TypeError, match=f"not {type(wrong).__name__}"):
        encoded(GENESIS, (1, wrong))


def test_a_receipt_shows_columns_by_name():
    shown = document(columns_of(3, HOLD))
    assert list(shown) == list(ENTRY)
    assert shown["seq"] == 3
    assert shown["grant_id"] is None
    assert shown["postings"] == [{"position": 0, "source": "a", "destination": "é", "amount": 5, "asset": "CNY"}]
