"""Bring a database to the schema of this version, by the Alembic migrations that are packaged beside this file."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from store.errors import SchemaTooNew, SchemaTooOld

_SCRIPTS = Path(__file__).with_name("migrations")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def head() -> str:
    """The revision of this version's schema."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise RuntimeError("the package has lost its migrations")
    return found


def revision(connection: Connection) -> str | None:
    """The revision a database stands at; None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the connection's transaction: all of them or none.

    Raises `SchemaTooNew` when the database stands at a revision that this version doesn't know.
    """
    config = _config()
    _refuse_newer(connection, ScriptDirectory.from_config(config))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def require_head(connection: Connection) -> None:
    """Raise `SchemaTooOld` or `SchemaTooNew` unless the database has exactly the schema of this version."""
    script = ScriptDirectory.from_config(_config())
    _refuse_newer(connection, script)
    current, wanted = revision(connection), script.get_current_head()
    if current != wanted:
        raise SchemaTooOld(
            f"the database stands at revision {current or 'none'}, this version needs {wanted}: "
            "run `qubatord migrate` first"
        )


def _refuse_newer(connection: Connection, script: ScriptDirectory) -> None:
    current = revision(connection)
    known = {known.revision for known in script.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNew(
            f"the database stands at revision {current}, which this version of Qubator does not know; "
            f"its newest is {script.get_current_head()}. Start the version that migrated the database, or a later one"
        )
