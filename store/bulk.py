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
_AT_ONCE = 2_000
_NUMBERS = itertools.count()


class Bulk:
    """One INSERT or UPDATE for any number of rows."""

    def __init__(self, text: str) -> None:
        self._texts = {"sqlite": text, "postgresql": text.replace("%", "%%").replace("?", "%s")}

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it for each row, in order; returns how many rows of the table were written."""
        if not rows:
            return 0
        return int(run(connection, self._texts[connection.dialect.name], rows).rowcount)


class Query:
    """One SELECT that is asked for every admission and settlement, its rows as the driver gives them.

    Its parameters are lists of texts (`store.columns.among_many`). SQLAlchemy writes the statement once; asking through
    it costs several times what the database takes to answer.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._texts: dict[str, tuple[str, tuple[str, ...]]] = {}

    def __call__(self, connection: Connection, **lists: list[str]) -> list[Row]:
        """All rows, as tuples in the order of the columns."""
        dialect = connection.dialect
        if dialect.name not in self._texts:
            compiled = self._statement.compile(dialect=dialect)
            self._texts[dialect.name] = (str(compiled), tuple(compiled.positiontup or ()))
        text, names = self._texts[dialect.name]
        if dialect.name == "sqlite":
            return list(run(connection, text, [tuple(to_json(lists[name]) for name in names)]).fetchall())
        return list(run(connection, text, [lists]).fetchall())


def run(connection: Connection, text: str, rows: Sequence[Any]) -> Any:
    """Run a statement at the driver and return its cursor; what goes wrong is told as SQLAlchemy would tell it."""
    driver = connection.connection
    cursor = driver.cursor()
    try:
        if len(rows) == 1:
            cursor.execute(text, rows[0])
        else:
            cursor.executemany(text, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        gone = connection.dialect.is_disconnect(error, driver, cursor)
        if gone:
            connection.invalidate(error)
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(
            text, None, error, base, connection_invalidated=gone, dialect=connection.dialect
        ) from error
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
