"""Signs checkpoints of the ledger: reads the head, signs it, writes the file outside, then the row inside.

Signed is only what continues everything that was signed before: a database that was replaced by an older or another
one gets no further checkpoint.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from dispatcher.keys import (
    CannotSign,
    Keys,
    new_keys,
    open_keys,
    public_text,
    put_in_force,
    read_public,
    verified,
)
from ledger.handover import Handover, after
from ledger.notes import BadNote, Checkpoint, PublicKey, note_of
from store import audit_log, chain, checkpoints
from store.checkpoint_files import CheckpointFiles
from store.database import Connection, Database
from store.errors import Duplicate
from store.rows import CheckpointRow


class Notary:
    """Of one process. Signs only while `leading` says so; use it from any thread but the writer's."""

    def __init__(self, database: Database, data_folder: Path, now_us: Callable[[], int]) -> None:
        self.key_folder = data_folder / "keys"
        self.files = CheckpointFiles(data_folder / "checkpoints")
        self.leading: Callable[[], bool] = lambda: False
        self._database = database
        self._now_us = now_us
        self._gate = threading.Lock()
        self._keys: Keys | None = None

    def sign(self) -> CheckpointRow | None:
        """A checkpoint over all entries that are durable now: the newest one if nothing was added, else a new one.

        None while the ledger is empty. Raises CannotSign; `StoreUnavailable` as every writing call does.
        """
        try:
            with self._gate:
                return self._sign()
        except (OSError, LookupError, BadNote) as trouble:
            raise CannotSign(str(trouble)) from trouble

    def _sign(self) -> CheckpointRow | None:
        with self._database.read() as conn:
            head, before = chain.head(conn), checkpoints.newest(conn)
            if head.size == 0:
                return None
            if before is not None and before.size == head.size:
                return before
            known = _known(conn)
            self._check_continues(conn, head.size, before)
        keys = self._opened(known)
        checkpoint = Checkpoint(keys.origin, head.size, head.root, self._now_us())
        note = keys.signed(checkpoint)
        left = self.files.read(head.size)  # by a try that did not reach the database
        if left is not None:
            checkpoint, note = self._trusted(left, keys), left
        else:
            self.files.write(head.size, note)
        row = CheckpointRow(head.size, head.root, checkpoint.at_us, note)
        try:
            self._database.writer.run(lambda conn: checkpoints.insert_checkpoint(conn, row))
        except Duplicate:  # somebody else at this machine was as quick
            with self._database.read() as conn:
                return checkpoints.checkpoint_of(conn, head.size)
        return row

    def public_keys(self) -> list[PublicKey]:
        """The public keys of this ledger; makes the keys if there are none yet and this process leads."""
        with self._gate:
            with self._database.read() as conn:
                known = _known(conn)
            if known or not self.leading():
                return known
            return list(self._opened(known).public)

    def _opened(self, known: list[PublicKey]) -> Keys:
        in_force = tuple(key for key in known if key.retired_at is None)
        if self._keys is None or (known and self._keys.public != in_force):
            keys = open_keys(self.key_folder, known)
            if not known:
                lines = public_text(keys.public).splitlines()
                self._database.writer.run(lambda conn: checkpoints.put_keys(conn, lines))
            self._keys = keys
        return self._keys

    def change_keys(self, reason: str, *, lost: bool, actor: str) -> Handover:
        """Have new keys sign from now on, and record it inside and outside of the database.

        The keys in force sign all that there is, and the hand-over; where they are `lost`, the new ones announce
        themselves. Whoever calls it holds the leadership: nobody else may sign meanwhile. Raises CannotSign.
        """
        try:
            with self._gate:
                return self._change_keys(reason, lost, actor)
        except (OSError, LookupError, BadNote) as trouble:
            raise CannotSign(str(trouble)) from trouble

    def _change_keys(self, reason: str, lost: bool, actor: str) -> Handover:
        with self._database.read() as conn:
            known = _known(conn)
        if not known:
            raise CannotSign("this ledger has no keys yet: `qubatord ledger checkpoint` makes the first ones")
        old = self._keys_in_force(known, lost)
        if old is not None:
            self._sign()
        with self._database.read() as conn:
            last = checkpoints.newest(conn)
            self._check_continues(conn, chain.head(conn).size, last)
            notes = checkpoints.handovers(conn)
        if last is None:
            raise CannotSign("nothing has been signed yet: `qubatord ledger checkpoint` signs the first checkpoint")
        fresh = new_keys(self.key_folder, known[0].name)
        handover = Handover(known[0].name, last.size, last.root, self._now_us(), reason, fresh.public)
        text = handover.to_text()
        note = note_of(text, [*(old.signatures(text) if old is not None else ()), *fresh.signatures(text)])
        public = after(known, handover)
        self.files.write_handover(len(notes) + 1, note)
        detail = {"size": last.size, "lost": lost, "reason": reason, "before": known[-1].name}

        def unit(conn: Connection) -> None:
            checkpoints.put_handovers(conn, [*notes, note])
            checkpoints.put_keys(conn, public_text(public).splitlines())
            audit_log.append(conn, handover.at_us, actor, "ledger.new_key", fresh.name, detail)

        self._database.writer.run(unit)
        put_in_force(self.key_folder, public)
        self._keys = None
        return handover

    def _keys_in_force(self, known: list[PublicKey], lost: bool) -> Keys | None:
        """Those that sign now, or None where they are lost; both must be as the operator says."""
        try:
            found = self._opened(known)
        except CannotSign:
            if lost:
                return None
            raise
        if lost:
            raise CannotSign(
                f"the keys in {self.key_folder} are not lost: leave --lost out, so they sign the hand-over"
            )
        return found

    def _trusted(self, note: str, keys: Keys) -> Checkpoint:
        try:
            return verified(note, keys.public)
        except BadNote as wrong:
            raise CannotSign(f"a checkpoint in {self.files.root} is not ours: {wrong}") from wrong

    def _check_continues(self, conn: Connection, size: int, before: CheckpointRow | None) -> None:
        """What was signed before must be a beginning of what is signed now."""
        outside, inside = self.files.newest_size(), 0 if before is None else before.size
        if max(outside, inside) > size:
            raise CannotSign(
                f"a checkpoint over {max(outside, inside)} entries has been signed and the ledger has {size}: "
                "the database was replaced by an older one. Run `qubatord ledger verify`"
            )
        signed: list[tuple[int, bytes]] = [] if before is None else [(before.size, before.root)]
        note = self.files.read(outside) if outside else None
        if note is not None:
            try:
                signed.append((outside, Checkpoint.from_text(note.rpartition("\n\n")[0] + "\n").root))
            except BadNote as wrong:
                raise CannotSign(f"{self.files.path(outside)} cannot be read as a checkpoint: {wrong}") from wrong
        for earlier, root in signed:
            if chain.root_at(conn, earlier) != root:
                raise CannotSign(
                    f"the first {earlier} entries are not those that were signed: the ledger has been rewritten. "
                    "Run `qubatord ledger verify`"
                )


def _known(conn: Connection) -> list[PublicKey]:
    return read_public("\n".join(checkpoints.keys(conn)))
