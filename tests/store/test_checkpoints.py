"""Checkpoints are kept in the order of their sizes, once each."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from store import checkpoints
from store.errors import AppendOnly, Duplicate
from store.rows import CheckpointRow

ROWS = [CheckpointRow(size, bytes([size]) * 32, size * 10, f"note {size}\n") for size in (3, 7, 20)]


@pytest.fixture
def kept(database):
    for row in (ROWS[1], ROWS[0], ROWS[2]):
        database.writer.run(lambda c, row=row: checkpoints.insert_checkpoint(c, row))
    return database


def test_the_newest_covers_the_most(kept):
    with kept.read() as connection:
        assert checkpoints.newest(connection) == ROWS[2]
        assert checkpoints.checkpoint_of(connection, 7) == ROWS[1]
        assert checkpoints.checkpoint_of(connection, 8) is None
        assert list(checkpoints.all_checkpoints(connection)) == ROWS


def test_there_is_none_at_first(database):
    with database.read() as connection:
        assert checkpoints.newest(connection) is None
        assert checkpoints.keys(connection) == []


def test_one_of_a_size(kept):
    with pytest.raises(Duplicate):
        kept.writer.run(lambda c: checkpoints.insert_checkpoint(c, ROWS[0]))


@pytest.mark.parametrize("statement", ["UPDATE checkpoints SET note = ''", "DELETE FROM checkpoints"])
def test_they_are_written_once(kept, statement):
    with pytest.raises(AppendOnly, match="checkpoints are written once"):
        kept.writer.run(lambda c: c.execute(text(statement)))


def test_public_keys_are_written_down(database):
    database.writer.run(lambda c: checkpoints.put_keys(c, ["one", "two"]))
    with database.read() as connection:
        assert checkpoints.keys(connection) == ["one", "two"]
