"""What the drivers say, in our words."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import exc

from store import errors
from store.errors import translate


def sqlite_error(name):
    error = sqlite3.OperationalError("it said so")
    error.sqlite_errorname = name
    return error


def wrapped(origin, lost=False):
    return exc.DBAPIError("SELECT", {}, origin, connection_invalidated=lost)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_FULL", errors.StoreUnavailable),
        ("SQLITE_BUSY", errors.StoreUnavailable),
        ("SQLITE_BUSY_SNAPSHOT", errors.StoreUnavailable),
        ("SQLITE_LOCKED", errors.StoreUnavailable),
        ("SQLITE_IOERR_WRITE", errors.StoreUnavailable),
        ("SQLITE_CANTOPEN", errors.StoreUnavailable),
        ("SQLITE_CORRUPT", errors.StoreUnavailable),
        ("SQLITE_READONLY", errors.ReadOnly),
        ("SQLITE_CONSTRAINT_UNIQUE", errors.Duplicate),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", errors.Duplicate),
        ("SQLITE_CONSTRAINT_TRIGGER", errors.AppendOnly),
    ],
)
def test_sqlite(name, expected):
    for error in (sqlite_error(name), wrapped(sqlite_error(name))):
        trouble = translate(error)
        assert type(trouble) is expected
        assert "it said so" in str(trouble)


@pytest.mark.parametrize("name", ["SQLITE_ERROR", "SQLITE_CONSTRAINT_FOREIGNKEY", "SQLITE_CONSTRAINT_CHECK", None])
def test_bugs_of_ours_stay_what_they_are(name):
    error = wrapped(sqlite_error(name))
    assert translate(error) is error


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (psycopg.errors.UniqueViolation, errors.Duplicate),
        (psycopg.errors.RestrictViolation, errors.AppendOnly),
        (psycopg.errors.DeadlockDetected, errors.RunAgain),
        (psycopg.errors.SerializationFailure, errors.RunAgain),
        (psycopg.errors.DiskFull, errors.StoreUnavailable),
        (psycopg.errors.TooManyConnections, errors.StoreUnavailable),
        (psycopg.errors.LockNotAvailable, errors.StoreUnavailable),
        (psycopg.errors.IdleInTransactionSessionTimeout, errors.StoreUnavailable),
        (psycopg.errors.AdminShutdown, errors.StoreUnavailable),
        (psycopg.errors.CannotConnectNow, errors.StoreUnavailable),
        (psycopg.errors.ReadOnlySqlTransaction, errors.ReadOnly),
        (psycopg.OperationalError, errors.StoreUnavailable),
    ],
)
def test_postgres(origin, expected):
    assert type(translate(wrapped(origin("it said so")))) is expected


@pytest.mark.parametrize("origin", [psycopg.errors.UndefinedTable, psycopg.errors.CheckViolation, psycopg.DataError])
def test_bugs_of_ours_on_postgres(origin):
    error = wrapped(origin("it said so"))
    assert translate(error) is error


def test_a_lost_connection_is_trouble_whatever_it_says():
    assert isinstance(translate(wrapped(psycopg.InterfaceError("closed"), lost=True)), errors.StoreUnavailable)


def test_no_free_connection():
    assert isinstance(translate(exc.TimeoutError("QueuePool limit")), errors.StoreUnavailable)


@pytest.mark.parametrize(
    "error", [ValueError("x"), errors.Deposed("x"), wrapped(RuntimeError("a driver we don't know"))]
)
def test_everything_else_passes(error):
    assert translate(error) is error


def test_who_waits_for_a_better_time_catches_one_kind():
    assert issubclass(errors.OutcomeUnknown, errors.StoreUnavailable)
    assert issubclass(errors.ReadOnly, errors.StoreUnavailable)
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == "store.errors"]
    assert {one for one in kinds if not issubclass(one, errors.StoreError)} == {errors.RunAgain}
