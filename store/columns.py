"""Column types and conditions that must mean the same on SQLite and PostgreSQL.

JSON lives as text on both: the service never asks the database to look inside, but for the tags of a job. A list of
ids travels as ONE parameter (a JSON array or a PostgreSQL array), so a statement has one text whatever the number of
ids and no limit on them.
"""

# ruff: noqa: ARG002, S608 - signatures of SQLAlchemy; the texts are made of its own parts
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import orjson
from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, Integer, Text, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

Serial = BigInteger().with_variant(Integer(), "sqlite")
"""A primary key that the database counts up; SQLite counts only columns declared INTEGER (64 bits all the same)."""


def to_json(value: object) -> str | None:
    """JSON text for a column; None stays NULL. Raises TypeError for what JSON can't say (integers beyond 64 bits)."""
    return None if value is None else orjson.dumps(value).decode()


class Json(TypeDecorator[Any]):
    """A JSON document as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To the database."""
        return to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """From the database."""
        return None if value is None else orjson.loads(value)


class Texts(TypeDecorator[tuple[str, ...]]):
    """A tuple of strings as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """To the database."""
        return to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        """From the database."""
        return None if value is None else tuple(orjson.loads(value))


class _Many(TypeDecorator[Any]):
    """The type of the one parameter that carries many values."""

    impl = Text
    cache_ok = True
    _element: TypeEngine[Any] = Text()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self._element))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else to_json(value)


class _ManyTexts(_Many):
    cache_ok = True


class _ManyIntegers(_Many):
    cache_ok = True
    _element = BigInteger()


class _Condition(FunctionElement[bool]):
    """A condition that stands in WHERE as it is written."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        # SQLAlchemy would compare it "= 1" on SQLite, and SQLite would then find no index for it.
        return self


class _Among(_Condition):
    inherit_cache = True
    name = "among"


class _Tagged(_Condition):
    inherit_cache = True
    name = "tagged"


def among(column: ColumnElement[Any], values: Iterable[str] | Iterable[int]) -> ColumnElement[bool]:
    """Whether a column holds one of the values; none of them means never."""
    carrier = _ManyIntegers() if isinstance(column.type, Integer) else _ManyTexts()
    return _Among(column, bindparam(None, list(values), type_=carrier))


def among_many(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a text column holds one of the values given at execution under `name`: for statements built once."""
    return _Among(column, bindparam(name, type_=_ManyTexts()))


def tagged(column: ColumnElement[Any], tag: str) -> ColumnElement[bool]:
    """Whether a column of type `Texts` contains the tag."""
    return _Tagged(column, bindparam(None, tag, type_=Text()))


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(_Among, "postgresql")
def _among_postgres(element: _Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(part, **kw) for part in element.clauses)
    return f"{column} = ANY({values})"


@compiles(_Tagged, "sqlite")
def _tagged_sqlite(element: _Tagged, compiler: SQLCompiler, **kw: Any) -> str:
    column, tag = (compiler.process(part, **kw) for part in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE json_each.value = {tag})"


@compiles(_Tagged, "postgresql")
def _tagged_postgres(element: _Tagged, compiler: SQLCompiler, **kw: Any) -> str:
    column, tag = (compiler.process(part, **kw) for part in element.clauses)
    return f"jsonb_exists(CAST({column} AS jsonb), {tag})"
