"""The chain of entries in the database: its head, the hashes of new entries, and the nodes of the tree over them.

One row says where the chain ends. It is read and written inside the transaction that records entries, so what is rolled
back leaves neither a gap nor a hash behind. Nodes of the tree are stored from level `STORED_FROM` on: what lies below
follows from the hashes of at most 16 entries that stand side by side, and writing those nodes would cost eight times
as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, LargeBinary, and_, cast, func, or_, select

from ledger import merkle
from ledger.chain import columns_of, linked
from ledger.merkle import NodeId
from ledger.model import Entry
from store import schema
from store.bulk import Asked, Bulk, insert_text, run
from store.writer import notes

STORED_FROM = 4
_WIDTH = 32

_entries = schema.entries
_nodes = schema.merkle_nodes

_HEAD = "SELECT size, hash, frontier FROM ledger_head WHERE id = 1"
_LOCKED = _HEAD + " FOR UPDATE"
_ADVANCE = Bulk("UPDATE ledger_head SET size = ?, hash = ?, frontier = ? WHERE id = 1")
_INSERT_NODE = Bulk(insert_text(_nodes))


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends: how many entries, the hash of the last, the complete subtrees of the tree over all."""

    size: int
    hash: bytes
    frontier: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The root of the tree over all entries."""
        return merkle.root(self.frontier)


@dataclass(frozen=True, slots=True)
class Extension:
    """What recording some entries adds to the chain: (seq, hash) of each, nodes to store, and the head afterwards."""

    links: list[tuple[int, bytes]]
    nodes: list[tuple[int, int, bytes]]
    head: Head


def head(connection: Connection) -> Head:
    """The head of the chain. Raises LookupError when it is gone."""
    return _read_head(connection, _HEAD)


def asked_head(connection: Connection) -> Asked | None:
    """In a writing transaction: the question for the head, which makes whoever else wants to record wait.

    It goes out together with the others of `store.book.load_book`; `remember` takes the answer. (On SQLite a writing
    transaction is alone from its beginning.)
    """
    if not connection.get_execution_options().get("writes"):
        return None
    return (_LOCKED if connection.dialect.name == "postgresql" else _HEAD), [()]


def remember(connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Keep the answer for the rest of the running unit, in which nobody else can move the head."""
    notes(connection)[_HEAD] = _head(rows)


def lock(connection: Connection) -> None:
    """Make whoever else wants to record wait, in a writing transaction; elsewhere this does nothing."""
    asked = asked_head(connection)
    if asked is not None:
        remember(connection, run(connection, *asked).fetchall())


def _read_head(connection: Connection, text: str) -> Head:
    return _head(run(connection, text, [()]).fetchall())


def _head(rows: Sequence[Sequence[Any]]) -> Head:
    if not rows:
        raise LookupError("the head of the ledger's chain is gone: table ledger_head has no row")
    size, last, frontier = rows[0]
    return Head(size, bytes(last), tuple([frontier[at : at + _WIDTH] for at in range(0, len(frontier), _WIDTH)]))


def extension_by(connection: Connection, entries: Sequence[Entry]) -> Extension:
    """Number and hash new entries. Nothing is written yet."""
    before = notes(connection).get(_HEAD)
    if before is None:
        before = _read_head(connection, _LOCKED if connection.dialect.name == "postgresql" and entries else _HEAD)
    size, last, frontier = before.size, before.hash, list(before.frontier)
    links: list[tuple[int, bytes]] = []
    nodes: list[tuple[int, int, bytes]] = []
    for entry in entries:
        last = linked(last, columns_of(size + 1, entry))
        made = merkle.append(size, frontier, merkle.leaf(last))
        nodes += made[STORED_FROM:]
        size += 1
        links.append((size, last))
    return Extension(links, nodes, Head(size, last, tuple(frontier)))


def advancing(connection: Connection, extension: Extension) -> list[Asked]:
    """The statements that write the nodes and the new head, after the entries; none when nothing is recorded."""
    if not extension.links:
        return []
    after = extension.head
    if _HEAD in notes(connection):
        notes(connection)[_HEAD] = after
    moved = _ADVANCE.asked(connection, [(after.size, after.hash, b"".join(after.frontier))])
    return [_INSERT_NODE.asked(connection, extension.nodes), moved] if extension.nodes else [moved]


def hashes(connection: Connection, first: int, last: int) -> list[bytes]:
    """The hashes of the entries first … last (counted from 1), as far as they are there."""
    wanted = select(_entries.c.hash).where(_entries.c.seq >= first, _entries.c.seq <= last).order_by(_entries.c.seq)
    return [bytes(found) for (found,) in connection.execute(wanted)]


def nodes(connection: Connection, wanted: set[NodeId]) -> dict[NodeId, bytes]:
    """Complete nodes of the tree by id, in one look-up for the stored ones and one for each that lies below.

    Raises LookupError when one is not there.
    """
    stored = [one for one in wanted if one[0] >= STORED_FROM]
    found: dict[NodeId, bytes] = {}
    if stored:
        # Not a comparison of pairs: SQLite would look through the whole table for it.
        asked = select(_nodes).where(
            or_(*(and_(_nodes.c.level == level, _nodes.c.position == position) for level, position in stored))
        )
        found = {(level, position): bytes(hashed) for level, position, hashed in connection.execute(asked)}
    for level, position in wanted - found.keys():
        if level >= STORED_FROM:
            raise LookupError(f"node {position} of level {level} of the ledger's tree is not in the database")
        first = (position << level) + 1
        below = hashes(connection, first, first + (1 << level) - 1)
        if len(below) != 1 << level:
            raise LookupError(f"an entry from {first} on is not in the database")
        found[level, position] = merkle.levels_over([merkle.leaf(one) for one in below])[-1][0]
    return found


def root_at(connection: Connection, size: int) -> bytes:
    """The root of the tree over the first `size` entries."""
    if size == 0:
        return merkle.EMPTY_ROOT
    complete = merkle.complete_nodes(0, size)
    found = nodes(connection, set(complete))
    return merkle.root([found[one] for one in complete])


def inclusion_path(connection: Connection, seq: int, size: int) -> list[bytes]:
    """What proves that entry `seq` is among the first `size` entries."""
    return _proof(connection, merkle.inclusion_parts(seq - 1, size))


def consistency_proof(connection: Connection, old: int, new: int) -> list[bytes]:
    """What proves that the first `old` entries are the beginning of the first `new`."""
    return _proof(connection, merkle.consistency_parts(old, new))


def _proof(connection: Connection, parts: merkle.Parts) -> list[bytes]:
    return merkle.assembled(parts, nodes(connection, merkle.needed(parts)).__getitem__)


def node_run(connection: Connection, level: int, first: int, count: int) -> list[bytes | None]:
    """The stored nodes of a level from position `first` on, None where there is none."""
    # Cast, for somebody may have put text there, which SQLite allows and the driver would not read.
    wanted = select(_nodes.c.position, cast(_nodes.c.hash, LargeBinary)).where(
        _nodes.c.level == level, _nodes.c.position >= first, _nodes.c.position < first + count
    )
    found = {position: bytes(hashed) for position, hashed in connection.execute(wanted)}
    return [found.get(position) for position in range(first, first + count)]


def count_nodes(connection: Connection, level: int) -> int:
    """How many nodes of a level are stored."""
    return int(connection.execute(select(func.count()).where(_nodes.c.level == level)).scalar_one())


def levels(connection: Connection) -> list[int]:
    """The levels of which nodes are stored."""
    return [level for (level,) in connection.execute(select(_nodes.c.level).distinct().order_by(_nodes.c.level))]
