"""Rules that hold for every table."""

from __future__ import annotations

import pytest
from sqlalchemy import BigInteger, Integer

from store import schema

TABLES = list(schema.metadata.tables.values())
AMOUNTS = {
    "amount",
    "balance",
    "charged",
    "overrun",
    "claimed",
    "most",
    "unit_price",
    "quantum",
    "max_cost",
    "usage",
    "size",
    "result_size",
    "token",
    "epoch",
    "seq",
}


OURS = {"entries", "postings"}
"""Whose numbers are counted by the chain, without a gap, and never deleted."""


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_times_and_amounts_have_64_bits(table):
    wide = [column for column in table.columns if column.name.endswith("_us") or column.name in AMOUNTS]
    narrow = [
        column.name for column in wide if isinstance(column.type, Integer) and not isinstance(column.type, BigInteger)
    ]
    assert narrow == []


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_numbers_that_readers_remember_are_never_used_again(table):
    if "seq" in table.columns and table.name not in OURS:
        assert table.dialect_options["sqlite"]["autoincrement"] is True
        assert table.columns["seq"].primary_key


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_every_partial_index_is_partial_on_both_databases(table):
    for index in table.indexes:
        options = [index.dialect_options[name]["where"] for name in ("sqlite", "postgresql")]
        assert str(options[0]) == str(options[1]), index.name


def test_every_table_has_a_primary_key():
    assert [table.name for table in TABLES if not table.primary_key.columns] == []
