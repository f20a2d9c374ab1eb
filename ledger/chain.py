"""The chain of entries: each entry's hash covers all its columns and the hash of the entry before it.

An entry is encoded as bencode, a canonical encoding in which every text carries its length: one list of the version,
the hash before, and the columns in the order of `ENTRY` and `POSTING`. A column that is NULL is the empty list. Nothing
else may be written for the same entry, and no two entries are written alike.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ledger.hold_text import claims_text
from ledger.model import Entry

VERSION = "qubator.entry/1"
GENESIS = bytes(32)
"""What stands for the hash before the first entry."""

ENTRY = ("seq", "id", "kind", "at_us", "project_id", "job_id", "grant_id", "programme_id", "claims", "body", "postings")
POSTING = ("position", "source", "destination", "amount", "asset")

Columns = tuple[Any, ...]
"""The values of `ENTRY`: integers, UTF-8 bytes, None, and tuples of such for what there may be several of."""

_VERSION = VERSION.encode()
_BEGINNING = b"l%d:%b" % (len(_VERSION), _VERSION)


def columns_of(seq: int, entry: Entry) -> Columns:
    """The columns of an entry that stands at `seq`, counted from 1: the one list of what the hash covers."""
    return (
        seq,
        entry.id.encode(),
        entry.kind.encode(),
        entry.at_us,
        _utf8(entry.project_id),
        _utf8(entry.job_id),
        _utf8(entry.grant_id),
        _utf8(entry.programme_id),
        claims_text(entry.claims).encode(),
        entry.body.encode(),
        tuple(
            (position, posting.source.encode(), posting.destination.encode(), posting.amount, posting.asset.encode())
            for position, posting in enumerate(entry.postings)
        ),
    )


def _utf8(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def encoded(previous: bytes, columns: Columns) -> bytes:
    """The bytes that the hash of an entry is taken of. Raises TypeError for what is no value of a column."""
    return _bencoded((_VERSION, previous, *columns))


def _bencoded(values: tuple[Any, ...]) -> bytes:
    # One expression, for a million entries are read this way. Types are compared, not asked for: True is no integer.
    return b"l%be" % b"".join(
        [
            b"%d:%b" % (len(value), value)
            if (kind := type(value)) is bytes
            else b"i%de" % value
            if kind is int
            else b"le"
            if value is None
            else _bencoded(value)
            if kind is tuple
            else _refuse(value)
            for value in values
        ]
    )


def _refuse(value: object) -> bytes:
    raise TypeError(f"a column of an entry is an integer, bytes or None, not {type(value).__name__}")


def linked(previous: bytes, columns: Columns) -> bytes:
    """The hash of an entry: SHA-256 of its encoding, which begins with the hash of the entry before it."""
    return hashlib.sha256(_written_out(previous, columns) or encoded(previous, columns)).digest()


def _written_out(previous: bytes, columns: Columns) -> bytes | None:
    """The same bytes as `encoded` in half the time, for entries whose columns are what they should be; else None."""
    try:
        seq, entry_id, kind, at_us, *subjects, claims, body, postings = columns
        if not type(seq) is type(at_us) is int:
            return None
        parts = [
            _BEGINNING,
            b"%d:%bi%de%d:%b%d:%bi%de"
            % (len(previous), previous, seq, len(entry_id), entry_id, len(kind), kind, at_us),
        ]
        parts += [b"le" if value is None else b"%d:%b" % (len(value), value) for value in subjects]
        parts.append(b"%d:%b%d:%bl" % (len(claims), claims, len(body), body))
        for position, source, destination, amount, asset in postings:
            if not type(position) is type(amount) is int:
                return None
            parts.append(
                b"li%de%d:%b%d:%bi%de%d:%be"
                % (position, len(source), source, len(destination), destination, amount, len(asset), asset)
            )
    except (TypeError, ValueError):
        return None
    parts.append(b"ee")
    return b"".join(parts)


def document(columns: Columns) -> dict[str, Any]:
    """Columns by name, with text as text: what a receipt shows of an entry. Raises UnicodeDecodeError for no UTF-8."""
    *plain, postings = columns
    shown: dict[str, Any] = {name: _shown(value) for name, value in zip(ENTRY, plain, strict=False)}
    shown["postings"] = [
        {name: _shown(value) for name, value in zip(POSTING, posting, strict=True)} for posting in postings
    ]
    return shown


def _shown(value: bytes | int | None) -> str | int | None:
    return value.decode() if isinstance(value, bytes) else value
