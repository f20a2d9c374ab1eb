"""One statement for many rows, at the level of the driver, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from store import schema
from store.bulk import Bulk, Query, answers, insert_text, together
from store.columns import among_many
from store.errors import Duplicate

INSERT = Bulk(insert_text(schema.meta))


def kept(database):
    with database.read() as connection:
        return {row.key: row.value for row in connection.execute(select(schema.meta))}


@pytest.mark.parametrize("count", [0, 1, 2, 1_000])
def test_rows_are_written_and_counted(database, count):
    rows = [(f"k{n}", str(n)) for n in range(count)]
    assert database.writer.run(lambda c: INSERT(c, rows)) == count
    assert kept(database) == {f"k{n}": n for n in range(count)}


def test_rows_that_do_not_match_are_not_counted(database):
    database.writer.run(lambda c: INSERT(c, [("a", "1"), ("b", "1")]))
    update = Bulk("UPDATE meta SET value = ? WHERE key = ?")
    assert database.writer.run(lambda c: update(c, [("2", "a"), ("2", "nobody"), ("3", "a")])) == 2
    assert database.writer.run(lambda c: update(c, (("4", "nobody"),))) == 0
    assert kept(database) == {"a": 3, "b": 1}


def test_a_percent_sign_is_only_a_percent_sign(database):
    database.writer.run(lambda c: INSERT(c, [("50%", "1"), ("50", "1")]))
    delete = Bulk("DELETE FROM meta WHERE key LIKE '%\\%' ESCAPE '\\' AND value = ?")
    assert database.writer.run(lambda c: delete(c, [("1",)])) == 1
    assert kept(database) == {"50": 1}


def test_one_bad_row_takes_all_back(database):
    with pytest.raises(Duplicate):
        database.writer.run(lambda c: INSERT(c, [("a", "1"), ("b", "1"), ("a", "2")]))
    assert kept(database) == {}


def test_statements_sent_together_are_answered_each_for_itself(database):
    update = Bulk("UPDATE meta SET value = ? WHERE key = ?")
    database.writer.run(lambda c: INSERT(c, [("a", "1"), ("b", "1")]))

    def unit(conn):
        asked = [
            INSERT.asked(conn, [("c", "1"), ("d", "1")]),
            update.asked(conn, [("2", "a"), ("2", "nobody"), ("3", "b")]),
            update.asked(conn, [("9", "nobody")]),
        ]
        return [cursor.rowcount for cursor in together(conn, asked)]

    assert database.writer.run(unit) == [2, 2, 0]
    assert kept(database) == {"a": 2, "b": 3, "c": 1, "d": 1}


def test_of_statements_sent_together_the_first_that_fails_is_told_and_nothing_stays(database):
    def unit(conn):
        together(conn, [INSERT.asked(conn, [("a", "1")]), INSERT.asked(conn, [("a", "2")]), ("SELECT nonsense", [()])])

    with pytest.raises(Duplicate):
        database.writer.run(unit)
    assert kept(database) == {}
    assert database.writer.run(lambda c: INSERT(c, [("b", "1")])) == 1, "the connection is as good as new"


def test_answers_come_by_name(database):
    database.writer.run(lambda c: INSERT(c, [("a", "1"), ("b", "2")]))
    wanted = Query(select(schema.meta.c.value).where(among_many(schema.meta.c.key, "keys")))
    with database.read() as conn:
        found = answers(conn, first=wanted.asked(conn, keys=["a"]), none=None, nobody=wanted.asked(conn, keys=["x"]))
    assert found == {"first": [("1",)], "none": [], "nobody": []}


def test_the_text_of_an_insert():
    assert (
        insert_text(schema.inbox, without=("seq",)) == 'INSERT INTO "inbox" ("at_us", "kind", "body") VALUES (?, ?, ?)'
    )
