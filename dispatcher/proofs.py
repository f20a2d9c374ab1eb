"""What the ledger tells everybody about itself: its keys, its checkpoints, and what proves the entries of a job."""

from __future__ import annotations

from typing import Any

from dispatcher.ground import Ground
from dispatcher.keys import CannotSign
from dispatcher.model import Refusal
from ledger.chain import VERSION, document
from ledger.notes import PublicKey, signer
from store import chain, checkpoints, past
from store.database import Connection
from store.past import Linked
from store.rows import CheckpointRow

SIGN_ON_DEMAND_US = 1_000_000
"""Between two checkpoints that receipts ask for; who reads a receipt sooner is told to ask again."""


class Proofs:
    """Keys, checkpoints, consistency proofs, and the proof in a receipt."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def ledger_keys(self) -> list[PublicKey] | Refusal:
        """The public keys that sign checkpoints. Refusal: not_found (nothing was signed yet)."""
        found: list[PublicKey] = []
        if self._ground.notary is not None:
            try:
                found = self._ground.notary.public_keys()
            except CannotSign as trouble:
                return Refusal("not_found", f"This ledger has no keys: {trouble}.")
        return found or Refusal("not_found", "No key has been made yet: the ledger has signed nothing.")

    def ledger_checkpoint(self) -> CheckpointRow | Refusal:
        """The newest signed checkpoint. Refusal: not_found (nothing was signed yet)."""
        with self._ground.database.read() as conn:
            found = checkpoints.newest(conn)
        return found or Refusal("not_found", "No checkpoint has been signed yet.")

    def ledger_consistency(self, old: int, new: int | None) -> dict[str, Any] | Refusal:
        """The proof that the first `old` entries are the beginning of the first `new` (as many as the newest checkpoint
        covers, if None). Refusals: not_found, invalid_request.
        """
        with self._ground.database.read() as conn:
            newest = checkpoints.newest(conn)
            if new is None and newest is None:
                return Refusal("not_found", "No checkpoint has been signed yet; name both sizes.")
            until = new if new is not None or newest is None else newest.size
            size = chain.head(conn).size
            if until is None or not 1 <= old <= until <= size:
                detail = f"from must be at least 1, to at least from, and the ledger has {size} entries."
                return Refusal("invalid_request", detail, {"from": old, "to": until, "limit": size})
            return {"from": old, "to": until, "proof": [one.hex() for one in chain.consistency_proof(conn, old, until)]}

    def proof_of_job(self, job_id: str) -> dict[str, Any]:
        """What shows that the entries of a job are in the ledger, word for word, and that the ledger was signed."""
        with self._ground.database.read() as conn:
            entries, newest = past.entries_of_job(conn, job_id), checkpoints.newest(conn)
        last = max((entry.seq for entry in entries), default=0)
        detail = "No checkpoint covers the last entry yet; one is signed within seconds. Read the receipt again."
        if last and (newest is None or newest.size < last):
            try:
                newest = self._signed_now(newest)
            except CannotSign as trouble:
                detail = f"No checkpoint covers the last entry: {trouble}."
        covering = newest if newest is not None and newest.size >= last > 0 else None
        with self._ground.database.read() as conn:
            shown = [_shown(conn, entry, covering) for entry in entries]
            handovers = checkpoints.handovers(conn)
        return {
            "state": "signed" if covering is not None else "pending",
            "detail": None if covering is not None else detail,
            "encoding": VERSION,
            "entries": shown,
            "checkpoint": None if covering is None else covering.note,
            "signed_by": None if covering is None else signer(covering.note),
            "handovers": handovers,
        }

    def _signed_now(self, newest: CheckpointRow | None) -> CheckpointRow | None:
        notary = self._ground.notary
        too_soon = newest is not None and self._ground.now_us() - newest.at_us < SIGN_ON_DEMAND_US
        if notary is None or not notary.leading() or too_soon:
            return newest
        return notary.sign()


def _shown(conn: Connection, entry: Linked, covering: CheckpointRow | None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "columns": document(entry.columns),
        "previous": entry.previous.hex(),
        "hash": entry.hash.hex(),
    }
    if covering is not None:
        shown["path"] = [one.hex() for one in chain.inclusion_path(conn, entry.seq, covering.size)]
    return shown
