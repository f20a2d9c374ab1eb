"""The hash of a secret goes in and never comes out. (What the functions mean: conformance.)"""

from __future__ import annotations

import inspect

import pytest

from store import identity
from store.rows import MemberRow, TokenRow


@pytest.fixture
def connection(sqlite_town):
    def unit(connection):
        identity.insert_member(connection, MemberRow("ann", None, "Ann", "operator", 1))
        identity.insert_token(connection, TokenRow("tok", "ann", None, "operator", "", 1), "the-hash")

    sqlite_town.database.writer.run(unit)
    with sqlite_town.database.read() as connection:
        yield connection


@pytest.mark.parametrize(
    "read",
    [
        lambda c: identity.find_token(c, "the-hash"),
        lambda c: identity.get_token(c, "tok"),
        lambda c: identity.list_tokens(c, None),
    ],
)
def test_no_answer_carries_the_hash(connection, read):
    answer = read(connection)
    assert answer
    assert "the-hash" not in repr(answer)


def test_every_reader_is_checked_here():
    """A new function about tokens belongs into the list above, unless it only writes."""
    about = {name for name, one in vars(identity).items() if inspect.isfunction(one) and "token" in name}
    assert about == {"find_token", "get_token", "list_tokens", "insert_token", "revoke_token"}
