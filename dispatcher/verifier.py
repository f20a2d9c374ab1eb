"""The whole proof of a ledger: chain, tree, checkpoints inside and outside of the database, balances and invariants.

Two passes over the past share nothing, so a large ledger is checked by two processes at once, each on one snapshot: one
hashes, the other adds up.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import gc
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.auditor import AuditReport, audit_ledger, audit_open
from dispatcher.handovers import followed
from dispatcher.keys import PUBLIC_FILE, read_public, verified
from ledger.merkle import EMPTY_ROOT
from ledger.notes import BadNote, PublicKey
from ledger.verification import Violation, Walked, walk
from store import chain, checkpoints, past
from store.checkpoint_files import CheckpointFiles
from store.database import Connection, Database, open_database

APART_FROM = 50_000
"""Entries from which a second process is worth its start."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, how much of it, and every violation, the transactions first."""

    counts: dict[str, int]
    violations: list[Violation]
    remarks: list[str] = field(default_factory=list)


def verify_ledger(database: Database, url: str, folder: Path, given_keys: str | None = None) -> Verdict:
    """Check everything there is to check. `url` and `folder` (of the data) say where; `given_keys` are the public keys
    that an auditor brings along, instead of those that stand beside the ledger. Raises BadNote when they are no keys.
    """
    keys = None if given_keys is None else read_public(given_keys)
    with database.read() as conn:
        large = past.newest_seq(conn) >= APART_FROM
    if not large or (os.cpu_count() or 1) < 2:
        with database.read() as conn:
            hashed = check_chain(conn, folder, keys)
            added = _added_up(conn)
    else:
        apart = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=apart) as pool:
            waiting = pool.submit(_check_chain_apart, url, folder, keys)
            with database.read() as conn, _without_collection():
                added = _added_up(conn)
            hashed = waiting.result()
    named = [one for one in hashed.violations if one.entry_id is not None]
    others = [one for one in hashed.violations if one.entry_id is None]
    return Verdict(
        {**hashed.counts, **added.counts},
        [*named, *others, *(Violation(text) for text in added.violations)],
        hashed.remarks,
    )


def _check_chain_apart(url: str, folder: Path, keys: list[PublicKey] | None) -> Verdict:
    database = open_database(url)
    try:
        with database.read() as conn, _without_collection():
            return check_chain(conn, folder, keys)
    finally:
        database.close()


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Millions of rows become objects that refer to each other in no circle: looking for circles costs a fifth."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _added_up(conn: Connection) -> AuditReport:
    """The audit of the books; what keeps it from reading them is a violation itself."""
    try:
        books = audit_ledger(conn)
        return AuditReport(books.counts, [*books.violations, *audit_open(conn)])
    except Exception as broken:  # rows that somebody has changed may raise anything
        return AuditReport({}, [f"the books cannot be added up, for a row cannot be read: {broken}"])


def check_chain(conn: Connection, folder: Path, given_keys: Sequence[PublicKey] | None) -> Verdict:
    """Chain, tree and checkpoints of one snapshot."""
    signed = _Signed(conn, folder, given_keys)
    stray: list[tuple[Any, ...]] = []
    levels = chain.levels(conn)

    def stored(level: int, first: int, count: int) -> Sequence[bytes | None]:
        return chain.node_run(conn, level, first, count) if level >= chain.STORED_FROM else ()

    walked = walk(past.entries_in_order(conn, stray), signed.sizes, stored)
    violations = list(walked.violations)
    violations += [
        Violation(
            f"a posting from {_text(posting[2])} to {_text(posting[3])} belongs to entry {posting[0]}, "
            "which does not exist"
        )
        for posting in stray
    ]
    violations += _of_head(conn, walked)
    there = sum(chain.count_nodes(conn, level) for level in levels)
    expected = sum(walked.count >> level for level in range(chain.STORED_FROM, max(walked.count, 1).bit_length()))
    if there > expected:
        violations.append(Violation(f"{there} nodes of the tree are stored and the entries make {expected}"))
    violations += signed.against(walked)
    counts = {
        "entries": walked.count,
        "tree nodes": walked.nodes,
        "checkpoints": signed.rows,
        "checkpoint files": signed.files,
    }
    return Verdict(counts, violations, signed.remarks)


def _of_head(conn: Connection, walked: Walked) -> list[Violation]:
    try:
        head = chain.head(conn)
    except LookupError as gone:
        return [Violation(str(gone))]
    found = []
    if head.size != walked.count:
        found.append(Violation(f"the head says {head.size} entries, there are {walked.count}"))
    elif head.hash != walked.last:
        found.append(Violation("the head says another hash than the last entry has"))
    if walked.root is not None and head.root != walked.root:
        found.append(Violation("the head's tree is not the one that the entries make"))
    return found


def _text(value: object) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else repr(value)


def _text_beside(file: Path) -> tuple[str | None, str]:
    """A file's text, or None and why there is none: auditors may not look into the folder of the private keys."""
    try:
        return file.read_text(encoding="utf-8", errors="replace"), ""
    except FileNotFoundError:
        return None, "is not there"
    except OSError as wrong:
        return None, f"cannot be read ({wrong.strerror})"


class _Signed:
    """Every checkpoint there is, by size: the note inside, the note outside."""

    def __init__(self, conn: Connection, folder: Path, given_keys: Sequence[PublicKey] | None) -> None:
        self.remarks: list[str] = []
        self._early: list[Violation] = []
        self._inside = {row.size: row for row in checkpoints.all_checkpoints(conn)}
        files = CheckpointFiles(folder / "checkpoints")
        self._outside = {size: files.read(size) or "" for size in files.sizes()}
        self._files = files
        self.rows, self.files = len(self._inside), len(self._outside)
        self.sizes = sorted(size for size in self._inside.keys() | self._outside.keys() if size > 0)
        self._keys = self._keys_of(conn, folder, given_keys)
        if self._inside and not self._outside:
            self.remarks.append(f"there are no checkpoints outside of the database in {files.root}")

    def _keys_of(self, conn: Connection, folder: Path, given: Sequence[PublicKey] | None) -> list[PublicKey]:
        """Those the auditor brings, else those beside the private keys, else those in the database; all must agree."""
        beside = folder / "keys" / PUBLIC_FILE
        text, absence = _text_beside(beside)
        try:
            inside = read_public("\n".join(checkpoints.keys(conn)))
            outside = None if text is None else read_public(text)
        except BadNote as wrong:
            self._early.append(Violation(f"a public key of the ledger cannot be read: {wrong}"))
            return list(given or ())
        trusted = list(given) if given is not None else outside if outside is not None else inside
        if self._inside and given is None and outside is None:
            self.remarks.append(f"{beside} {absence}: the signatures were checked by the keys in the database")
        changes = followed(trusted, checkpoints.handovers(conn), self._files.handovers() if self._outside else None)
        self.remarks += changes.remarks
        self._early += map(Violation, changes.wrong)
        trusted = changes.keys
        for where, found in (("in the database", inside), (f"in {beside}", outside)):
            if found is not None and trusted and self._inside and set(found) != set(trusted):
                self._early.append(Violation(f"the public keys {where} are not the trusted ones"))
        return trusted

    def against(self, walked: Walked) -> list[Violation]:
        """What is wrong with the checkpoints, given the roots that the entries make.

        All roots are made of one sequence of entries: each checkpoint that agrees is a beginning of the later ones.
        """
        found = list(self._early)
        for size, row in sorted(self._inside.items()):
            found += self._check(f"the checkpoint over {size} entries", size, row.note, walked)
            if row.note.split("\n")[1:2] != [str(size)] or f"\ntime_us {row.at_us}\n" not in row.note:
                found.append(
                    Violation(f"the checkpoint over {size} entries is recorded with other figures than signed")
                )
            elif walked.roots.get(size, row.root) != row.root:
                found.append(Violation(f"the checkpoint over {size} entries is recorded with another root"))
            outside = self._outside.get(size)
            if outside is None and self._outside:
                found.append(
                    Violation(f"the file of the checkpoint over {size} entries, {self._path(size)}, is missing")
                )
            elif outside is not None and outside != row.note:
                found.append(Violation(f"the file {self._path(size)} is not the checkpoint in the database"))
        for size, note in sorted(self._outside.items()):
            if size not in self._inside:
                found += self._check(f"the file {self._path(size)}", size, note, walked)
        return found

    def _path(self, size: int) -> Path:
        return self._files.path(size)

    def _check(self, what: str, size: int, note: str, walked: Walked) -> list[Violation]:
        try:
            checkpoint = verified(note, self._keys)
        except BadNote as wrong:
            return [Violation(f"{what} cannot be believed: {wrong}")]
        if checkpoint.size != size:
            return [Violation(f"{what} is signed over {checkpoint.size} entries")]
        if size > walked.count:
            return [Violation(f"{what} covers more than the {walked.count} entries that are there: some were removed")]
        root = EMPTY_ROOT if size == 0 else walked.roots.get(size)
        if root is None:
            return [Violation(f"{what} cannot be compared: entries are missing before it")]
        if root != checkpoint.root:
            return [Violation(f"{what} was signed over other entries than the first {size} are now: they were changed")]
        return []
