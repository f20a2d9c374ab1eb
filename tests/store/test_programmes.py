"""Funders and their programmes, on both databases."""

from __future__ import annotations

import pytest

from store import programmes
from store.errors import Duplicate
from store.rows import FunderRow, ProgrammeRow

GROW = ProgrammeRow("grow", "state", "Seed", "qpu_ms", 6, (("state", 3), ("city", 1)))


def enter(town):
    def unit(connection):
        programmes.insert_funder(connection, FunderRow("state", "The State", 5))
        programmes.insert_programme(connection, GROW)

    town.database.writer.run(unit)


def test_oldest_first_and_with_their_weights(town):
    enter(town)
    with town.database.read() as connection:
        listed = programmes.list_funders(connection)
        assert listed == [FunderRow("city", "The City", 0), FunderRow("state", "The State", 5)]
        seed, grow = programmes.list_programmes(connection)
    assert grow == GROW
    assert grow.shares == (("state", 3), ("city", 1))
    assert seed == ProgrammeRow("seed", "city", "Seed", "CNY", 0, (("city", 1),)), "who funds alone is written down too"


def test_a_name_is_given_once(town):
    """Two funders may each have a programme of the same name."""
    enter(town)
    for again in (
        lambda c: programmes.insert_funder(c, FunderRow("other", "The City", 9)),
        lambda c: programmes.insert_funder(c, FunderRow("city", "Another", 9)),
        lambda c: programmes.insert_programme(c, ProgrammeRow("other", "city", "Seed", "CNY", 9)),
        lambda c: programmes.insert_programme(c, ProgrammeRow("seed", "city", "Other", "CNY", 9)),
    ):
        with pytest.raises(Duplicate):
            town.database.writer.run(again)
