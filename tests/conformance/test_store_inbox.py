"""The inbox keeps its order and never counts backwards, on both databases."""

from __future__ import annotations

from store import inbox
from store.rows import InboxRow, Message


def test_messages_wait_in_order_until_they_are_deleted(database):
    database.writer.run(lambda c: inbox.append(c, [Message(5, "submitted", {"id": "job-1"}), Message(3, "cancel", {})]))
    database.writer.run(lambda c: inbox.append(c, [Message(9, "report", {"n": [1]})]))
    with database.read() as connection:
        rows = inbox.read(connection, 10)
        assert [(row.at_us, row.kind, row.body) for row in rows] == [
            (5, "submitted", {"id": "job-1"}),
            (3, "cancel", {}),
            (9, "report", {"n": [1]}),
        ]
        assert inbox.read(connection, 2) == rows[:2]
    database.writer.run(lambda c: inbox.delete(c, [rows[0].seq, rows[1].seq, 99]))
    with database.read() as connection:
        assert inbox.read(connection, 10) == rows[2:]


def test_a_number_is_never_used_again(database):
    """Or a message that was acted on could be mistaken for a new one."""
    database.writer.run(lambda c: inbox.append(c, [Message(1, "a", {})] * 3))
    with database.read() as connection:
        before = [row.seq for row in inbox.read(connection, 10)]
    database.writer.run(lambda c: inbox.delete(c, before))
    database.writer.run(lambda c: inbox.append(c, [InboxRow(1, 1, "b", {})]))
    with database.read() as connection:
        (row,) = inbox.read(connection, 10)
        assert row.seq > max(before)


def test_nothing_to_append_or_delete_is_fine(database):
    database.writer.run(lambda c: inbox.append(c, []))
    database.writer.run(lambda c: inbox.delete(c, []))
    with database.read() as connection:
        assert inbox.read(connection, 10) == []
