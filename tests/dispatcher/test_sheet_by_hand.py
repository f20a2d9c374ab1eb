"""One stream of jobs, worked out by hand: the statement, the reports to funders and the FOCUS export say the same.

Three funders: the state gives 5 ms of QPU time in kind; the city pays 30 %, at most ¥0.001 for a project and year; the
district tops up to the whole price for startups in their first twelve months, until midnight. The rest is the
startup's own. A job uses 3 ms and 1,000 shots; it costs 1,000 for itself, 500 a ms (700 from the evening on), and 100
for the shots, in micro-yuan.

| job | what happens                 | price | state       | city              | district | wallet |
|-----|------------------------------|------:|-------------|-------------------|---------:|-------:|
| 1   |                              | 2,600 | 3 ms: 1,500 | 300 + 30: 330     |      770 |        |
| 2   | the state's last 2 ms        | 2,600 | 2 ms: 1,000 | 300 + 150 + 30: 480 |  1,120 |        |
| 3   | the city's cap leaves 190    | 2,600 |             | 190               |    2,410 |        |
| 4   | nothing left under the cap   | 2,600 |             | 0                 |    2,600 |        |
| 5   | a platform fault             |     0 |             |                   |          |        |
| 6   | after the rate change        | 3,200 |             |                   |    3,200 |        |
| 7   | ends after the grant expired | 3,200 |             |                   |    3,200 |        |
| 8   | after midnight               | 3,200 |             |                   |          |  3,200 |
| sum |                              | 20,000 | 2,500      | 1,000             |   13,300 |  3,200 |

In February job 6 is corrected to 1 ms: 1,800 instead of 3,200, and the district gets 1,400 back.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model import Caller, Refusal
from ledger.invariants import audit
from ledger.receipt import replay
from ledger.terms import Rule
from store import book as book_store

YUAN = 1_000_000
SECOND = Caller("mem-second", None, "operator", "tok-second")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


class Sheet:
    """The stream, told to a zone whose clock is set by hand."""

    def __init__(self, zone: Any) -> None:
        self.zone = zone
        zone.clock.at_us = at("2027-01-15T12:00")
        zone.lead()
        state = zone.programme("hours", ("state", 1), asset="qpu_ms", budget=5)
        city = zone.programme("city vouchers", ("city", 1), share_ppm=300_000, cap_project_year=1_000)
        district = zone.programme("first year", ("district", 1))
        zone.terms(district, Rule(1_000_000, age_months_max=12))
        self.ann = zone.startup(grant=None)
        self.project = self.ann.project_id
        zone.describe(self.project, founded_us=at("2026-07-01T00:00"))
        self.grants = {
            "state": zone.grant(self.project, 5, programme_id=state, asset="qpu_ms", until_us=at("2028-01-01T00:00")),
            "city": zone.grant(self.project, YUAN, programme_id=city, until_us=at("2028-01-01T00:00")),
            "district": zone.grant(
                self.project, YUAN, programme_id=district, until_us=at("2027-01-16T00:00"), priority=1
            ),
        }
        zone.top_up(self.project, YUAN)
        self.jobs = [zone.run(self.ann) for _ in range(4)]
        self.jobs.append(self._broken())
        zone.clock.at_us = at("2027-01-15T20:00")
        zone.rate("qpu_ms", 700)
        self.jobs.append(zone.run(self.ann))
        self.jobs.append(self._over_midnight())
        self.jobs.append(zone.run(self.ann))

    def _broken(self) -> Any:
        job = self.zone.submit(self.ann)
        for wait_s in (0, 1, 2):
            self.zone.clock.pass_(wait_s)
            (order,) = self.zone.turn()
            self.zone.started(order)
            self.zone.failed(order, "fault", used_us=9_000)
            self.zone.turn()
        return self.zone.job(job)

    def _over_midnight(self) -> Any:
        zone = self.zone
        zone.clock.at_us = at("2027-01-15T23:59")
        job = zone.submit(self.ann)
        (order,) = zone.turn()
        zone.started(order)
        zone.turn()
        zone.clock.at_us = at("2027-01-16T00:01")
        assert zone.dispatcher._housekeeping.expire_grants(zone.clock.now_us()) == 1
        zone.succeeded(order)
        zone.turn()
        return zone.job(job)

    def correct(self) -> None:
        """In February, after January has been closed."""
        zone = self.zone
        zone.clock.at_us = at("2027-02-02T09:00")
        close = zone.room.close_month(zone.operator, "2027-01")
        assert not isinstance(close, Refusal), close
        usage = {"qpu_ms": 1, "shots": 1_000}
        asked = zone.room.ask(zone.operator, "correct", self.jobs[5].id, {"usage": usage}, "two ms were the clock's")
        assert not isinstance(asked, Refusal), asked
        done = zone.room.decide_request(SECOND, asked.id, True)
        assert not isinstance(done, Refusal), done

    def paid(self, month: str) -> dict[str, tuple[int, int]]:
        """(settled, corrected) by payer."""
        told = self.zone.room.month_statement(self.ann, self.project, month)
        assert not isinstance(told, Refusal), told
        names = {grant_id: name for name, grant_id in self.grants.items()}
        return {names.get(line["payer"], line["payer"]): (line["settled"], line["corrected"]) for line in told["lines"]}

    def focus(self, month: str, version: str = "1.3") -> list[dict[str, str]]:
        found = self.zone.room.focus(self.zone.auditor, self.project, month, version)
        assert not isinstance(found, Refusal), found
        with found:
            return list(csv.DictReader(io.TextIOWrapper(found, "utf-8")))

    def captured(self, funder: str, month: str) -> int:
        funder_id = self.zone.funder(funder)
        told = self.zone.room.funder_report(self.zone.auditor, funder_id, month, month)
        assert not isinstance(told, Refusal), told
        return sum(share["captured"] for share in told["shares"] if share["funder_id"] == funder_id)


@pytest.fixture
def sheet(everywhere: Any) -> Sheet:
    return Sheet(everywhere)


def test_each_receipt_is_a_row_of_the_sheet(sheet: Sheet) -> None:
    names = {grant_id: name for name, grant_id in sheet.grants.items()} | {"wallet": "wallet"}
    rows = []
    for job in sheet.jobs:
        receipt = job.receipt
        worth = {names[payer["payer"]]: payer["worth"] for payer in receipt["payers"] if payer["worth"]}
        rows.append((receipt["price"], worth))
        again = replay(receipt)
        assert (again["price"], again["charged"]) == (receipt["price"], receipt["charged"])
        assert again["captured"] == [part["captured"] for part in receipt["slices"]]
    assert rows == [
        (2_600, {"state": 1_500, "city": 330, "district": 770}),
        (2_600, {"state": 1_000, "city": 480, "district": 1_120}),
        (2_600, {"city": 190, "district": 2_410}),
        (2_600, {"district": 2_600}),
        (0, {}),
        (3_200, {"district": 3_200}),
        (3_200, {"district": 3_200}),
        (3_200, {"wallet": 3_200}),
    ]
    assert sheet.zone.violations() == []


def test_the_statement_of_the_month_and_of_the_one_of_the_correction(sheet: Sheet) -> None:
    january = {"state": (5, 0), "city": (1_000, 0), "district": (13_300, 0), "wallet": (3_200, 0)}
    assert sheet.paid("2027-01") == january
    sheet.correct()
    assert sheet.paid("2027-01") == january, "a closed month stays as it is"
    february = sheet.paid("2027-02")
    assert {payer: figures for payer, figures in february.items() if any(figures)} == {"district": (0, 1_400)}
    told = sheet.zone.room.month_statement(sheet.ann, sheet.project, "2027-02")
    (line,) = [line for line in told["lines"] if line["payer"] == sheet.grants["district"]]
    assert (line["opening"], line["expired"], line["closing"]) == (0, 1_400, 0), "what comes back too late is breakage"


def test_the_reports_to_the_funders(sheet: Sheet) -> None:
    assert {name: sheet.captured(name, "2027-01") for name in sheet.grants} == {
        "state": 5,
        "city": 1_000,
        "district": 13_300,
    }
    sheet.correct()
    assert sheet.captured("district", "2027-01") == 13_300
    assert sheet.captured("district", "2027-02") == -1_400


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_export(sheet: Sheet, version: str) -> None:
    sheet.correct()
    billed: Counter[str] = Counter()
    for row in sheet.focus("2027-01", version):
        amount = int(Decimal(row["BilledCost"]) * YUAN)
        billed[row["ChargeCategory"] if not row["x_FunderId"] else row["x_FunderName"]] += amount
    assert billed == {"Usage": 20_000, "state": -2_500, "city": -1_000, "district": -13_300}
    february = sheet.focus("2027-02", version)
    assert {row["ChargeClass"] for row in february} == {"Correction"}
    by_kind: Counter[str] = Counter()
    for row in february:
        by_kind[row["ChargeCategory"]] += int(Decimal(row["BilledCost"]) * YUAN)
    assert by_kind == {"Usage": -1_400, "Credit": 1_400}


def test_the_books_follow_from_their_history(sheet: Sheet) -> None:
    sheet.correct()
    assert sheet.zone.violations() == []
    with sheet.zone.database.read() as conn:
        assert audit(book_store.all_entries(conn), book_store.whole_book(conn)) == []
    balance = sheet.zone.room.balance(sheet.ann, sheet.project)
    assert balance["wallet"] == {"available": YUAN - 3_200, "held": 0}
    assert (balance["settled"], balance["in_kind"]["qpu_ms"]["settled"]) == (1_000 + 13_300 - 1_400, 5)
