"""Bring a database to the schema of this version, by the Alembic migrations that are packaged beside this file.

Whether a database stands at the newest revision is asked at every start, and told without Alembic, which takes longer
to load than most commands to run: the files of the migrations are named by their revisions, in order.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect

from store.errors import SchemaTooNew, SchemaTooOld

_SCRIPTS = Path(__file__).with_name("migrations")


def _known() -> list[str]:
    """All revisions of this version, the newest last."""
    found = sorted(path.name.partition("_")[0] for path in (_SCRIPTS / "versions").glob("[0-9]*_*.py"))
    if not found:
        raise RuntimeError("the package has lost its migrations")
    return found


def head() -> str:
    """The revision of this version's schema."""
    return _known()[-1]


def revision(connection: Connection) -> str | None:
    """The revision a database stands at; None when it was never migrated."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the connection's transaction: all of them or none.

    Raises `SchemaTooNew` when the database stands at a revision that this version doesn't know.
    """
    from alembic import command
    from alembic.config import Config

    _refuse_newer(revision(connection))
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def require_head(connection: Connection) -> None:
    """Raise `SchemaTooOld` or `SchemaTooNew` unless the database has exactly the schema of this version."""
    current = revision(connection)
    _refuse_newer(current)
    if current != head():
        raise SchemaTooOld(
            f"the database stands at revision {current or 'none'}, this version needs {head()}: "
            "run `qubatord migrate` first"
        )


def _refuse_newer(current: str | None) -> None:
    if current is not None and current not in _known():
        raise SchemaTooNew(
            f"the database stands at revision {current}, which this version of Qubator does not know; "
            f"its newest is {head()}. Start the version that migrated the database, or a later one"
        )
