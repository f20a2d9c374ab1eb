"""Do the totals of closed months still follow from the entries? All of them are worked out in one pass."""

from __future__ import annotations

from ledger.periods import totals_text
from store import chain, closes
from store.database import Connection


def changed_closes(conn: Connection) -> list[str]:
    """Closed months whose totals no longer follow from the entries: none, unless the books were tampered with.

    Months are closed in their order, so an entry belongs to the first close that covers it.
    """
    known = closes.list_closes(conn)
    if not known:
        return []
    states = [close.as_of for close in known]
    kinds = closes.kinds_by_state(conn, states)
    moved = closes.moved_by_state(conn, states)
    changes: list[dict[tuple[str, str], int]] = [{} for _ in known]
    for index, source, destination, asset, amount in moved:
        for account, change in ((source, -amount), (destination, amount)):
            changes[index][account, asset] = changes[index].get((account, asset), 0) + change
    balances: dict[tuple[str, str], int] = {}
    changed = []
    for index, close in enumerate(known):
        for key, change in changes[index].items():
            balances[key] = balances.get(key, 0) + change
        standing = {key: balance for key, balance in balances.items() if balance}
        counted = {kind: count for (state, kind), count in kinds.items() if state == index}
        last_hash = b"".join(chain.hashes(conn, close.last_seq, close.last_seq))
        if totals_text(close.month, close.as_of, last_hash, counted, standing) != (close.body, close.hash):
            changed.append(str(close.month))
    return changed
