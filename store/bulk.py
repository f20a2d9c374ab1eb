"""Statements that run at the level of the driver, where SQLAlchemy's work per statement and row would cost most.

Those of every admission and settlement, written once and used on both databases. Everything else in this room goes
through SQLAlchemy Core.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.exc import DBAPIError

from store.columns import to_json

Row = tuple[Any, ...]
Asked = tuple[str, Sequence[Any]]
"""A statement's text for one database, and the parameters of each time that it runs."""
_AT_ONCE = 2_000
_NUMBERS = itertools.count()


class Bulk:
    """One INSERT or UPDATE for any number of rows."""

    def __init__(self, text: str) -> None:
        self._texts = {"sqlite": text, "postgresql": text.replace("%", "%%").replace("?", "%s")}

    def asked(self, connection: Connection, rows: Sequence[Row]) -> Asked:
        """To be run for each row, in order, by `together`."""
        return self._texts[connection.dialect.name], rows

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it for each row, in order; returns how many rows of the table were written."""
        return int(run(connection, *self.asked(connection, rows)).rowcount) if rows else 0


class Query:
    """One SELECT that is asked for every admission and settlement, its rows as the driver gives them.

    Its parameters are lists of texts (`store.columns.among_many`). SQLAlchemy writes the statement once; asking through
    it costs several times what the database takes to answer.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._texts: dict[str, tuple[str, tuple[str, ...]]] = {}

    def asked(self, connection: Connection, **lists: list[str]) -> Asked:
        """To be run by `together`."""
        dialect = connection.dialect
        if dialect.name not in self._texts:
            compiled = self._statement.compile(dialect=dialect)
            self._texts[dialect.name] = (str(compiled), tuple(compiled.positiontup or ()))
        text, names = self._texts[dialect.name]
        if dialect.name == "sqlite":
            return text, [tuple([to_json(lists[name]) for name in names])]
        return text, [lists]

    def __call__(self, connection: Connection, **lists: list[str]) -> list[Row]:
        """All rows, as tuples in the order of the columns."""
        return list(run(connection, *self.asked(connection, **lists)).fetchall())


def run(connection: Connection, text: str, rows: Sequence[Any]) -> Any:
    """Run a statement at the driver and return its cursor; what goes wrong is told as SQLAlchemy would tell it."""
    return together(connection, [(text, rows)])[0]


def together(connection: Connection, asked: Sequence[Asked]) -> list[Any]:
    """Run statements in order, none of which needs the rows of another, and return their cursors.

    PostgreSQL is sent all of them before it answers the first: waiting for each answer costs more than the work behind
    it. The first that goes wrong is raised, as by `run`, and those after it are not carried out.
    """
    fairy: Any = connection.connection
    driver = fairy.dbapi_connection  # past the pool's own cursor, for there are a dozen in every transaction
    cursors = []
    text = ""
    try:
        if len(asked) == 1 or connection.dialect.name == "sqlite":
            for text, rows in asked:
                cursors.append(_execute(driver.cursor(), text, rows))
        else:
            text = "; ".join(text for text, _ in asked)
            with driver.pipeline():
                cursors = [_execute(driver.cursor(), text, rows) for text, rows in asked]
    except connection.dialect.loaded_dbapi.Error as error:
        gone = connection.dialect.is_disconnect(error, fairy, None)
        if gone:
            connection.invalidate(error)
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(
            text, None, error, base, connection_invalidated=gone, dialect=connection.dialect
        ) from error
    return cursors


def answers(connection: Connection, **asked: Asked | None) -> dict[str, list[Row]]:
    """The rows of several SELECTs by the names given to them, asked together; none for what is None."""
    there = {name: one for name, one in asked.items() if one is not None}
    cursors = together(connection, list(there.values()))
    found: dict[str, list[Row]] = {name: cursor.fetchall() for name, cursor in zip(there, cursors, strict=True)}
    return {name: found.get(name, []) for name in asked}


def _execute(cursor: Any, text: str, rows: Sequence[Any]) -> Any:
    if len(rows) == 1:
        cursor.execute(text, rows[0])
    else:
        cursor.executemany(text, rows)
    return cursor


def streamed(connection: Connection, text: str) -> Iterator[Row]:
    """The rows of a SELECT without parameters, as the driver gives them; read them while the transaction lasts.

    For millions of rows of columns that need no conversion: a row of SQLAlchemy costs as much again as reading it.
    """
    driver: Any = connection.connection
    # PostgreSQL's driver would fetch everything at once, unless the cursor has a name.
    named = {} if connection.dialect.name == "sqlite" else {"name": f"streamed_{next(_NUMBERS)}"}
    cursor = driver.cursor(**named)
    try:
        cursor.execute(text)
        while part := cursor.fetchmany(_AT_ONCE):
            yield from part
    finally:
        cursor.close()


def insert_text(table: Table, *, without: tuple[str, ...] = ()) -> str:
    """The INSERT of a whole row of a table, columns in order, leaving out those that the database fills."""
    names = [column.name for column in table.columns if column.name not in without]
    quoted = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" for _ in names)
    return f'INSERT INTO "{table.name}" ({quoted}) VALUES ({marks})'  # noqa: S608 - names of our own schema
