"""The Merkle tree of RFC 6962 over the hashes of all entries: roots, proofs, and their verification.

A leaf is SHA-256(0x00 ‖ content), a node SHA-256(0x01 ‖ left ‖ right). Node (level, position) is the root over the
leaves position·2^level … (position+1)·2^level - 1; once complete it never changes, so it can be stored once. Any root
and any proof is made of at most 2·log2(size) complete nodes: `…_parts` says which, `assembled` puts them together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

NodeId = tuple[int, int]
"""(level, position)."""
Parts = tuple[tuple[NodeId, ...], ...]
"""The hashes of a proof in order, each as the complete nodes that it is made of, left to right."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf(content: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(size: int, frontier: list[bytes], hashed_leaf: bytes) -> list[tuple[int, int, bytes]]:
    """Add a leaf to a tree of `size` leaves; returns the nodes (level, position, hash) it completes, the leaf first.

    `frontier` holds the complete subtrees of the tree, the largest first, and is brought up to date.
    """
    made = [(0, size, hashed_leaf)]
    level, above = 0, hashed_leaf
    while size >> level & 1:
        above = node(frontier.pop(), above)
        level += 1
        made.append((level, size >> level, above))
    frontier.append(above)
    return made


def root(frontier: Sequence[bytes]) -> bytes:
    """The root of the tree whose complete subtrees, the largest first, are these."""
    if not frontier:
        return EMPTY_ROOT
    above = frontier[-1]
    for left in reversed(frontier[:-1]):
        above = node(left, above)
    return above


def levels_over(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All complete nodes over a run of hashed leaves that begins at a multiple of its length's next power of two.

    One list a level, the leaves first. Much faster than adding leaf by leaf.
    """
    sha256 = hashlib.sha256
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = iter(levels[-1])
        levels.append([sha256(b"\x01" + left + right).digest() for left, right in zip(below, below, strict=False)])
    return levels


def complete_nodes(begin: int, end: int) -> tuple[NodeId, ...]:
    """The complete nodes whose leaves are begin … end - 1, left to right; `begin` fits the largest of them."""
    found: list[NodeId] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        found.append((level, begin >> level))
        begin += 1 << level
    return tuple(found)


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_parts(index: int, size: int) -> Parts:
    """What proves that leaf `index` (from 0) is in the tree of `size` leaves. Raises ValueError when it is not."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    begin, end = 0, size
    found: list[tuple[NodeId, ...]] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            found.append(complete_nodes(middle, end))
            end = middle
        else:
            found.append(complete_nodes(begin, middle))
            begin = middle
    return tuple(reversed(found))


def consistency_parts(old: int, new: int) -> Parts:
    """What proves that the tree of `old` leaves is the beginning of the tree of `new`. Raises ValueError for old > new
    and for sizes below 1.
    """
    if not 1 <= old <= new:
        raise ValueError(f"a tree of {old} leaves can't be the beginning of one of {new}")
    begin, end, whole = 0, new, True
    found: list[tuple[NodeId, ...]] = []
    while old < end:
        middle = begin + _split(end - begin)
        if old <= middle:
            found.append(complete_nodes(middle, end))
            end = middle
        else:
            found.append(complete_nodes(begin, middle))
            begin, whole = middle, False
    if not whole:
        found.append(complete_nodes(begin, end))
    return tuple(reversed(found))


def assembled(parts: Parts, hash_of: Callable[[NodeId], bytes]) -> list[bytes]:
    """The hashes of a proof."""
    return [root([hash_of(one) for one in part]) for part in parts]


def needed(parts: Parts) -> set[NodeId]:
    """The nodes that a proof is made of."""
    return {one for part in parts for one in part}


def root_from_inclusion(index: int, size: int, hashed_leaf: bytes, path: Iterable[bytes]) -> bytes:
    """The root that an inclusion proof leads to: compare it with the one you trust. Raises ValueError for a path of
    the wrong length.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    first, last, above = index, size - 1, hashed_leaf
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if first & 1 or first == last:
            above = node(sibling, above)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            above = node(above, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return above


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `old` leaves is the beginning of the tree of `new`."""
    if not 1 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    of_old = of_new = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            of_old, of_new = node(one, of_old), node(one, of_new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            of_new = node(of_new, one)
        first, last = first >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root
