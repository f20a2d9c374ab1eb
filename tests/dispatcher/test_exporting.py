"""FOCUS exports over a real store: the rows of a month, their metadata, and who may have them."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dispatcher import exporting
from dispatcher.exporting import known_version
from dispatcher.model import Caller, Refusal
from ledger.focus_columns import VERSIONS, columns
from store.database import Database

AUDITOR = Caller("au", None, "auditor", "t")
ANN = Caller("acme-ann", "acme", "member", "t")
EVE = Caller("zeta-eve", "zeta", "member", "t")


@pytest.fixture
def autumn(bookstory: Any, database: Database, tmp_path: Path) -> Any:
    return bookstory.Books(bookstory.Story(database), tmp_path).live_through_autumn()


def export(books: Any, project_id: str, month: str, version: str = "1.3", caller: Caller = AUDITOR) -> list[Any]:
    found = books.room.focus(caller, project_id, month, version)
    assert not isinstance(found, Refusal), found
    with found:
        return list(csv.DictReader(io.TextIOWrapper(found, "utf-8")))


def test_a_month_of_acme_by_job(autumn: Any) -> None:
    found = export(autumn, "acme", "2026-11")
    costs: dict[str, Decimal] = {}
    for row in found:
        costs[row["ResourceId"]] = costs.get(row["ResourceId"], Decimal()) + Decimal(row["BilledCost"])
    assert {job: str(cost) for job, cost in costs.items()} == {
        "a": "-0.010000",
        "b": "0.040400",
        "c": "0.002400",
        "d": "0.080400",
    }
    assert {row["ResourceId"] for row in found if row["ChargeClass"] == "Correction"} == {"a"}


def test_the_export_and_the_statement_tell_the_same_money(autumn: Any) -> None:
    for month in ("2026-10", "2026-11", "2026-12"):
        statement = autumn.statement("acme", month)
        paid = {line["payer"]: line["settled"] - line["corrected"] for line in statement["lines"]}
        found = export(autumn, "acme", month)
        billed = sum(Decimal(row["BilledCost"]) for row in found)
        subsidy = sum(Decimal(row["BilledCost"]) for row in found if row["x_GrantId"] == "g-acme")
        assert billed * 1_000_000 == paid["wallet"]
        assert -subsidy * 1_000_000 == paid["g-acme"]


def test_every_name_is_told(autumn: Any) -> None:
    subsidy = next(row for row in export(autumn, "acme", "2026-11") if row["x_FunderId"] == "district")
    assert subsidy["x_FunderName"] == "The District"
    assert subsidy["x_ProgrammeName"] == "Vouchers 2026"
    assert subsidy["InvoiceIssuerName"] == "Zone 1"
    assert {row["SubAccountName"] for row in export(autumn, "acme", "2026-11")} == {"Ann", "Bob"}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_month_has_its_header(autumn: Any, version: Any) -> None:
    with autumn.room.focus(AUDITOR, "acme", "2026-09", version) as file:
        assert file.read().decode() == ",".join(columns(version)) + "\n"


def test_a_large_export_goes_to_the_disk_and_is_the_same(autumn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = export(autumn, "acme", "2026-11")
    monkeypatch.setattr(exporting, "IN_MEMORY_BYTES", 10)
    assert export(autumn, "acme", "2026-11") == before


def test_a_file_that_fails_half_way_is_not_left_open(autumn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        yield "BilledCost\n"
        raise RuntimeError("the disk is full")

    opened: list[Any] = []
    make = exporting.tempfile.SpooledTemporaryFile
    monkeypatch.setattr(
        exporting.tempfile, "SpooledTemporaryFile", lambda **told: opened.append(make(**told)) or opened[-1]
    )
    monkeypatch.setattr(exporting, "focus_csv", fail)
    with pytest.raises(RuntimeError, match="disk"):
        autumn.room.focus(AUDITOR, "acme", "2026-11", "1.3")
    assert opened[0].closed


def test_metadata_says_whether_the_month_is_closed(autumn: Any) -> None:
    for month, complete in (("2026-10", True), ("2026-11", False)):
        found = autumn.room.focus_metadata(ANN, "acme", month, "1.3")
        assert found["Recency"][0]["TimeSectors"][0]["TimeSectorComplete"] is complete
    assert "Recency" not in autumn.room.focus_metadata(ANN, "acme", "2026-10", "1.2")


def test_a_member_has_the_own_project_only(autumn: Any) -> None:
    assert export(autumn, "acme", "2026-11", caller=ANN) == export(autumn, "acme", "2026-11")
    for call in (autumn.room.focus, autumn.room.focus_metadata):
        for caller, project_id, month, version, said in (
            (EVE, "acme", "2026-11", "1.3", "not_found"),
            (AUDITOR, "nobody", "2026-11", "1.3", "not_found"),
            (ANN, "acme", "2027-01", "1.3", "invalid_request"),
            (ANN, "acme", "2026-11", "1.1", "invalid_request"),
        ):
            refused = call(caller, project_id, month, version)
            assert isinstance(refused, Refusal)
            assert refused.code == said


def test_the_refusal_of_a_version_names_those_there_are() -> None:
    refused = known_version("2.0")
    assert isinstance(refused, Refusal)
    assert refused.detail == "FOCUS is written in the versions 1.2 and 1.3, not in '2.0'."
    assert [known_version(version) for version in VERSIONS] == ["1.2", "1.3"]
