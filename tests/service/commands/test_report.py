"""`qubatord report`: what a person, a spreadsheet and a FinOps tool get."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from ledger.focus_columns import columns
from store.database import open_database

pytestmark = pytest.mark.usefixtures("facility")


@pytest.fixture
def october(shell: Any, bookstory: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The books of an October in the facility's database."""
    monkeypatch.setenv("QUBATOR_TIME_ZONE", "Asia/Shanghai")
    monkeypatch.setenv("QUBATOR_FACILITY_NAME", "Zone 1")
    database = open_database(f"sqlite:///{shell.folder / 'qubator-data' / 'qubator.sqlite3'}")
    bookstory.Story(database).october()
    database.close()
    return shell


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_person_reads_the_statement_in_80_columns(october: Any, narrow: Any) -> None:
    said = october("report", "statement", "acme", "2026-10").stdout
    narrow(said)
    assert said.startswith("2026-10 to 2026-10 (Asia/Shanghai), open\n")
    assert "0.969100 CNY" in said
    assert "wallet" in said


def test_the_statement_as_json_and_as_csv(october: Any) -> None:
    found = october.json("report", "statement", "acme", "2026-10")
    (first, *_) = found["lines"]
    assert (first["payer"], first["closing"]) == ("g-acme", 969_100)
    table = rows(october("report", "statement", "acme", "2026-10", "--csv").stdout)
    assert (table[0]["payer"], table[0]["closing"]) == ("g-acme", "969100")


def test_a_project_in_which_nothing_moved_says_so(october: Any) -> None:
    assert "no grant and no wallet stood or moved" in october("report", "statement", "zeta", "2026-10").stdout


def test_the_report_to_a_funder(october: Any, narrow: Any) -> None:
    asked = ("report", "funder", "city", "--from", "2026-10", "--to", "2026-10")
    said = october(*asked).stdout
    narrow(said)
    assert "3.000000 CNY" in said
    assert "expiring in 60 days: 0.727900 CNY of 1 grants" in said
    assert [share["captured"] for share in october.json(*asked)["shares"]] == [20_600, 10_300]
    table = rows(october(*asked, "--csv").stdout)
    assert [row["captured"] for row in table if row["section"] == "share"] == ["20600", "10300"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_an_export_to_standard_output_or_into_a_file(october: Any, version: Any) -> None:
    asked = ("report", "focus", "acme", "2026-10", "--version", version)
    said = october(*asked).stdout
    found = rows(said)
    assert list(found[0]) == list(columns(version))
    assert [row["BilledCost"] for row in found] == ["0.001000", "0.050500", "-0.020600", "-0.010300"]
    assert {row["InvoiceIssuerName"] for row in found} == {"Zone 1"}
    file = october.folder / "october.csv"
    assert october(*asked, "--output", file).stdout == ""
    assert file.read_text() == said


def test_the_metadata_of_an_export(october: Any) -> None:
    asked = ("report", "focus", "acme", "2026-10", "--metadata")
    said = october(*asked).stdout
    assert json.loads(said)["DataGenerator"] == {"DataGenerator": "Zone 1"}
    file = october.folder / "metadata.json"
    october(*asked, "--output", file)
    assert json.loads(file.read_text())["Schema"][0]["FocusVersion"] == "1.3"


def test_what_cannot_be_reported_is_said_in_a_sentence(october: Any) -> None:
    assert "[not_found]" in october("report", "statement", "nobody", "2026-10", code=1).stderr
    assert "[invalid_request]" in october("report", "statement", "acme", "2026-13", code=1).stderr
    assert "[not_found]" in october("report", "funder", "x", "--from", "2026-10", "--to", "2026-10", code=1).stderr
    assert "[invalid_request]" in october("report", "focus", "acme", "9000-01", code=1).stderr
