"""The tree is RFC 6962's: its known vectors, and its proofs against the definition written as it stands in the RFC."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle

# The tree of eight leaves that the implementations of Certificate Transparency are tested with.
LEAVES = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243")] + [
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves):
    """The Merkle tree hash as section 2.1 of the RFC defines it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def split(count):
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def path(m, leaves):
    """Section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m, leaves, whole):
    """Section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def grown(leaves):
    """(nodes, frontier) of the tree built leaf by leaf."""
    nodes, frontier = {}, []
    for size, content in enumerate(leaves):
        for level, position, hashed in merkle.append(size, frontier, merkle.leaf(content)):
            assert (level, position) not in nodes, "what is complete is written once"
            nodes[level, position] = hashed
    return nodes, frontier


def numbered(count):
    return [b"%d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(9))
def test_the_known_roots(size):
    _nodes, frontier = grown(LEAVES[:size])
    assert merkle.root(frontier).hex() == ROOTS[size]
    assert mth(LEAVES[:size]).hex() == ROOTS[size], "the definition above is right too"


def test_a_known_path():
    """The path of the first leaf in the tree of eight."""
    nodes, _ = grown(LEAVES)
    found = merkle.assembled(merkle.inclusion_parts(0, 8), nodes.__getitem__)
    assert [each.hex()[:8] for each in found] == ["96a296d2", "5f083f0a", "6b47aaf2"]


@given(st.integers(1, 130), st.data())
def test_inclusion_is_the_rfcs_and_proves_itself_and_nothing_else(size, data):
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    nodes, frontier = grown(leaves)
    proof = merkle.assembled(merkle.inclusion_parts(index, size), nodes.__getitem__)
    assert proof == path(index, leaves)
    root, own = merkle.root(frontier), merkle.leaf(leaves[index])
    assert merkle.root_from_inclusion(index, size, own, proof) == root
    assert merkle.root_from_inclusion(index, size, merkle.leaf(b"other"), proof) != root
    if proof:
        with pytest.raises(ValueError, match="too short"):
            merkle.root_from_inclusion(index, size, own, proof[:-1])
        flipped = data.draw(st.integers(0, len(proof) - 1))
        proof[flipped] = bytes([proof[flipped][0] ^ 1]) + proof[flipped][1:]
        assert merkle.root_from_inclusion(index, size, own, proof) != root
    with pytest.raises(ValueError, match="too long"):
        merkle.root_from_inclusion(index, size, own, [*proof, root])


@given(st.integers(1, 130), st.integers(0, 130), st.data())
def test_consistency_is_the_rfcs_and_proves_itself_and_nothing_else(old, more, data):
    leaves, new = numbered(old + more), old + more
    nodes, frontier = grown(leaves)
    proof = merkle.assembled(merkle.consistency_parts(old, new), nodes.__getitem__)
    assert proof == subproof(old, leaves, True)
    before, after = mth(leaves[:old]), merkle.root(frontier)
    assert merkle.is_consistent(old, new, before, after, proof)
    other = merkle.leaf(b"other")
    assert not merkle.is_consistent(old, new, other, after, proof)
    assert not merkle.is_consistent(old, new, before, other, proof)
    assert not merkle.is_consistent(old, new, before, after, [*proof, other])
    assert not merkle.is_consistent(new + 1, new, before, after, proof)
    if proof:
        assert not merkle.is_consistent(old, new, before, after, proof[:-1])
        flipped = data.draw(st.integers(0, len(proof) - 1))
        proof[flipped] = other
        assert not merkle.is_consistent(old, new, before, after, proof)


@given(st.integers(1, 70), st.integers(0, 69))
def test_a_history_that_was_rewritten_is_not_consistent(size, changed):
    changed %= size
    leaves, forged = numbered(size + 10), numbered(size + 10)
    forged[changed] = b"forged"
    nodes, frontier = grown(forged)
    proof = merkle.assembled(merkle.consistency_parts(size, size + 10), nodes.__getitem__)
    assert not merkle.is_consistent(size, size + 10, mth(leaves[:size]), merkle.root(frontier), proof)


@given(st.integers(0, 70))
def test_levels_at_once_are_the_nodes_made_one_by_one(size):
    nodes, _ = grown(numbered(size))
    levels = merkle.levels_over([merkle.leaf(each) for each in numbered(size)])
    at_once = {(level, place): hashed for level, row in enumerate(levels) for place, hashed in enumerate(row)}
    assert at_once == nodes


@given(st.integers(0, 200))
def test_a_tree_is_made_of_its_complete_nodes(size):
    nodes, frontier = grown(numbered(size))
    complete = merkle.complete_nodes(0, size)
    assert [nodes[one] for one in complete] == frontier
    assert len(complete) == size.bit_count()


def test_proofs_take_few_look_ups():
    for parts in (merkle.inclusion_parts(654_321, 1_000_001), merkle.consistency_parts(654_321, 1_000_001)):
        assert len(merkle.needed(parts)) <= 40


@pytest.mark.parametrize("index", [-1, 8, 9])
def test_a_leaf_outside_the_tree_has_no_proof(index):
    with pytest.raises(ValueError, match=f"leaf {index} is not in a tree of 8 leaves"):
        merkle.inclusion_parts(index, 8)
    with pytest.raises(ValueError, match=f"leaf {index} is not in a tree of 8 leaves"):
        merkle.root_from_inclusion(index, 8, bytes(32), [])


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_only_an_earlier_tree_is_a_beginning(old, new):
    with pytest.raises(ValueError, match=f"a tree of {old} leaves can't be the beginning of one of {new}"):
        merkle.consistency_parts(old, new)
