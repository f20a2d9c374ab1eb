"""Quotes that were given, kept until they expire."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from store import schema
from store.columns import among_many
from store.rows import QuoteRow

_quotes = schema.quotes
_BY_ID = select(_quotes).where(among_many(_quotes.c.id, "ids"))


def insert_quotes(connection: Connection, quotes: list[QuoteRow]) -> None:
    """Write new quotes. Raises `Duplicate` for a known id."""
    for quote in quotes:
        connection.execute(
            insert(_quotes).values(
                id=quote.id,
                project_id=quote.project_id,
                work_hash=quote.work_hash,
                created_us=quote.created_us,
                expires_us=quote.expires_us,
                body=quote.body,
            )
        )


def get_quotes(connection: Connection, quote_ids: Iterable[str]) -> dict[str, QuoteRow]:
    """Quotes by id, expired ones among them; unknown ids are left out."""
    ids = sorted(quote_ids)
    return {row.id: QuoteRow(*row) for row in connection.execute(_BY_ID, {"ids": ids})} if ids else {}


def forget(connection: Connection, before_us: int) -> int:
    """Delete quotes that expired before an instant; returns how many."""
    return connection.execute(delete(_quotes).where(_quotes.c.expires_us < before_us)).rowcount
