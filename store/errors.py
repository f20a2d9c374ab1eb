"""What can go wrong with a database, in words that need no SQL; and the translation from what the drivers say.

A refusal is a value and never found here. Each of these is raised out of `Writer.run`, out of the future of
`Writer.submit`, or out of a `Database.read()` block.
"""

# ruff: noqa: N818 - these are named for what they say
from __future__ import annotations

import sqlite3
import sys
from typing import TYPE_CHECKING

from sqlalchemy import exc

if TYPE_CHECKING:
    import psycopg


class StoreError(Exception):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database can't be used now: disk full, locked, gone, shutting down. Nothing was written; try again later."""


class ReadOnly(StoreUnavailable):
    """The database can only be read: a standby, a write-protected disk, or a connection meant for reading."""


class OutcomeUnknown(StoreUnavailable):
    """The connection broke during the commit: the unit may or may not have been written. Ask before trying again."""


class Duplicate(StoreError):
    """A row with this id, name or key exists already; nothing was written."""


class AppendOnly(StoreError):
    """Somebody tried to change or delete what is written once: the entries, the postings, the audit log."""


class SchemaTooNew(StoreError):
    """The database was migrated by a newer Qubator than this one."""


class SchemaTooOld(StoreError):
    """The database lacks migrations that this Qubator needs."""


class Deposed(StoreError):
    """Another process has taken over the leadership; whatever was about to be written must not be."""


class BlobTooLarge(StoreError):
    """A blob exceeds the limit of the store."""


class BlobDamaged(StoreError):
    """The bytes of a blob no longer have the hash they were stored under."""


class BadCursor(StoreError):
    """A page cursor that no list has given out."""


class RunAgain(Exception):
    """PostgreSQL ended the transaction in favour of another one: the same units may be tried again."""


_SQLITE_TROUBLE = ("FULL", "BUSY", "LOCKED", "IOERR", "CANTOPEN", "NOTADB", "CORRUPT", "NOMEM", "PROTOCOL")
# Classes: connection exceptions, insufficient resources, operator intervention, system errors. Codes: lock not
# available, the time-outs of an idle transaction.
_POSTGRES_TROUBLE = ("08", "53", "57", "58", "55P03", "25P03", "25P04")
_POSTGRES_AGAIN = ("40001", "40P01")


def translate(error: BaseException) -> BaseException:
    """The error of this module that a driver's error means; anything that is no trouble of the database as it came.

    What stays untranslated (a missing table, a wrong statement) is a bug and shows as such.
    """
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailable(f"no free connection to the database: {error}")
    origin = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        return _from_sqlite(error, origin)
    if "psycopg" in sys.modules:  # or else no connection to PostgreSQL can have failed
        import psycopg

        if isinstance(origin, psycopg.Error):
            return _from_postgres(error, origin)
    return error


def _from_sqlite(error: BaseException, origin: sqlite3.Error) -> BaseException:
    name: str = getattr(origin, "sqlite_errorname", None) or ""
    code = name.removeprefix("SQLITE_")
    if code in ("CONSTRAINT_UNIQUE", "CONSTRAINT_PRIMARYKEY"):
        return Duplicate(str(origin))
    if code == "CONSTRAINT_TRIGGER":
        return AppendOnly(str(origin))
    if code.startswith("READONLY"):
        return ReadOnly(f"the database can only be read: {origin} ({name})")
    if code.startswith(_SQLITE_TROUBLE):
        return StoreUnavailable(f"the database can't be used now: {origin} ({name})")
    return error


def _from_postgres(error: BaseException, origin: psycopg.Error) -> BaseException:
    from psycopg import OperationalError

    state: str = origin.sqlstate or ""
    detail = str(origin).strip()
    if state == "23505":
        return Duplicate(detail)
    if state == "23001":
        return AppendOnly(detail)
    if state == "25006":
        return ReadOnly(f"the database can only be read: {detail}")
    if state in _POSTGRES_AGAIN:
        return RunAgain(detail)
    lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    if lost or state.startswith(_POSTGRES_TROUBLE) or (not state and isinstance(origin, OperationalError)):
        return StoreUnavailable(f"the database can't be used now: {detail}")
    return error
