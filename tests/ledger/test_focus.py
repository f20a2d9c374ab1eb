"""FOCUS rows of an autumn: figures by hand, and every rule of the specification's column pages that concerns them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.charges import Charged, History, charged
from ledger.focus import Frame, Row, decimal, instant, metadata, rows
from ledger.focus_columns import VERSIONS, FocusVersion, columns
from ledger.hold_text import Backing, backing_text

SPECIFICATION = json.loads(Path(__file__).with_name("focus_columns.json").read_text())
SPECIFIED: dict[str, dict[str, Any]] = SPECIFICATION["columns"]
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DECIMAL = re.compile(r"-?\d+\.\d{6}")
UNIT = re.compile(r"(\d+ )?(Jobs|Milliseconds|Shots|MiB-Hours)")


@pytest.fixture(scope="module")
def story(bookstory: Any) -> Any:
    return bookstory.Story.autumn()


@pytest.fixture(scope="module")
def frame(story: Any, bookstory: Any) -> Frame:
    month, zone = bookstory.NOVEMBER, bookstory.ZONE
    names = {**bookstory.FUNDERS, "acme-ann": "Ann", "acme-bob": "Bob", "vouchers": "Vouchers 2026"}
    return Frame(
        "Zone 1", "acme", "Acme", "CNY", month.from_us(zone), month.until_us(zone), dict(story.book.grants), names
    )


@pytest.fixture(scope="module")
def november(story: Any, bookstory: Any) -> list[Charged]:
    """Acme's month: a is corrected, which October was charged for; b is settled and corrected; c; d."""
    found = []
    for job_id in "abcd":
        hold = story.book.holds[job_id]
        own = [entry for entry in story.entries if entry.job_id == job_id and entry.kind in ("settle", "correct")]
        inside = frozenset(entry.id for entry in own if entry.id != "settle/a")
        backing = backing_text(Backing(hold.asset, hold.lines, hold.slices, hold.cuts))
        found.append(History(story.facts[job_id], backing, tuple(own), inside))
    return list(charged(found))


def of_job(found: Sequence[Row], job_id: str) -> list[tuple[str | None, ...]]:
    names = ("ChargeCategory", "ChargeClass", "SkuId", "x_FunderId", "PricingQuantity", "BilledCost")
    return [tuple(row[name] for name in names) for row in found if row["ResourceId"] == job_id]


def test_a_job_at_list_price_and_each_funder_as_a_negative_credit(frame: Frame, november: list[Charged]) -> None:
    found = list(rows("1.3", frame, november))
    assert of_job(found, "c") == [
        ("Usage", None, "job", None, "1.000000", "0.001000"),
        ("Usage", None, "qpu_ms", None, "10.000000", "0.005000"),
        ("Credit", None, None, "city", None, "-0.002400"),
        ("Credit", None, None, "district", None, "-0.001200"),
    ]


def test_what_exceeded_the_hold_is_a_credit_of_the_facility(frame: Frame, november: list[Charged]) -> None:
    assert of_job(list(rows("1.3", frame, november)), "d") == [
        ("Usage", None, "job", None, "1.000000", "0.001000"),
        ("Usage", None, "qpu_ms", None, "500.000000", "0.250000"),
        ("Credit", None, None, "city", None, "-0.080400"),
        ("Credit", None, None, "district", None, "-0.040200"),
        ("Credit", None, None, "facility", None, "-0.050000"),
    ]


def test_a_correction_of_an_earlier_month_is_marked_and_gives_back(frame: Frame, november: list[Charged]) -> None:
    found = [row for row in rows("1.3", frame, november) if row["ResourceId"] == "a"]
    assert of_job(found, "a") == [
        ("Usage", "Correction", "qpu_ms", None, "-50.000000", "-0.025000"),
        ("Credit", "Correction", None, "city", None, "0.010000"),
        ("Credit", "Correction", None, "district", None, "0.005000"),
    ]
    assert {row["x_CorrectionReason"] for row in found} == {"the meter ran on"}
    assert {row["x_EntryIds"] for row in found} == {"correct/fix-a"}


def test_a_correction_within_the_month_shows_the_corrected_use_and_says_why(
    frame: Frame, november: list[Charged]
) -> None:
    found = [row for row in rows("1.3", frame, november) if row["ResourceId"] == "b"]
    assert of_job(found, "b")[1] == ("Usage", None, "qpu_ms", None, "200.000000", "0.100000")
    assert {(row["x_CorrectionReason"], row["x_EntryIds"]) for row in found} == {
        ("slow cooling", "settle/b correct/fix-b")
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_the_costs_of_a_job_sum_to_its_copay(
    version: FocusVersion, frame: Frame, story: Any, november: list[Charged]
) -> None:
    sums: dict[str | None, dict[str, Decimal]] = {}
    for row in rows(version, frame, november):
        costs = sums.setdefault(row["ResourceId"], {"BilledCost": Decimal(), "EffectiveCost": Decimal()})
        for name in costs:
            costs[name] += Decimal(row[name] or "")
    copays = {"a": "-0.010000", "b": "0.040400", "c": "0.002400", "d": "0.080400"}
    assert sums == {job: {"BilledCost": Decimal(c), "EffectiveCost": Decimal(c)} for job, c in copays.items()}
    assert copays == {charge.job.job_id: decimal(charge.copay(story.book.grants)) for charge in november}


def broken_rules(found: Sequence[Row], version: FocusVersion) -> Iterator[str]:
    """Every rule of the specification that a row breaks."""
    for row in found:
        for name, column in SPECIFIED.items():
            if name not in row:
                continue
            value = row[name]
            if value is None:
                if not column["nulls"]:
                    yield f"{name} is null"
                continue
            yield from broken_type(name, value, column)
        for rule in SPECIFICATION["conditions"]:
            applies = all(row.get(name) in values for name, values in rule["when"].items())
            is_null = row.get(rule["column"]) is None
            if applies and is_null != (rule["must"] == "be null"):
                yield f"{rule['column']} must {rule['must']} when {rule['when']}"
        yield from broken_sums(row)


def broken_type(name: str, value: str, column: dict[str, Any]) -> Iterator[str]:
    forms = {"Decimal": DECIMAL, "Date/Time": DATE_TIME}
    if column["type"] in forms and not forms[column["type"]].fullmatch(value):
        yield f"{name} is {value!r}, no {column['type']}"
    elif column["type"] == "JSON" and not isinstance(json.loads(value), dict):
        yield f"{name} is no JSON object"
    if value not in column.get("values", [value]):
        yield f"{name} is {value!r}, none of the allowed values"
    if column.get("minimum") == 0 and Decimal(value) < 0:
        yield f"{name} is negative"
    if column.get("format") == "Currency" and not re.fullmatch("[A-Z]{3}", value):
        yield f"{name} is {value!r}, no currency"
    if column.get("format") == "Unit" and not UNIT.fullmatch(value):
        yield f"{name} is {value!r}, no unit"
    if value == "":
        yield f"{name} is empty instead of null"


def broken_sums(row: Row) -> Iterator[str]:
    figures = {name: Decimal(value) for name, value in row.items() if value is not None and DECIMAL.fullmatch(value)}
    for price, cost in (("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")):
        if price in figures:
            if figures[price] * figures["PricingQuantity"] != figures[cost]:
                yield f"{price} x PricingQuantity is not {cost}"
        elif figures[cost] != figures["BilledCost"]:
            yield f"{cost} of a charge without unit price differs from BilledCost"
    if row["ChargeCategory"] == "Credit" and figures["EffectiveCost"] != figures["BilledCost"]:
        yield "EffectiveCost of a credit differs from BilledCost"
    for start, end in (("ChargePeriodStart", "ChargePeriodEnd"), ("BillingPeriodStart", "BillingPeriodEnd")):
        if (row[start] or "") >= (row[end] or ""):
            yield f"{start} is not before {end}"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_rule_of_the_specification_holds(version: FocusVersion, frame: Frame, november: list[Charged]) -> None:
    found = list(rows(version, frame, november))
    assert len(found) == 16
    assert {tuple(row) for row in found} == {tuple(columns(version))}
    assert list(broken_rules(found, version)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"BilledCost": None}, "BilledCost is null"),
        ({"ChargeCategory": "Subsidy"}, "ChargeCategory is 'Subsidy', none of the allowed values"),
        ({"ChargeClass": "correction"}, "ChargeClass is 'correction', none of the allowed values"),
        ({"ListUnitPrice": "-0.001000"}, "ListUnitPrice is negative"),
        ({"PricingQuantity": "2.000000"}, "ListUnitPrice x PricingQuantity is not ListCost"),
        ({"ChargePeriodStart": "2026-11-01 10:00"}, "ChargePeriodStart is '2026-11-01 10:00', no Date/Time"),
        ({"ConsumedQuantity": None}, "ConsumedQuantity must not be null"),
        ({"SkuPriceId": None}, "SkuPriceId must not be null"),
        ({"PricingUnit": "ms"}, "PricingUnit is 'ms', no unit"),
        ({"BillingCurrency": "yuan"}, "BillingCurrency is 'yuan', no currency"),
        ({"ResourceName": ""}, "ResourceName is empty instead of null"),
    ],
)
def test_a_broken_rule_would_be_found(
    change: dict[str, str | None], said: str, frame: Frame, november: list[Charged]
) -> None:
    row = next(iter(rows("1.3", frame, november[2:])))
    found = list(broken_rules([row | change], "1.3"))
    assert any(each.startswith(said) for each in found), found


def test_who_bills_whom_for_which_month_by_the_clocks_of_the_facility(frame: Frame, november: list[Charged]) -> None:
    row = next(iter(rows("1.3", frame, november[2:])))
    told = {
        "BillingAccountId": "acme",
        "BillingAccountName": "Acme",
        "BillingCurrency": "CNY",
        "BillingPeriodStart": "2026-10-31T16:00:00Z",
        "BillingPeriodEnd": "2026-11-30T16:00:00Z",
        "ChargePeriodStart": "2026-10-31T15:40:00Z",
        "ChargePeriodEnd": "2026-10-31T15:50:00Z",
        "ServiceProviderName": "Zone 1",
        "HostProviderName": "Zone 1",
        "ServiceCategory": "Compute",
        "ServiceSubcategory": "Quantum Compute",
        "SubAccountId": "acme-bob",
        "SubAccountName": "Bob",
        "ResourceName": "job c",
        "x_JobCategory": "general",
        "Tags": '{"qubator/backend":"aer","qubator/category":"general","tagged":true}',
    }
    assert {name: row[name] for name in told} == told


def test_only_1_3_knows_service_and_host_provider(frame: Frame, november: list[Charged]) -> None:
    older = next(iter(rows("1.2", frame, november)))
    assert "ServiceProviderName" not in older
    assert older["ProviderName"] == older["PublisherName"] == "Zone 1"


def test_quanta_are_priced_and_what_was_metered_is_consumed(frame: Frame, november: list[Charged]) -> None:
    charge = november[2]
    line = replace(charge.after.lines[1], resource="shots", quantity=101, quantum=10, unit_price=1)
    job = replace(charge.job, used=(("shots", 1_001),))
    row = next(iter(rows("1.3", frame, [replace(charge, job=job, after=replace(charge.after, lines=(line,)))])))
    names = ("PricingQuantity", "PricingUnit", "ConsumedQuantity", "ConsumedUnit", "ListUnitPrice", "ListCost")
    assert [row[name] for name in names] == [
        "101.000000", "10 Shots", "1001.000000", "Shots", "0.000001", "0.000101",
    ]  # fmt: skip


@given(st.integers(-(10**18), 10**18))
def test_micro_units_are_told_as_decimals_without_loss(micro: int) -> None:
    assert DECIMAL.fullmatch(decimal(micro))
    assert Decimal(decimal(micro)) * 1_000_000 == micro


def test_instants_are_told_in_utc_by_whole_seconds() -> None:
    assert instant(1_793_462_400_999_999) == "2026-10-31T16:00:00Z"


def test_metadata_of_1_2_names_generator_and_columns(frame: Frame) -> None:
    found = metadata("1.2", frame, "0.1.0", frame.until_us, True)
    assert found["DataGenerator"] == {"DataGenerator": "Zone 1"}
    assert found["Schema"]["FocusVersion"] == "1.2"
    assert [each["ColumnName"] for each in found["Schema"]["ColumnDefinition"]] == list(columns("1.2"))
    assert set(found) == {"DataGenerator", "Schema"}


def test_metadata_of_1_3_tells_the_instance_and_how_fresh_it_is(frame: Frame) -> None:
    found = metadata("1.3", frame, "0.1.0", frame.until_us, False)
    (instance,), (recency,), (schema,) = found["DatasetInstance"], found["Recency"], found["Schema"]
    assert instance["FocusDatasetId"] == "CostAndUsage"
    assert instance["DatasetInstanceId"] == recency["DatasetInstanceId"] == schema["DatasetInstanceId"]
    assert recency["TimeSectors"] == [
        {
            "TimeSectorStart": "2026-10-31T16:00:00Z",
            "TimeSectorEnd": "2026-11-30T16:00:00Z",
            "TimeSectorComplete": False,
            "TimeSectorLastUpdated": "2026-11-30T16:00:00Z",
        }
    ]
    definitions = {each["ColumnName"]: each for each in schema["ColumnDefinition"]}
    assert definitions["ProviderName"]["Deprecated"] is True
    assert definitions["BilledCost"] == {
        "ColumnName": "BilledCost", "DataType": "Decimal", "NumericPrecision": 25, "NumberScale": 6,
    }  # fmt: skip
    assert definitions["Tags"]["ProviderTagPrefixes"] == ["qubator/"]
