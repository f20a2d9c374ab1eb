"""Reports over HTTP: who may read which, as JSON or CSV, and closing a month."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.schemas import reports
from ledger.focus_columns import columns
from store.database import Database


@pytest.fixture
def books(bookstory: Any, sqlite_database: Database, tmp_path: Path) -> Any:
    """An autumn, on December 2; October is closed."""
    return bookstory.Books(bookstory.Story(sqlite_database), tmp_path).live_through_autumn()


@pytest.fixture
def people(books: Any) -> dict[str, dict[str, str]]:
    """Headers of people by what they are."""
    secret = books.room.first_operator()
    operator = books.room.authenticate(secret)
    found = {"operator": {"authorization": f"Bearer {secret}"}}
    for who, project_id, role in (
        ("auditor", None, "auditor"),
        ("acme", "acme", "member"),
        ("zeta", "zeta", "admin"),
    ):
        member = books.room.create_member(operator, project_id, who, role)
        _, secret = books.room.create_token(operator, project_id, member.id, role, who, None)
        found[who] = {"authorization": f"Bearer {secret}"}
    return found


@pytest.fixture
def client(books: Any, people: Any, wire: Any) -> Iterator[httpx.Client]:
    with wire(create_app(books.room), **people["acme"]) as client:
        yield client


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_member_reads_the_statement_of_a_month(client: httpx.Client) -> None:
    answer = client.get("/v1/projects/me/statements/2026-11")
    assert answer.status_code == 200
    found = reports.MonthStatement.model_validate(answer.json())
    assert (found.project_id, found.month, found.closed) == ("acme", "2026-11", False)
    assert found.totals["CNY"]["closing"] == 749_300 + 166_200
    assert client.get("/v1/projects/acme/statements/2026-11").json() == answer.json()


def test_the_statement_as_csv(client: httpx.Client) -> None:
    found = rows(client.get("/v1/projects/me/statements/2026-11", params={"format": "csv"}))
    assert (found[0]["section"], found[0]["payer"], found[0]["closing"]) == ("line", "g-acme", "749300")


def test_another_project_does_not_exist(client: httpx.Client, people: Any) -> None:
    for path in ("statements/2026-11", "focus/2026-11", "focus/2026-11/metadata"):
        answer = client.get(f"/v1/projects/zeta/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert client.get(f"/v1/projects/zeta/{path}", headers=people["zeta"]).status_code == 200
        assert client.get(f"/v1/projects/zeta/{path}", headers=people["auditor"]).status_code == 200


@pytest.mark.parametrize("month", ["2026-13", "november", "2027-01", "2026-1", "%F0%9F%98%80"])
def test_a_month_that_is_none_or_to_come_is_refused(client: httpx.Client, month: str) -> None:
    for path in ("statements/{}", "focus/{}", "focus/{}/metadata"):
        answer = client.get(f"/v1/projects/me/{path.format(month)}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text


def test_the_report_to_a_funder_is_for_the_facility(client: httpx.Client, people: Any) -> None:
    asked = {"from": "2026-11", "to": "2026-11"}
    for who, status in (("acme", 403), ("zeta", 403), ("auditor", 200), ("operator", 200)):
        answer = client.get("/v1/funders/city/report", params=asked, headers=people[who])
        assert answer.status_code == status
    found = reports.FunderReport.model_validate(answer.json())
    assert [share["captured"] for share in found.shares] == [113_600, 56_800]
    table = rows(client.get("/v1/funders/city/report", params={**asked, "format": "csv"}, headers=people["auditor"]))
    assert [row["captured"] for row in table if row["section"] == "share"] == ["113600", "56800"]


def test_a_funder_that_is_none_and_months_that_are_none(client: httpx.Client, people: Any) -> None:
    for funder, asked, code in (
        ("nobody", {"from": "2026-11", "to": "2026-11"}, "not_found"),
        ("a b", {"from": "2026-11", "to": "2026-11"}, "not_found"),
        ("city", {"from": "2026-11"}, "invalid_request"),
        ("city", {"from": "2026-11", "to": "2026-10"}, "invalid_request"),
        ("city", {"from": "2026-11", "to": "2026-11", "format": "xml"}, "invalid_request"),
    ):
        answer = client.get(f"/v1/funders/{funder}/report", params=asked, headers=people["auditor"])
        assert answer.json()["code"] == code


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_an_export_of_cost_and_usage(client: httpx.Client, version: Any) -> None:
    answer = client.get("/v1/projects/me/focus/2026-11", params={"version": version})
    found = rows(answer)
    assert list(found[0]) == list(columns(version))
    assert len(found) == 16
    metadata = client.get("/v1/projects/me/focus/2026-11/metadata", params={"version": version}).json()
    schema = metadata["Schema"] if version == "1.2" else metadata["Schema"][0]
    assert [each["ColumnName"] for each in schema["ColumnDefinition"]] == list(found[0])


def test_a_version_that_is_not_written_is_refused(client: httpx.Client) -> None:
    answer = client.get("/v1/projects/me/focus/2026-11", params={"version": "1.1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_closing_a_month(client: httpx.Client, people: Any) -> None:
    operator, auditor = people["operator"], people["auditor"]
    for headers in (people["acme"], auditor):
        assert client.post("/v1/closes", json={"month": "2026-11"}, headers=headers).status_code == 403
    answer = client.post("/v1/closes", json={"month": "2026-11"}, headers=operator)
    assert answer.status_code == 201
    close = reports.Close.model_validate(answer.json())
    assert close.month == "2026-11"
    listed = reports.CloseList.model_validate(client.get("/v1/closes", headers=auditor).json())
    assert [each.month for each in listed.closes] == ["2026-10", "2026-11"]
    assert listed.closes[1] == close
    assert client.get("/v1/closes").status_code == 403
    assert client.get("/v1/projects/me/statements/2026-11").json()["closed"] is True


@pytest.mark.parametrize(
    ("month", "status", "code"),
    [
        ("2026-10", 409, "month_closed"),
        ("2026-12", 409, "month_not_over"),
        ("2026-08", 409, "month_out_of_order"),
        ("2026-13", 422, "invalid_request"),
        ("soon", 422, "invalid_request"),
    ],
)
def test_months_that_cannot_be_closed(client: httpx.Client, people: Any, month: str, status: int, code: str) -> None:
    answer = client.post("/v1/closes", json={"month": month}, headers=people["operator"])
    assert (answer.status_code, answer.json()["code"]) == (status, code)
