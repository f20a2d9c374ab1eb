"""Reports as CSV: sections, columns, what a spreadsheet must not take for a formula, and pieces of a long export."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model import Caller
from dispatcher.tables import focus_csv, funder_csv, statement_csv
from ledger.focus_columns import columns
from store.database import Database

AUDITOR = Caller("au", None, "auditor", "t")


@pytest.fixture
def autumn(bookstory: Any, sqlite_database: Database, tmp_path: Path) -> Any:
    return bookstory.Books(bookstory.Story(sqlite_database), tmp_path).live_through_autumn()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_statement_has_a_section_for_each_kind_of_row(autumn: Any) -> None:
    found = read(statement_csv(autumn.statement("acme", "2026-11")))
    sections = [row["section"] for row in found]
    assert sections == ["line"] * 2 + ["total"] + ["usage"] * 4 + ["correction"] * 2 + ["facility"]
    assert (found[0]["payer"], found[0]["asset"], found[0]["closing"]) == ("g-acme", "CNY", "749300")
    assert (found[2]["payer"], found[2]["opening"]) == ("", str(969_100 + 279_400))
    assert (found[3]["member_id"], found[3]["category"], found[3]["settled"]) == ("acme-ann", "chemistry", "120600")
    assert (found[7]["job_id"], found[7]["price"], found[7]["reason"]) == ("a", "-25000", "the meter ran on")
    assert found[9]["settled"] == "50000"


def test_a_report_to_a_funder_has_a_section_for_each_kind_of_row(autumn: Any) -> None:
    found = read(funder_csv(autumn.room.funder_report(AUDITOR, "city", "2026-11", "2026-11")))
    by_section: dict[str, list[dict[str, str]]] = {}
    for row in found:
        by_section.setdefault(row["section"], []).append(row)
    assert {section: len(rows) for section, rows in by_section.items()} == {
        "programme": 1,
        "period": 1,
        "cap": 3,
        "share": 2,
        "captured": 3,
        "grant": 2,
        "expiring": 3,
    }
    assert by_section["programme"][0]["budget"] == "3000000"
    assert by_section["period"][0]["captured"] == "170400"
    assert by_section["cap"][1]["claimed"] == "200700"
    assert [row["captured"] for row in by_section["share"]] == ["113600", "56800"]
    assert by_section["expiring"][0]["days"] == "30"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "\t=1"])
def test_a_name_is_never_a_formula(autumn: Any, name: str) -> None:
    document = autumn.room.funder_report(AUDITOR, "city", "2026-11", "2026-11")
    document["programmes"][0]["name"] = name
    assert read(funder_csv(document))[0]["name"] == f"'{name}"


def test_figures_below_zero_stay_figures(autumn: Any) -> None:
    found = read(statement_csv(autumn.statement("acme", "2026-11")))
    assert found[7]["copay"] == "-10000"


def test_a_long_export_comes_in_pieces_with_one_header() -> None:
    row: dict[str, str | None] = dict.fromkeys(columns("1.3"), "x" * 20)
    pieces = list(focus_csv("1.3", (dict(row) for _ in range(500))))
    assert len(pieces) > 3
    found = read("".join(pieces))
    assert len(found) == 500
    assert all(line == row for line in found)


def test_null_is_an_empty_field_and_a_comma_is_quoted() -> None:
    row: dict[str, str | None] = dict.fromkeys(columns("1.2"))
    (text,) = focus_csv("1.2", [row | {"ResourceName": 'a,"b"\nc'}])
    (found,) = read(text)
    assert found.pop("ResourceName") == 'a,"b"\nc'
    assert set(found.values()) == {""}
