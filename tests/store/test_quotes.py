"""Quotes are kept until some time after they have expired, on both databases."""

from __future__ import annotations

import pytest

from store import quotes
from store.errors import Duplicate
from store.rows import QuoteRow

BODY = {"quote": {"ceiling": {"micro": 2**53, "asset": "CNY"}}, "asked": ["auto", None, "general"], "terms": []}


def quote(name, expires_us=100):
    return QuoteRow(name, "acme", "sha256:work", 1, expires_us, BODY)


def kept(database, *ids):
    with database.read() as connection:
        return quotes.get_quotes(connection, ids)


def test_a_quote_comes_back_as_it_was_given(database):
    rows = [quote("a"), quote("b", 2**60)]
    database.writer.run(lambda c: quotes.insert_quotes(c, rows))
    assert kept(database, "b", "a", "c", "a") == {"a": rows[0], "b": rows[1]}
    assert kept(database) == {}


def test_an_id_is_given_once(database):
    database.writer.run(lambda c: quotes.insert_quotes(c, [quote("a")]))
    with pytest.raises(Duplicate):
        database.writer.run(lambda c: quotes.insert_quotes(c, [quote("b"), quote("a", 9)]))
    assert kept(database, "a", "b") == {"a": quote("a")}


def test_what_expired_before_an_instant_is_forgotten(database):
    database.writer.run(lambda c: quotes.insert_quotes(c, [quote("a", 10), quote("b", 11), quote("c", 12)]))
    assert database.writer.run(lambda c: quotes.forget(c, 11)) == 1
    assert sorted(kept(database, "a", "b", "c")) == ["b", "c"]
    assert database.writer.run(lambda c: quotes.forget(c, 11)) == 0
