"""Projects, members and tokens mean the same on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from store import identity
from store.errors import Duplicate
from store.rows import MemberRow, ProjectRow, TokenRow

ACME = ProjectRow("acme", "Acme Quantum", 100, 10)
ZETA = ProjectRow("zeta", "Zeta", 300, 5)
ANN = MemberRow("ann", "acme", "Ann", "admin", 20)
OTTO = MemberRow("otto", None, "Otto", "operator", 15)
TOKEN = TokenRow("tok-1", "ann", "acme", "admin", "laptop", 30, expires_us=99)


@pytest.fixture
def people(database):
    def unit(connection):
        for project in (ACME, ZETA):
            identity.insert_project(connection, project)
        for member in (ANN, OTTO):
            identity.insert_member(connection, member)
        identity.insert_token(connection, TOKEN, "hash-1")
        identity.insert_token(connection, TokenRow("tok-2", "otto", None, "operator", "", 25), "hash-2")

    database.writer.run(unit)
    return database


def test_projects(people):
    with people.read() as connection:
        assert identity.get_project(connection, "acme") == ACME
        assert identity.get_project(connection, "other") is None
        assert identity.list_projects(connection) == [ZETA, ACME]
    people.writer.run(lambda c: identity.set_weight(c, "acme", 250))
    with people.read() as connection:
        assert identity.get_project(connection, "acme") == ProjectRow("acme", "Acme Quantum", 250, 10)
    with pytest.raises(LookupError, match="there is no project other"):
        people.writer.run(lambda c: identity.set_weight(c, "other", 250))


@pytest.mark.parametrize("project", [ProjectRow("acme", "New", 1, 1), ProjectRow("new", "Acme Quantum", 1, 1)])
def test_a_project_has_its_id_and_name_to_itself(people, project):
    with pytest.raises(Duplicate):
        people.writer.run(lambda c: identity.insert_project(c, project))


def test_members(people):
    with people.read() as connection:
        assert identity.list_members(connection, "acme") == [ANN]
        assert identity.list_members(connection, "zeta") == []
        assert identity.list_members(connection, None) == [OTTO, ANN]
        assert identity.get_member(connection, "otto") == OTTO
        assert identity.get_member(connection, "nobody") is None
        assert identity.count_operators(connection) == 1


def test_a_member_belongs_to_a_project_that_exists(people):
    with pytest.raises(IntegrityError):
        people.writer.run(lambda c: identity.insert_member(c, MemberRow("x", "nowhere", "X", "member", 1)))


def test_a_token_is_found_by_the_hash_of_its_secret(people):
    with people.read() as connection:
        assert identity.find_token(connection, "hash-1") == (TOKEN, ANN)
        assert identity.find_token(connection, "hash-9") is None
        assert identity.find_token(connection, "") is None
        assert identity.get_token(connection, "tok-1") == TOKEN
        assert identity.get_token(connection, "tok-9") is None
        assert identity.list_tokens(connection, "acme") == [TOKEN]
        assert [token.id for token in identity.list_tokens(connection, None)] == ["tok-2", "tok-1"]


def test_a_token_is_revoked_once(people):
    assert people.writer.run(lambda c: identity.revoke_token(c, "tok-1", 50)) is True
    assert people.writer.run(lambda c: identity.revoke_token(c, "tok-1", 60)) is False
    assert people.writer.run(lambda c: identity.revoke_token(c, "tok-9", 60)) is False
    with people.read() as connection:
        found = identity.find_token(connection, "hash-1")
        assert found is not None
        assert found[0].revoked_us == 50


def test_two_tokens_never_share_a_secret(people):
    with pytest.raises(Duplicate):
        people.writer.run(lambda c: identity.insert_token(c, TokenRow("t3", "ann", "acme", "admin", "", 1), "hash-1"))
