"""The inbox of the dispatcher: messages wait here until the transaction that acts on them deletes them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select
from sqlalchemy import delete as sa_delete

from store import schema
from store.bulk import Bulk, insert_text
from store.columns import among, to_json
from store.rows import InboxRow, Message

_inbox = schema.inbox
_APPEND = Bulk(insert_text(_inbox, without=("seq",)))


def append(connection: Connection, messages: Sequence[Message | InboxRow]) -> None:
    """Add messages at the end, in order. The `seq` of an `InboxRow` is not used: the inbox counts by itself."""
    _APPEND(connection, [(message.at_us, message.kind, to_json(message.body)) for message in messages])


def read(connection: Connection, limit: int) -> list[InboxRow]:
    """The oldest messages, in order."""
    wanted = select(_inbox).order_by(_inbox.c.seq).limit(limit)
    return [InboxRow(*row) for row in connection.execute(wanted).all()]


def delete(connection: Connection, seqs: Sequence[int]) -> None:
    """Remove messages that have been acted on; those already gone are passed over."""
    if seqs:
        connection.execute(sa_delete(_inbox).where(among(_inbox.c.seq, seqs)))
