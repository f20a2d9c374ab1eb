"""`qubatord ledger`: closing a month at the machine itself."""

from __future__ import annotations

from typing import Any

import pytest

from store.database import open_database

pytestmark = pytest.mark.usefixtures("facility")


@pytest.fixture
def october(shell: Any, bookstory: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The books of an October in the facility's database."""
    monkeypatch.setenv("QUBATOR_TIME_ZONE", "Asia/Shanghai")
    database = open_database(f"sqlite:///{shell.folder / 'qubator-data' / 'qubator.sqlite3'}")
    story = bookstory.Story(database)
    story.october()
    # The story settles holds without a dispatcher that would end the jobs.
    closed = "SELECT job_id FROM holds WHERE state <> 'open'"
    ended = f"UPDATE jobs SET state = 'succeeded', ended_us = created_us WHERE id IN ({closed})"
    database.writer.run(lambda conn: conn.exec_driver_sql(ended))
    database.close()
    shell.entries = len(story.entries)
    return shell


def test_a_month_is_closed_and_listed(october: Any) -> None:
    close = october.json("ledger", "close", "2026-10")
    assert (close["month"], close["last_seq"], close["closed_by"]) == ("2026-10", october.entries, "console")
    assert october.json("ledger", "closes") == [close]
    said = october("ledger", "closes", "--check").stdout
    assert close["sha256"] in said
    assert said.endswith("1 closed months follow from the entries\n")
    assert october.id("ledger", "closes") == "2026-10"


def test_a_person_reads_what_was_closed_in_80_columns(october: Any, narrow: Any) -> None:
    said = october("ledger", "close", "2026-10").stdout
    narrow(said)
    assert said.startswith("month")
    assert "sha256" in said


def test_a_month_is_closed_once_and_in_its_turn(october: Any) -> None:
    assert "[month_out_of_order]" in october("ledger", "close", "2026-08", code=1).stderr
    october("ledger", "close", "2026-10")
    assert "[month_closed]" in october("ledger", "close", "2026-10", code=1).stderr
    assert "[month_not_over]" in october("ledger", "close", "9998-10", code=1).stderr
    assert "[invalid_request]" in october("ledger", "close", "October", code=1).stderr


def test_without_a_closed_month_there_is_nothing_to_list(october: Any) -> None:
    assert october("ledger", "closes").stdout == ""
    assert october("ledger", "closes", "--check").stdout == "0 closed months follow from the entries\n"


def test_books_that_were_tampered_with_end_with_1(october: Any) -> None:
    october("ledger", "close", "2026-10")
    database = open_database(f"sqlite:///{october.folder / 'qubator-data' / 'qubator.sqlite3'}")

    def tamper(conn: Any) -> None:
        conn.exec_driver_sql("DROP TRIGGER postings_refuse_update")
        conn.exec_driver_sql("UPDATE postings SET amount = amount + 1 WHERE seq = 1")

    database.writer.run(tamper)
    database.close()
    assert "VIOLATION the totals of the closed month 2026-10" in october("ledger", "closes", "--check", code=1).stderr
    assert "VIOLATION the totals of the closed month 2026-10" in october("ledger", "verify", code=1).stdout


def test_verify_looks_at_the_closed_months_too(october: Any) -> None:
    assert "checked 0 closed months" in october("ledger", "verify").stdout
    october("ledger", "close", "2026-10")
    assert "checked 1 closed months: their totals against the entries" in october("ledger", "verify").stdout
    assert october.json("ledger", "verify")["counts"]["closed months"] == 1


def test_verify_says_that_closed_months_cannot_be_worked_out(october: Any) -> None:
    october("ledger", "close", "2026-10")
    database = open_database(f"sqlite:///{october.folder / 'qubator-data' / 'qubator.sqlite3'}")

    def tamper(conn: Any) -> None:
        conn.exec_driver_sql("DROP TRIGGER closes_refuse_update")
        conn.exec_driver_sql("UPDATE closes SET month = 'never'")

    database.writer.run(tamper)
    database.close()
    said = october("ledger", "verify", code=1).stdout
    assert "VIOLATION the closed months cannot be worked out, for a row cannot be read: a month is written" in said
