"""Checks the chain of entries and the tree over them, one pass over the past, and names what does not fit.

An entry whose columns were changed has another hash than it says; so has one whose hash was changed. The entry after it
is then measured by both hashes, so that it is not blamed for its neighbour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import merkle
from ledger.chain import GENESIS, Columns, linked
from ledger.merkle import NodeId

BLOCK_LEVEL = 16
_BLOCK = 1 << BLOCK_LEVEL

StoredNodes = Callable[[int, int, int], Sequence[bytes | None]]
"""(level, first position, count) → the stored hashes, None where there is none; an empty answer for a level that is not
stored at all."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that does not fit, in words, and the transaction it is about where it is about one."""

    text: str
    entry_id: str | None = None
    seq: int | None = None

    def __str__(self) -> str:
        return self.text if self.entry_id is None else f"entry {self.entry_id} (seq {self.seq}): {self.text}"


@dataclass(slots=True)
class Walked:
    """What a pass has seen: how many entries, the last hash, the tree's root, the roots at the sizes asked for.

    `nodes` counts the stored nodes that were compared. `root` is None when entries are missing: there is no tree then.
    """

    count: int
    last: bytes
    root: bytes | None
    roots: dict[int, bytes]
    nodes: int
    violations: list[Violation]


def walk(entries: Iterable[tuple[Columns, Any]], sizes: Sequence[int], stored: StoredNodes) -> Walked:
    """Check every entry against its hash and every stored node against the entries; `sizes` (ascending) are those whose
    roots the caller wants.
    """
    violations: list[Violation] = []
    tree = _Tree(sizes, stored, violations)
    sha256, block = hashlib.sha256, tree.block
    previous, instead, expected = GENESIS, None, 0
    for columns, hashed in entries:
        expected += 1
        if columns[0] != expected:
            expected = _gap(columns, expected, tree, violations)
        try:
            computed = linked(previous, columns)
            if computed == hashed or (instead is not None and linked(instead, columns) == hashed):
                instead = None
            else:
                violations.append(_of(columns, "its columns do not have the hash that is recorded"))
                instead = computed
        except TypeError as wrong:
            violations.append(_of(columns, f"it cannot be read: {wrong}"))
            instead = None
        previous = hashed if isinstance(hashed, bytes) else GENESIS
        block.append(sha256(b"\x00" + previous).digest())
        if len(block) == _BLOCK:
            tree.close_block()
    tree.close_block()
    return Walked(expected, previous, tree.root, tree.roots, tree.nodes, violations)


def _gap(columns: Columns, expected: int, tree: _Tree, violations: list[Violation]) -> int:
    seq = columns[0]
    tree.give_up()
    if type(seq) is not int or seq < expected:
        violations.append(_of(columns, f"it stands where entry {expected} should"))
        return expected
    missing = f"entry {expected} is" if seq == expected + 1 else f"entries {expected} to {seq - 1} are"
    violations.append(_of(columns, f"{missing} missing before it"))
    return seq


def _of(columns: Columns, text: str) -> Violation:
    seq, name = columns[0], columns[1]
    shown = name.decode(errors="backslashreplace") if isinstance(name, bytes) else repr(name)
    return Violation(text, shown, seq if isinstance(seq, int) else None)


class _Tree:
    """The tree over the entries walked so far, a block of leaves at a time."""

    def __init__(self, sizes: Sequence[int], stored: StoredNodes, violations: list[Violation]) -> None:
        self.block: list[bytes] = []
        self.roots: dict[int, bytes] = {}
        self.nodes = 0
        self._wanted = list(reversed(sizes))
        self._stored = stored
        self._violations = violations
        self._blocks = 0
        self._frontier: list[bytes] = []
        self._tail: list[bytes] = []
        self._whole = True

    @property
    def root(self) -> bytes | None:
        """The root over all; None when entries are missing."""
        return merkle.root([*self._frontier, *self._tail]) if self._whole else None

    def give_up(self) -> None:
        """Entries are missing: what follows stands at other places than it was hashed at."""
        if self._whole:
            self.close_block()
            self._whole = False

    def close_block(self) -> None:
        """Take the leaves of the block into the tree. One that is not full is the last."""
        leaves = len(self.block)
        if not self._whole or not leaves:
            self.block.clear()
            return
        levels = merkle.levels_over(self.block)
        self.block.clear()
        begin = self._blocks << BLOCK_LEVEL
        while self._wanted and self._wanted[-1] <= begin + leaves:
            size = self._wanted.pop()
            inside = merkle.complete_nodes(0, size - begin)
            self.roots[size] = merkle.root([*self._frontier, *(levels[level][place] for level, place in inside)])
        for level, made in enumerate(levels):
            self._compare(level, begin >> level, made)
        if leaves < _BLOCK:
            self._tail = [levels[level][place] for level, place in merkle.complete_nodes(0, leaves)]
            return
        above = merkle.append(self._blocks, self._frontier, levels[BLOCK_LEVEL][0])
        for level, position, made_above in above[1:]:
            self._compare(level + BLOCK_LEVEL, position, [made_above])
        self._blocks += 1

    def _compare(self, level: int, first: int, made: Sequence[bytes]) -> None:
        found = self._stored(level, first, len(made))
        if not found:
            return
        self.nodes += len(made)
        if list(found) == list(made):
            return
        for position, (there, wanted) in enumerate(zip(found, made, strict=True), first):
            if there != wanted:
                self._violations.append(Violation(_about_node((level, position), there)))


def _about_node(node: NodeId, there: bytes | None) -> str:
    level, position = node
    first, last = (position << level) + 1, (position + 1) << level
    what = "is missing" if there is None else "is not what these entries make"
    return f"the tree's node over the entries {first} to {last} (level {level}, position {position}) {what}"
