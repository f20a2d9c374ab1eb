"""Payloads and results by the hash of their content: small ones in the database row, larger ones as files.

A file is complete and fsynced before its row is written, and it is removed only after its row is gone, always inside
a writing transaction; those come one after the other, so nobody stores the same bytes at the same moment. Processes
that share a database share the directory.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, exists, func, select

from store import blob_files, schema
from store.bulk import Bulk, Row, insert_text
from store.columns import among_many
from store.database import Database
from store.errors import BlobDamaged, BlobTooLarge
from store.writer import after_commit

_blobs = schema.blobs
_jobs = schema.jobs
_PREFIX = "sha256:"
_COLLECT_AT_ONCE = 500

# Stored again: the same bytes, but younger in the eyes of the collector.
_UPSERT = Bulk(
    insert_text(_blobs) + " ON CONFLICT (hash) DO UPDATE SET created_us = excluded.created_us "
    "WHERE blobs.created_us < excluded.created_us"
)
_CONTENT = select(_blobs.c.size, _blobs.c.bytes).where(_blobs.c.hash == bindparam("hash"))
_KNOWN = select(_blobs.c.hash).where(among_many(_blobs.c.hash, "hashes"))
_UNUSED = (
    _blobs.c.created_us < bindparam("before_us"),
    ~exists().where(_jobs.c.work_hash == _blobs.c.hash),
    ~exists().where(_jobs.c.result_hash == _blobs.c.hash),
)


def _wall_clock_us() -> int:
    return time.time_ns() // 1000


def hash_of(content: bytes) -> str:
    """The name under which these bytes are stored."""
    return _PREFIX + hashlib.sha256(content).hexdigest()


class Blobs:
    """The blob store under `root`. Use from any thread."""

    def __init__(
        self,
        root: Path,
        inline_limit: int = 32_768,
        max_bytes: int = 1 << 30,
        clock_us: Callable[[], int] = _wall_clock_us,
    ) -> None:
        """Blobs of at most `inline_limit` bytes live in the database; none may exceed `max_bytes`."""
        self._files = blob_files.BlobFiles(root)
        self._inline_limit = inline_limit
        self._max_bytes = max_bytes
        self._clock_us = clock_us

    def put(self, connection: Connection, content: bytes) -> str:
        """Store bytes; returns their hash ("sha256:…"). For a writing unit.

        Raises `BlobTooLarge`, or `StoreUnavailable` when the disk is full.
        """
        blob_hash = hash_of(content)
        self.put_many(connection, {blob_hash: content})
        return blob_hash

    def put_many(self, connection: Connection, contents: Mapping[str, bytes]) -> None:
        """Store several at once, each under what `hash_of` says of it: whoever has hashed them need not do it again.

        Raises like `put`.
        """
        now_us = self._clock_us()
        rows: list[Row] = []
        for blob_hash, content in contents.items():
            self._check_size(len(content))
            inline = len(content) <= self._inline_limit
            if not inline:
                self._files.write(_digest(blob_hash), content, now_us)
            rows.append((blob_hash, len(content), content if inline else None, now_us))
        _UPSERT(connection, rows)

    def stage(self, content: bytes) -> None:
        """Write the file of a large blob ahead, outside any unit, so that `put` need not: it only adds the row then.

        Without a `put` soon after, the file is collected. Raises like `put`.
        """
        self._check_size(len(content))
        if len(content) > self._inline_limit:
            self._files.write(_digest(hash_of(content)), content, self._clock_us())

    def adopt(self, connection: Connection, path: Path) -> str:
        """Take over a finished file; returns the hash of its content. For a writing unit.

        The file disappears from `path` once the unit is durable; if it is taken back, the file stays where it is.
        Raises like `put`, and FileNotFoundError.
        """
        size = path.stat().st_size
        self._check_size(size)
        if size <= self._inline_limit:
            blob_hash = self.put(connection, path.read_bytes())
        else:
            now_us = self._clock_us()
            blob_hash = _PREFIX + self._files.adopt(path, now_us)
            _UPSERT(connection, [(blob_hash, size, None, now_us)])
        after_commit(connection, lambda: path.unlink(missing_ok=True))
        return blob_hash

    def get(self, connection: Connection, blob_hash: str) -> bytes | None:
        """The bytes under a hash; None when they were never stored, or have been collected.

        Raises `BlobDamaged` when the file no longer is what was stored.
        """
        row = connection.execute(_CONTENT, {"hash": blob_hash}).one_or_none()
        if row is None:
            return None
        if row.bytes is not None:
            return bytes(row.bytes)
        content = self._files.read(_digest(blob_hash))
        if content is not None and hash_of(content) != blob_hash:
            raise BlobDamaged(f"the file of {blob_hash} holds other bytes than were stored")
        return content

    def size(self, connection: Connection, blob_hash: str) -> int | None:
        """How many bytes are stored under a hash; None when there are none."""
        return connection.execute(select(_blobs.c.size).where(_blobs.c.hash == blob_hash)).scalar_one_or_none()

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise BlobTooLarge(f"{size} bytes exceed the limit of {self._max_bytes} bytes for one blob")

    def collect(self, database: Database, keep_after_us: int) -> int:
        """Remove blobs last stored before `keep_after_us` to which no job refers, and files without a row.

        Returns how many blobs were removed. Safe beside everything else that goes on: leave enough time between
        storing a blob and writing the job that refers to it. Blobs that a waiting inbox message may name are kept.
        """
        with database.read() as connection:
            oldest_us = connection.execute(select(func.min(schema.inbox.c.at_us))).scalar_one()
            before_us = keep_after_us if oldest_us is None else min(keep_after_us, oldest_us)
            unused = connection.execute(select(_blobs.c.hash).where(*_UNUSED), {"before_us": before_us})
            hashes = [blob_hash for (blob_hash,) in unused]
        removed = 0
        for start in range(0, len(hashes), _COLLECT_AT_ONCE):
            removed += database.writer.run(_deletion(hashes[start : start + _COLLECT_AT_ONCE], before_us))
        self._collect_files(database, keep_after_us)
        return removed

    def _collect_files(self, database: Database, before_us: int) -> None:
        """Remove the files whose rows are gone or never came, in a second transaction after the one that removed the
        rows: were it the same one, a failing commit would bring back a row without its file.
        """
        for digests in self._files.older_than(before_us, _COLLECT_AT_ONCE):
            names = [_PREFIX + digest for digest in digests]
            with database.read() as connection:
                known = set(connection.execute(_KNOWN, {"hashes": names}).scalars())
            stray = [name for name in names if name not in known]
            if stray:
                database.writer.run(self._removal(stray, before_us))

    def _removal(self, names: list[str], before_us: int) -> Callable[[Connection], None]:
        def remove(connection: Connection) -> None:
            known = set(connection.execute(_KNOWN, {"hashes": names}).scalars())
            for name in names:
                if name not in known:
                    self._files.remove(_digest(name), before_us)

        return remove


def _deletion(hashes: list[str], before_us: int) -> Callable[[Connection], int]:
    wanted = delete(_blobs).where(among_many(_blobs.c.hash, "hashes"), *_UNUSED)
    return lambda connection: connection.execute(wanted, {"hashes": hashes, "before_us": before_us}).rowcount


def _digest(blob_hash: str) -> str:
    return blob_hash.removeprefix(_PREFIX)
