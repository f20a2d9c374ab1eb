"""The books by month over a real store: statements, reports to funders, and closing a month while life goes on."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dispatcher.bookkeeping import read_month
from dispatcher.model import Caller, Refusal
from ledger.commands import CorrectJob
from store import audit_log, chain
from store.database import Database, open_database

OPERATOR = Caller("op", None, "operator", "t")
AUDITOR = Caller("au", None, "auditor", "t")
ANN = Caller("acme-ann", "acme", "member", "t")
EVE = Caller("zeta-eve", "zeta", "admin", "t")


@pytest.fixture
def books(bookstory: Any, database: Database, tmp_path: Path) -> Any:
    """October as it was; nothing is closed."""
    story = bookstory.Story(database)
    story.october()
    return bookstory.Books(story, tmp_path).clock("11-02 09:00")


@pytest.fixture
def autumn(books: Any) -> Any:
    """October was closed on November 2; c was settled afterwards, as of October."""
    books.close("2026-10")
    books.story.november()
    books.story.december()
    return books.clock("12-02 09:00")


def code(answer: Any) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def figures(statement: dict[str, Any], payer: str) -> dict[str, int]:
    """What is not 0."""
    (line,) = [line for line in statement["lines"] if line["payer"] == payer]
    return {name: value for name, value in line.items() if isinstance(value, int) and value}


def test_november_of_acme(autumn: Any) -> None:
    found = autumn.statement("acme", "2026-11")
    assert figures(found, "g-acme") == {
        "opening": 969_100,
        "transferred_out": 50_000,
        "settled": 214_800,
        "corrected": 45_000,
        "closing": 749_300,
        "held_opening": 241_200,
        "held": 120_600,
        "released": 147_000,
    }
    assert figures(found, "wallet")["closing"] == 166_200
    assert found["absorbed_by_facility"] == 50_000
    assert (found["month"], found["zone"], found["closed"], found["asset"]) == (
        "2026-11",
        "Asia/Shanghai",
        False,
        "CNY",
    )


def test_corrections_have_lines_of_their_own(autumn: Any) -> None:
    first, second = autumn.statement("acme", "2026-11")["corrections"]
    assert first == {
        "entry_id": "correct/fix-a",
        "job_id": "a",
        "at_us": autumn.at("11-15 09:00"),
        "reason": "the meter ran on",
        "earlier_month": True,
        "price": -25_000,
        "copay": -10_000,
        "credits": [
            {"funder_id": "city", "grant_id": "g-acme", "amount": -10_000},
            {"funder_id": "district", "grant_id": "g-acme", "amount": -5_000},
        ],
    }
    assert (second["job_id"], second["earlier_month"], second["price"]) == ("b", False, -50_000)


def test_a_closed_month_never_changes(books: Any) -> None:
    books.close("2026-10")
    before = books.statement("acme", "2026-10")
    assert before["closed"] is True
    books.story.november()
    books.story.post(CorrectJob(books.at("10-20 09:00"), "back", "a", books.lines(1), "dated back"))
    books.story.december()
    assert books.statement("acme", "2026-10") == before
    assert figures(before, "g-acme")["closing"] == 969_100


def test_an_open_month_does_change(books: Any) -> None:
    before = books.statement("acme", "2026-10")
    books.story.november()
    after = books.statement("acme", "2026-10")
    assert figures(after, "g-acme")["settled"] == figures(before, "g-acme")["settled"] + 3_600


def test_what_is_dated_back_into_a_closed_month_shows_in_the_first_open_one(autumn: Any) -> None:
    autumn.close("2026-11")
    autumn.story.post(CorrectJob(autumn.at("10-20 09:00"), "back", "a", autumn.lines(1), "dated back"))
    december = autumn.statement("acme", "2026-12")
    assert [each["entry_id"] for each in december["corrections"]] == ["correct/back"]
    assert [each["entry_id"] for each in autumn.statement("acme", "2026-11")["corrections"]] == [
        "correct/fix-a",
        "correct/fix-b",
    ]
    # 25,000 less: 15,000 to the grant, which has expired, and 10,000 to the wallet.
    assert figures(december, "g-acme") == {"opening": 749_300, "corrected": 15_000, "expired": 764_300}
    assert figures(december, "wallet") == {"opening": 166_200, "corrected": 10_000, "closing": 176_200}


def test_the_totals_of_a_close_are_those_of_the_book(books: Any) -> None:
    close = books.close("2026-10")
    totals = close["totals"]
    text = json.dumps(totals, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == close["sha256"]
    assert totals["last_seq"] == close["last_seq"] == len(books.story.entries)
    with books.database.read() as conn:
        assert totals["last_hash"] == chain.head(conn).hash.hex()
    assert totals["entries"] == {"fund": 3, "hold": 3, "issue": 1, "settle": 1, "top_up": 1}
    assert totals["balances"] == [
        ["facility/earned/copay", "CNY", 20_600],
        ["facility/earned/funder/city", "CNY", 20_600],
        ["facility/earned/funder/district", "CNY", 10_300],
        ["funder/city", "CNY", -2_000_000],
        ["funder/district", "CNY", -1_000_000],
        ["funder/uni", "qpu_ms", -5_000],
        ["grant/available", "CNY", 727_900],
        ["grant/held", "CNY", 241_200],
        ["payer", "CNY", -300_000],
        ["programme/available", "CNY", 2_000_000],
        ["programme/available", "qpu_ms", 5_000],
        ["wallet/available", "CNY", 118_600],
        ["wallet/held", "CNY", 160_800],
    ]
    assert books.room.changed_closes() == []


def test_months_are_closed_once_in_order_when_they_are_over(books: Any) -> None:
    close = books.room.close_month
    assert code(close(OPERATOR, "2026-11")) == "month_not_over"
    assert code(close(OPERATOR, "2026-09")) == "month_out_of_order"
    books.close("2026-10")
    assert code(close(OPERATOR, "2026-10")) == "month_closed"
    books.clock("12-31 09:00")
    assert code(close(OPERATOR, "2026-12")) == "month_not_over"
    assert books.close("2026-11")["month"] == "2026-11"
    found = books.room.closes(AUDITOR)
    assert isinstance(found, list)
    assert [each["month"] for each in found] == ["2026-10", "2026-11"]


def test_an_entry_under_way_is_waited_for(bookstory: Any, postgres_url: str, tmp_path: Path) -> None:
    """Another process holds the head of the chain: it has numbered an entry and not yet committed it."""
    database = open_database(postgres_url)
    story = bookstory.Story(database)
    story.october()
    books = bookstory.Books(story, tmp_path).clock("11-02 09:00")
    found: list[Any] = []
    closing = threading.Thread(target=lambda: found.append(books.room.close_month(OPERATOR, "2026-10")))
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT size FROM ledger_head FOR UPDATE")
        closing.start()
        closing.join(0.5)
        assert closing.is_alive(), "it waits for the entry"
    closing.join(20)
    database.close()
    assert [each["month"] for each in found] == ["2026-10"]


def test_a_close_is_in_the_audit_log(books: Any) -> None:
    digest = books.close("2026-10")["sha256"]
    with books.database.read() as conn:
        (row,) = audit_log.list_audit(conn, 5, subject="2026-10")
    assert (row.actor, row.act, row.detail) == ("op", "ledger.close", {"sha256": digest})


def test_books_that_were_tampered_with_no_longer_follow(autumn: Any) -> None:
    """Whoever removes the guard of the database is found out by the totals."""
    assert autumn.room.changed_closes() == []

    def tamper(conn: Any) -> None:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("DROP TRIGGER postings_refuse_update")
        else:
            conn.exec_driver_sql("DROP TRIGGER postings_refuse_change ON postings")
        seq = conn.exec_driver_sql("SELECT seq FROM entries WHERE id = 'settle/a'").scalar_one()
        conn.exec_driver_sql(f"UPDATE postings SET amount = amount + 1 WHERE position = 0 AND seq = {seq}")

    autumn.database.writer.run(tamper)
    assert autumn.room.changed_closes() == ["2026-10"]


def test_the_report_to_the_city(autumn: Any) -> None:
    found = autumn.room.funder_report(AUDITOR, "city", "2026-11", "2026-11")
    assert isinstance(found, dict)
    assert [(each["funder_id"], each["captured"]) for each in found["shares"]] == [
        ("city", 113_600),
        ("district", 56_800),
    ]
    assert [(each["project_id"], each["category"], each["captured"]) for each in found["captured"]] == [
        ("acme", "chemistry", 70_400),
        ("acme", "general", 42_800),
        ("zeta", "research", 400),
    ]
    (programme,) = found["programmes"]
    assert (programme["granted"], programme["captured"], programme["remaining"]) == (1_090_600, 201_300, 1_909_400)
    assert [cap["claimed"] for cap in programme["caps"]] == [201_300, 200_700, 600]
    assert [(each["days"], each["amount"]) for each in found["expiring"]] == [
        (30, 889_300),
        (60, 889_300),
        (90, 889_300),
    ]


def test_the_year_of_the_city_is_the_sum_of_its_months(autumn: Any) -> None:
    def captured(first: str, last: str) -> int:
        found = autumn.room.funder_report(OPERATOR, "city", first, last)
        assert isinstance(found, dict)
        return sum(each["captured"] for each in found["captured"])

    assert captured("2026-10", "2026-12") == captured("2026-10", "2026-10") + captured("2026-11", "2026-12") == 134_200


def test_a_member_sees_the_own_project_only(autumn: Any) -> None:
    assert autumn.statement("acme", "2026-11", ANN) == autumn.statement("acme", "2026-11", AUDITOR)
    assert code(autumn.room.month_statement(EVE, "acme", "2026-11")) == "not_found"
    assert code(autumn.room.month_statement(AUDITOR, "nobody", "2026-11")) == "not_found"
    assert code(autumn.room.funder_report(EVE, "city", "2026-11", "2026-11")) == "forbidden"
    assert code(autumn.room.closes(EVE)) == "forbidden"


def test_only_operators_close(books: Any) -> None:
    for caller in (AUDITOR, ANN):
        assert code(books.room.close_month(caller, "2026-10")) == "forbidden"


def test_months_that_are_none_are_refused(autumn: Any) -> None:
    for month in ("2026-13", "November", "2027-01"):
        assert code(autumn.room.month_statement(ANN, "acme", month)) == "invalid_request"
    assert code(autumn.room.close_month(OPERATOR, "2026-1")) == "invalid_request"
    assert code(autumn.room.funder_report(AUDITOR, "city", "2026-11", "2026-10")) == "invalid_request"
    assert code(autumn.room.funder_report(AUDITOR, "nobody", "2026-11", "2026-11")) == "not_found"
    refused = read_month("2026-13")
    assert isinstance(refused, Refusal)
    assert refused.detail == "A month lies in 1971-01 to 9998-12, not at 2026-13."


def test_books_without_any_entry_have_an_empty_month(bookstory: Any, database: Database, tmp_path: Path) -> None:
    story = bookstory.Story(database)
    story.begin()
    books = bookstory.Books(story, tmp_path).clock("11-02 09:00")
    assert books.statement("acme", "2026-10")["lines"] == []
    assert code(books.room.close_month(OPERATOR, "2026-10")) == "month_out_of_order"
