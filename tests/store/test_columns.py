"""Types and conditions that must mean the same on both databases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from store import schema
from store.columns import Json, Serial, Texts, among, among_many, tagged, to_json

LETTERS = Table(
    "letters",
    MetaData(),
    Column("n", Serial, primary_key=True),
    Column("text", Text),
    Column("json", Json),
    Column("texts", Texts),
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture
def letters(database):
    def unit(connection):
        LETTERS.create(connection)
        rows = [(1, "a", {"x": [1, None]}, ("a",)), (2, "b'", None, ()), (3, "量", "text", ("量", '"', "a"))]
        for n, text, json, texts in rows:
            connection.execute(insert(LETTERS).values(n=n, text=text, json=json, texts=texts))

    database.writer.run(unit)
    with database.read() as connection:
        yield lambda condition: [n for (n,) in connection.execute(select(LETTERS.c.n).where(condition).order_by("n"))]


@pytest.mark.parametrize(
    ("column", "values", "found"),
    [
        ("text", ["a", "量", "z"], [1, 3]),
        ("text", ["b'"], [2]),
        ("text", [], []),
        ("text", [f"x{n}" for n in range(40_000)] + ["a"], [1]),
        ("n", [3, 1, 9], [1, 3]),
        ("n", [], []),
    ],
)
def test_among(letters, column, values, found):
    assert letters(among(LETTERS.c[column], values)) == found


def test_conditions_can_be_combined(letters):
    assert letters(among(LETTERS.c.text, ["a", "量"]) & tagged(LETTERS.c.texts, "量")) == [3]
    assert letters(among(LETTERS.c.text, ["a"]) | among(LETTERS.c.n, [2])) == [1, 2]
    assert letters(~tagged(LETTERS.c.texts, "a")) == [2]


@pytest.mark.parametrize(("tag", "found"), [("a", [1, 3]), ("量", [3]), ('"', [3]), ("", []), ("A", [])])
def test_tagged(letters, tag, found):
    assert letters(tagged(LETTERS.c.texts, tag)) == found


def test_json_comes_back_as_it_went(database, letters):
    with database.read() as connection:
        rows = connection.execute(select(LETTERS.c.json, LETTERS.c.texts).order_by("n")).all()
    assert [tuple(row) for row in rows] == [({"x": [1, None]}, ("a",)), (None, ()), ("text", ("量", '"', "a"))]


@given(JSON)
def test_any_json_survives(value):
    column = Json()
    text = column.process_bind_param(value, sqlite.dialect())
    assert column.process_result_value(text, sqlite.dialect()) == value


def test_integers_beyond_64_bits_are_refused_and_not_rounded():
    with pytest.raises(TypeError):
        to_json({"seed": 2**64})


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda dialect: dialect.name)
def test_one_text_for_any_number_of_ids(dialect):
    """So the statement is compiled once by us and prepared once by the database."""
    few, many = (select(schema.jobs.c.id).where(among(schema.jobs.c.id, ["x"] * n)) for n in (1, 900))
    assert str(few.compile(dialect=dialect)) == str(many.compile(dialect=dialect))
    prepared = select(schema.jobs.c.id).where(among_many(schema.jobs.c.id, "ids"))
    assert list(prepared.compile(dialect=dialect).params) == ["ids"]
