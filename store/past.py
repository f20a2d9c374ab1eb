"""The past as it stands in the tables, column by column: for whoever checks it, and for receipts.

Nothing is believed here: text comes as the bytes that are stored, a column may hold what it should not, and postings
may belong to no entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, Table, Text, func, select

from ledger.chain import ENTRY, GENESIS, POSTING, Columns
from store import schema
from store.bulk import streamed
from store.columns import among

_entries = schema.entries
_postings = schema.postings


@dataclass(frozen=True, slots=True)
class Linked:
    """An entry as it stands, between the hash before it and its own."""

    columns: Columns
    previous: bytes
    hash: bytes

    @property
    def seq(self) -> int:
        """Its place in the chain, from 1."""
        seq: int = self.columns[0]
        return seq


def entries_in_order(connection: Connection, stray: list[tuple[Any, ...]]) -> Iterator[tuple[Columns, Any]]:
    """The columns and the hash of every entry, in order; streamed, so read it while the transaction lasts.

    Postings that belong to no entry are put into `stray`, seq first.
    """
    postings = _streamed(connection, _postings, ("seq", *POSTING), "seq, position")
    entries = _streamed(connection, _entries, (*ENTRY[:-1], "hash"), "seq")
    for row, own in _together(entries, postings, stray):
        yield (*row[:-1], tuple([posting[1:] for posting in own])), row[-1]


def entries_as_told(connection: Connection) -> Iterator[tuple[Any, list[Any]]]:
    """Every entry with its postings as `ledger.past` takes them, in order; streamed like the above.

    Text is text here, so reading raises where somebody wrote what is none.
    """
    entries = f"SELECT {', '.join(ENTRY[:-1])} FROM entries ORDER BY seq"  # noqa: S608 - names of our own schema
    postings = "SELECT seq, source, destination, amount, asset FROM postings ORDER BY seq, position"
    return _together(streamed(connection, entries), streamed(connection, postings), [])


def holds_as_stored(connection: Connection) -> Iterator[Any]:
    """Every hold as `ledger.past` takes it; streamed."""
    names = ", ".join(column.name for column in schema.holds.columns)
    return streamed(connection, f"SELECT {names} FROM holds")  # noqa: S608 - names of our own schema


def _together(
    entries: Iterator[tuple[Any, ...]], postings: Iterator[tuple[Any, ...]], stray: list[tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """Each entry with its postings, of two sequences in the order of `seq`; what belongs to none goes to `stray`."""
    posting = next(postings, None)
    for row in entries:
        seq = row[0]
        while posting is not None and (type(posting[0]) is not int or posting[0] < seq):
            stray.append(posting)
            posting = next(postings, None)
        own = []
        while posting is not None and posting[0] == seq:
            own.append(posting)
            posting = next(postings, None)
        yield row, own
    if posting is not None:
        stray.append(posting)
    stray.extend(postings)


def _streamed(connection: Connection, table: Table, names: Iterable[str], order: str) -> Iterator[tuple[Any, ...]]:
    if connection.dialect.name == "sqlite":  # which lets any column hold anything
        shown = [name if isinstance(table.c[name].type, Integer) else f"CAST({name} AS BLOB)" for name in names]
    else:
        shown = [f"convert_to({name}, 'UTF8')" if isinstance(table.c[name].type, Text) else name for name in names]
    text = f"SELECT {', '.join(shown)} FROM {table.name} ORDER BY {order}"  # noqa: S608 - names of our own schema
    return streamed(connection, text)


def newest_seq(connection: Connection) -> int:
    """The highest number of an entry; 0 when there is none."""
    return int(connection.execute(select(func.coalesce(func.max(_entries.c.seq), 0))).scalar_one())


def entries_of_job(connection: Connection, job_id: str) -> list[Linked]:
    """The entries of one job, in order, each with the hash before it."""
    rows = connection.execute(select(_entries).where(_entries.c.job_id == job_id).order_by(_entries.c.seq)).all()
    seqs = [row.seq for row in rows]
    before = select(_entries.c.seq, _entries.c.hash).where(among(_entries.c.seq, [seq - 1 for seq in seqs]))
    hashes = {seq: bytes(hashed) for seq, hashed in connection.execute(before)}
    wanted = select(_postings).where(among(_postings.c.seq, seqs)).order_by(_postings.c.seq, _postings.c.position)
    postings: dict[int, list[tuple[Any, ...]]] = {}
    for posting in connection.execute(wanted):
        postings.setdefault(posting.seq, []).append(_as_stored(posting, POSTING))
    return [
        Linked(
            (*_as_stored(row, ENTRY[:-1]), tuple(postings.get(row.seq, ()))),
            hashes.get(row.seq - 1, GENESIS),
            bytes(row.hash),
        )
        for row in rows
    ]


def _as_stored(row: Row[Any], names: Iterable[str]) -> tuple[Any, ...]:
    values = (getattr(row, name) for name in names)
    return tuple(value.encode() if isinstance(value, str) else value for value in values)
