"""Reports as CSV: one header, rows of several sections, empty where a section has no such column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ledger.focus import Row
from ledger.focus_columns import FocusVersion, columns
from ledger.month_statement import FIGURES

_STATEMENT = ("section", "payer", "asset", "programme_id", "member_id", "category", "backend", *FIGURES)
_CORRECTION = ("job_id", "entry_id", "at_us", "reason", "price", "copay")
_FUNDER = (
    "section",
    "programme_id",
    "name",
    "funder_id",
    "project_id",
    "category",
    "grant_id",
    "asset",
    "budget",
    "pledged",
    "granted",
    "remaining",
    "held",
    "available",
    "captured",
    "captured_by_all",
    "breakage",
    "valid_until_us",
    "limit",
    "year",
    "cap",
    "claimed",
    "days",
    "amount",
)
# What a spreadsheet would take for a formula is told as text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def statement_csv(document: Mapping[str, Any]) -> str:
    """A month's statement: a line per payer, the totals, the use, the corrections."""
    sections = (
        ("line", document["lines"]),
        ("total", [{"asset": asset, **sums} for asset, sums in document["totals"].items()]),
        ("usage", document["usage"]),
        ("correction", [{"asset": document["asset"], **each} for each in document["corrections"]]),
        ("facility", [{"asset": document["asset"], "settled": document["absorbed_by_facility"]}]),
    )
    return _table((*_STATEMENT, *_CORRECTION), sections)


def funder_csv(document: Mapping[str, Any]) -> str:
    """A funder's report: programmes, caps, shares of the funders, captures, grants, expiring amounts."""
    caps = [
        {"programme_id": each["programme_id"], "asset": each["asset"], **cap}
        for each in document["programmes"]
        for cap in each["caps"]
    ]
    sections = (
        ("programme", document["programmes"]),
        (
            "period",
            [{"programme_id": e["programme_id"], "asset": e["asset"], **e["period"]} for e in document["programmes"]],
        ),
        ("cap", caps),
        ("share", document["shares"]),
        ("captured", document["captured"]),
        ("grant", document["grants"]),
        ("expiring", document["expiring"]),
    )
    return _table(_FUNDER, sections)


def focus_csv(version: FocusVersion, rows: Iterable[Row]) -> Iterator[str]:
    """FOCUS rows, piece by piece; null is an empty field, as the specification wants it."""
    names = tuple(columns(version))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if value is None else value for name, value in row.items()})
        if text.tell() > 65_536:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _table(names: tuple[str, ...], sections: Iterable[tuple[str, Iterable[Mapping[str, Any]]]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for section, rows in sections:
        for row in rows:
            writer.writerow({"section": section, **{name: _plain(value) for name, value in row.items()}})
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
