"""Statements that run over many rows at the level of the driver, where SQLAlchemy's per-row work would cost most.

Written once with `?` marks and used on both databases. Everything else in this room is SQLAlchemy Core.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table

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
        text = self._texts[connection.dialect.name]
        if len(rows) == 1:
            return connection.exec_driver_sql(text, rows[0]).rowcount
        return connection.exec_driver_sql(text, rows if isinstance(rows, list) else list(rows)).rowcount


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
