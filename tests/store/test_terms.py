"""Versions of terms on both databases: each is written once, the highest is in force, and all of them stay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from ledger.terms import Rule, Terms
from store import terms
from store.errors import AppendOnly, Duplicate

FIRST = Terms("seed", 1, (Rule(300_000),))
RICH = Terms(
    "seed",
    2,
    (
        Rule(
            500_000,
            up_to_ppm=900_000,
            categories=("thesis", "量子"),
            stages=("seed",),
            age_months_max=60,
            traits=("spin-off", "local"),
            uplift_ppm=200_000,
            uplift_traits=("women-led",),
            cap_per_job=2**53,
        ),
        Rule(100_000),
    ),
    excluded=("storage_mib_h", "job"),
    excludes_related=False,
    claim_group="national",
    cap_project_year=2**62,
    pool_year=1,
    valid_from_us=5,
    valid_until_us=2**60,
    rollover_ppm=250_000,
    rollover_days=90,
)


def write(town, *several, at_us=7):
    for one in several:
        town.database.writer.run(lambda c, one=one: terms.insert_terms(c, one, at_us))


def test_the_highest_version_is_in_force_whichever_was_written_last(town):
    town.programme("grow", ("state", 1))
    third, other = replace(RICH, version=3), Terms("grow", 9, (Rule(1),))
    write(town, FIRST, third, other, RICH)
    with town.database.read() as connection:
        assert terms.in_force(connection, ["seed", "grow", "seed", "none"]) == {"seed": third, "grow": other}
        assert terms.in_force(connection, ["seed"]) == {"seed": third}
        assert terms.in_force(connection, []) == {}


def test_every_word_of_every_version_comes_back(town):
    write(town, FIRST, RICH)
    with town.database.read() as connection:
        assert terms.version_of(connection, "seed", 1) == FIRST
        assert terms.version_of(connection, "seed", 2) == RICH
        assert terms.version_of(connection, "seed", 3) is None
        assert terms.version_of(connection, "none", 1) is None


def test_a_version_is_written_once(town):
    write(town, FIRST)
    with pytest.raises(Duplicate):
        write(town, replace(RICH, version=1))
    for statement in ("UPDATE terms SET body = '{{}}'", "UPDATE terms SET version = 9", "DELETE FROM terms"):
        with pytest.raises(AppendOnly, match="terms are written once"):
            town.database.writer.run(lambda c, statement=statement: c.execute(text(statement)))
    with town.database.read() as connection:
        assert terms.in_force(connection, ["seed"]) == {"seed": FIRST}
