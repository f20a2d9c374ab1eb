"""One pass names what does not fit, and only that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle, verification
from ledger.chain import GENESIS, linked
from ledger.verification import Violation, walk


def history(count):
    """Columns and hashes of a sound chain, and its nodes."""
    last, found, frontier, nodes = GENESIS, [], [], {}
    for seq in range(1, count + 1):
        columns = (
            seq,
            b"hold/%d" % seq,
            b"hold",
            seq * 10,
            None,
            b"j%d" % seq,
            None,
            None,
            ((0, b"a", b"b", 5, b"CNY"),),
        )
        last = linked(last, columns)
        found.append((columns, last))
        for level, position, hashed in merkle.append(seq - 1, frontier, merkle.leaf(last)):
            nodes[level, position] = hashed
    return found, nodes


def stored_in(nodes):
    return lambda level, first, count: [nodes.get((level, place)) for place in range(first, first + count)]


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of eight leaves, so that a short history has many."""
    monkeypatch.setattr(verification, "BLOCK_LEVEL", 3)
    monkeypatch.setattr(verification, "_BLOCK", 8)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 64, 77])
def test_a_sound_history(small_blocks, count):
    entries, nodes = history(count)
    walked = walk(entries, range(1, count + 1), stored_in(nodes))
    assert walked.violations == []
    assert walked.nodes == len(nodes)
    assert walked.count == count
    frontier = []
    for size, (_, hashed) in enumerate(entries, 1):
        merkle.append(size - 1, frontier, merkle.leaf(hashed))
        assert walked.roots[size] == merkle.root(frontier)
    assert walked.root == merkle.root(frontier)


@given(st.integers(0, 19), st.integers(0, 8))
def test_a_changed_column_is_named_and_its_neighbours_are_not(place, column):
    entries, nodes = history(20)
    columns, hashed = entries[place]
    other = (0, b"x", b"y", 2**40, b"p", b"q", b"g", b"m", ())[column]
    entries[place] = ((*columns[:column], other, *columns[column + 1 :]), hashed)
    named = [one for one in walk(entries, (), stored_in(nodes)).violations if one.entry_id is not None]
    assert named
    assert {one.entry_id for one in named} == {(b"x" if column == 1 else columns[1]).decode()}


@pytest.mark.parametrize("place", [0, 5, 19])
def test_a_changed_hash_is_named_and_the_entry_after_it_is_not(place):
    entries, nodes = history(20)
    columns, hashed = entries[place]
    entries[place] = (columns, bytes([hashed[0] ^ 1]) + hashed[1:])
    violations = walk(entries, (), stored_in(nodes)).violations
    assert violations[0] == Violation(
        "its columns do not have the hash that is recorded", columns[1].decode(), place + 1
    )
    assert all("tree's node" in one.text for one in violations[1:])


def test_what_cannot_be_read_is_named():
    entries, nodes = history(5)
    columns, hashed = entries[2]
    entries[2] = ((*columns[:3], 1.5, *columns[4:]), hashed)
    entries[4] = (entries[4][0], None)
    violations = [one for one in walk(entries, (), stored_in(nodes)).violations if one.entry_id]
    assert [str(one).split(": ")[0] for one in violations] == ["entry hold/3 (seq 3)", "entry hold/5 (seq 5)"]
    assert "it cannot be read" in violations[0].text


def test_missing_entries_are_named_by_the_one_after_them():
    entries, nodes = history(20)
    walked = walk([*entries[:4], *entries[6:]], (3, 10), stored_in(nodes))
    assert str(walked.violations[0]) == "entry hold/7 (seq 7): entries 5 to 6 are missing before it"
    assert walked.root is None
    assert list(walked.roots) == [3]


def test_a_node_that_is_wrong_or_missing(small_blocks):
    entries, nodes = history(40)
    nodes[4, 1] = bytes(32)
    del nodes[2, 0]
    texts = [one.text for one in walk(entries, (), stored_in(nodes)).violations]
    assert texts == [
        "the tree's node over the entries 1 to 4 (level 2, position 0) is missing",
        "the tree's node over the entries 17 to 32 (level 4, position 1) is not what these entries make",
    ]


def test_levels_that_are_not_stored_are_not_compared():
    entries, _ = history(40)
    walked = walk(entries, (), lambda level, first, count: ())
    assert (walked.nodes, walked.violations) == (0, [])
