"""The migrations build the schema that the code means, on both databases, once; and nobody goes back in time."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text

from store import identity, schema
from store.database import Database, open_database
from store.errors import SchemaTooNew, SchemaTooOld, StoreUnavailable
from store.rows import ProjectRow


@pytest.fixture
def empty(empty_url):
    database = open_database(empty_url)
    yield database
    database.close()


def differences(database: Database):
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, schema.metadata)


def test_the_migrations_build_the_schema(empty):
    assert len(differences(empty)) > 20, "or this test could see nothing"
    assert empty.revision() is None
    empty.migrate()
    assert differences(empty) == []
    assert empty.revision() == empty.head()
    empty.require_head()


def test_checks_are_the_same_too(database):
    """They are not compared above, because Alembic doesn't look at them."""
    meant = {
        (table.name, constraint.name)
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    with database.read() as connection:
        there = {
            (table, constraint["name"])
            for table in schema.metadata.tables
            for constraint in inspect(connection).get_check_constraints(table)
        }
    assert there == meant
    assert len(meant) == 8


def test_a_difference_would_be_seen(database):
    def unit(connection):
        connection.execute(text("ALTER TABLE jobs DROP COLUMN max_cost"))
        connection.execute(text("DROP INDEX jobs_open"))

    database.writer.run(unit)
    assert {difference[0] for difference in differences(database)} == {"add_column", "add_index"}


def test_migrating_again_changes_nothing(empty):
    empty.migrate()
    empty.writer.run(lambda c: identity.insert_project(c, ProjectRow("acme", "Acme", 1, 1)))
    empty.migrate()
    empty.migrate()
    with empty.read() as connection:
        assert [project.id for project in identity.list_projects(connection)] == ["acme"]
    assert empty.revision() == empty.head()


def test_an_empty_database_is_too_old(empty):
    with pytest.raises(SchemaTooOld, match="stands at revision none, this version needs 0001: run `qubatord migrate`"):
        empty.require_head()


@pytest.mark.parametrize("act", [Database.migrate, Database.require_head])
def test_a_newer_database_is_refused(database, act):
    database.writer.run(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(SchemaTooNew, match="stands at revision 9999, which this version of Qubator does not know"):
        act(database)
    assert database.revision() == "9999"


def test_a_migration_that_fails_leaves_nothing(empty):
    empty.writer.run(lambda c: c.execute(text("CREATE TABLE postings (id TEXT)")))
    with pytest.raises(Exception, match="postings"):
        empty.migrate()
    assert empty.revision() is None
    empty.writer.run(lambda c: c.execute(text("DROP TABLE postings")))
    empty.migrate()
    assert differences(empty) == []


def test_two_processes_that_start_at_once_migrate_once(empty, empty_url):
    import threading

    others = [open_database(empty_url) for _ in range(3)]
    failures = []

    def migrate(database):
        try:
            database.migrate()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=migrate, args=(database,)) for database in (empty, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert failures == []
    assert differences(empty) == []


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite", "postgresql://nobody@localhost:1/none"])
def test_a_database_that_is_not_there(url):
    database = open_database(url)
    with pytest.raises(StoreUnavailable):
        database.migrate()
    with pytest.raises(StoreUnavailable), database.read():
        pass
    with pytest.raises(StoreUnavailable):
        database.writer.run(lambda c: None)
    with pytest.raises(StoreUnavailable):
        database.lead()
    database.close()
