"""A grant is the same whichever way it is written and read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from ledger.model import Grant
from store import book, schema
from store.bulk import run
from store.errors import Duplicate
from store.grant_rows import grant_as_stored, grant_of_row, insert_grant

GRANT = Grant(
    "grt",
    "seed",
    (("city", 3), ("state", 1)),
    "acme",
    "shots",
    2**53,
    5,
    2**61,
    -7,
    11,
    resources=("shots",),
    backends=("é", "b"),
    members=("ann",),
)


@pytest.mark.parametrize("grant", [GRANT, replace(GRANT, resources=(), backends=(), members=())])
def test_a_grant_reads_back_as_it_was_written(town, grant):
    town.database.writer.run(lambda conn: insert_grant(conn, grant))
    with town.database.read() as connection:
        (row,) = connection.execute(select(schema.grants))
        (stored,) = run(connection, "SELECT * FROM grants", [()]).fetchall()
        assert book.all_grants(connection) == [grant]
    assert grant_of_row(row) == grant_as_stored(stored) == grant


def test_a_grant_is_written_once(town):
    town.database.writer.run(lambda conn: insert_grant(conn, GRANT))
    with pytest.raises(Duplicate):
        town.database.writer.run(lambda conn: insert_grant(conn, GRANT))
