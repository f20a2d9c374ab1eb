"""Charges as rows of FOCUS, the FinOps Open Cost and Usage Specification, versions 1.2 and 1.3.

A job has one row of usage at list price per priced line, and one negative credit per grant and funder that bore a part
of it, one more for what the facility bore: its costs sum to the project's co-pay. What a correction changed of a job
of an earlier month has rows of its own in the later month, of the charge class "Correction"; within one month the rows
tell the corrected use, as FOCUS wants it, and `x_CorrectionReason` why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.charges import FACILITY, Charged, Credit
from ledger.focus_columns import DEPRECATED_SINCE_1_3, FocusVersion, columns
from ledger.model import MICRO, Grant, Line, Resource
from ledger.price import TITLES

Row = dict[str, str | None]
SECOND_US = 1_000_000
_UNITS: dict[Resource, str] = {
    "job": "Jobs",
    "qpu_ms": "Milliseconds",
    "shots": "Shots",
    "cpu_ms": "Milliseconds",
    "gpu_ms": "Milliseconds",
    "storage_mib_h": "MiB-Hours",
}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Frame:
    """What all rows of an export share: who bills, whom, in which money, for which period; and names for ids."""

    facility: str
    project_id: str
    project_name: str
    asset: str
    from_us: int
    until_us: int
    grants: Mapping[str, Grant]
    names: Mapping[str, str]
    """Names of members, funders and programmes, by id."""


def rows(version: FocusVersion, frame: Frame, charges: Iterable[Charged]) -> Iterator[Row]:
    """The rows of an export, each with all its columns in order; None is null."""
    names = tuple(columns(version))
    for charge in charges:
        shared = _shared(version, frame, charge)
        for line, quantity in charge.quantities():
            full = {**shared, **_usage(charge, line, quantity)}
            yield {name: full.get(name) for name in names}
        for credit in charge.credits(frame.grants):
            full = {**shared, **_credit(frame, charge, credit)}
            yield {name: full.get(name) for name in names}


def decimal(micro: int) -> str:
    """Micro-units, or millionths, as a decimal number."""
    whole, part = divmod(abs(micro), MICRO)
    return f"{'-' if micro < 0 else ''}{whole}.{part:06d}"


def instant(at_us: int) -> str:
    """An instant in UTC, by whole seconds."""
    return datetime.fromtimestamp(at_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shared(version: FocusVersion, frame: Frame, charge: Charged) -> Row:
    job = charge.job
    start_us = (charge.at_us if job.started_us is None else job.started_us) // SECOND_US * SECOND_US
    end_us = charge.at_us if job.ended_us is None else job.ended_us
    full: Row = {
        "BillingAccountId": frame.project_id,
        "BillingAccountName": frame.project_name,
        "BillingCurrency": frame.asset,
        "BillingPeriodStart": instant(frame.from_us),
        "BillingPeriodEnd": instant(frame.until_us),
        # Ends are exclusive, and a period is never empty.
        "ChargePeriodStart": instant(start_us),
        "ChargePeriodEnd": instant(max(-(-end_us // SECOND_US) * SECOND_US, start_us + SECOND_US)),
        "ChargeClass": "Correction" if charge.is_correction else None,
        "ChargeFrequency": "One-Time" if charge.is_correction else "Usage-Based",
        "InvoiceIssuerName": frame.facility,
        "ProviderName": frame.facility,
        "PublisherName": frame.facility,
        "ResourceId": job.job_id,
        "ResourceName": job.name,
        "ResourceType": "Quantum Job",
        "ServiceCategory": "Compute",
        "ServiceName": "Quantum jobs",
        "ServiceSubcategory": "Quantum Compute",
        "SubAccountId": job.member_id or None,
        "SubAccountName": frame.names.get(job.member_id),
        "Tags": _tags(charge),
        "x_CorrectionReason": charge.after.reason or None,
        "x_EntryIds": " ".join(charge.entries),
        "x_JobCategory": job.category or None,
    }
    if version != "1.2":
        full |= {"ServiceProviderName": frame.facility, "HostProviderName": frame.facility}
    return full


def _usage(charge: Charged, line: Line, quantity: int) -> Row:
    cost, price = decimal(quantity * line.unit_price), decimal(line.unit_price)
    unit, title = _UNITS[line.resource], TITLES[line.resource]
    rate = line.rate or f"{line.resource}/{line.quantum}/{line.unit_price}"
    what = f"{title[0].upper()}{title[1:]} of job {charge.job.job_id}"
    return {
        "BilledCost": cost,
        "ChargeCategory": "Usage",
        "ChargeDescription": f"Correction: {what}" if charge.is_correction else what,
        "ConsumedQuantity": decimal(_consumed(charge, line, quantity) * MICRO),
        "ConsumedUnit": unit,
        "ContractedCost": cost,
        "ContractedUnitPrice": price,
        "EffectiveCost": cost,
        "ListCost": cost,
        "ListUnitPrice": price,
        "PricingCategory": "Standard",
        "PricingQuantity": decimal(quantity * MICRO),
        "PricingUnit": unit if line.quantum == 1 else f"{line.quantum} {unit}",
        "SkuId": line.resource,
        "SkuMeter": title,
        "SkuPriceDetails": _encode({"x_Quantum": line.quantum}),
        "SkuPriceId": rate,
    }


def _consumed(charge: Charged, line: Line, quantity: int) -> int:
    """What was metered; of what was corrected only the quanta are known."""
    quanta = quantity * line.quantum
    if charge.is_correction or charge.after.reason or line.resource == "job":
        return quanta
    return min(dict(charge.job.used).get(line.resource, quanta), quanta)


def _credit(frame: Frame, charge: Charged, credit: Credit) -> Row:
    cost = decimal(-credit.amount)
    if credit.funder_id == FACILITY:
        what = f"Borne by the facility: job {charge.job.job_id} exceeded its hold"
        funder = frame.facility
    else:
        funder = frame.names.get(credit.funder_id, credit.funder_id)
        programme = frame.names.get(credit.programme_id, credit.programme_id)
        what = f"Subsidy of {funder}, {programme}, for job {charge.job.job_id}"
    return {
        "BilledCost": cost,
        "ChargeCategory": "Credit",
        "ChargeDescription": f"Correction: {what}" if charge.is_correction else what,
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "x_FunderId": credit.funder_id,
        "x_FunderName": funder,
        "x_GrantId": credit.grant_id or None,
        "x_ProgrammeId": credit.programme_id or None,
        "x_ProgrammeName": frame.names.get(credit.programme_id),
        "x_Rule": credit.rule or None,
    }


def _tags(charge: Charged) -> str:
    """Tags of jobs have no values; ours have the prefix "qubator/"."""
    tags: dict[str, Any] = dict.fromkeys(charge.job.tags, True)
    tags |= {"qubator/backend": charge.job.backend, "qubator/category": charge.job.category}
    return _encode({key: value for key, value in tags.items() if value})


def metadata(
    version: FocusVersion, frame: Frame, generator_version: str, updated_us: int, complete: bool
) -> dict[str, Any]:
    """What FOCUS wants to be told beside the rows: who made them, which columns there are, how fresh they are."""
    schema_id = f"qubator-focus-{version}-{generator_version}"
    schema: dict[str, Any] = {
        "SchemaId": schema_id,
        "FocusVersion": version,
        "CreationDate": instant(updated_us),
        "DataGeneratorVersion": generator_version,
        "ColumnDefinition": [_definition(version, name, kind) for name, kind in columns(version).items()],
    }
    generator = {"DataGenerator": frame.facility}
    if version == "1.2":
        return {"DataGenerator": generator, "Schema": schema}
    instance = f"{frame.project_id}/{instant(frame.from_us)}"
    sector = {
        "TimeSectorStart": instant(frame.from_us),
        "TimeSectorEnd": instant(frame.until_us),
        "TimeSectorComplete": complete,
        "TimeSectorLastUpdated": instant(updated_us),
    }
    recency = {
        "DatasetInstanceId": instance,
        "RecencyLastUpdated": instant(updated_us),
        "DatasetInstanceLastUpdated": instant(updated_us),
        "TimeSectors": [sector],
    }
    named = f"Cost and usage of {frame.project_name}"
    return {
        "DataGenerator": generator,
        "DatasetInstance": [
            {"DatasetInstanceId": instance, "DatasetInstanceName": named, "FocusDatasetId": "CostAndUsage"}
        ],
        "Recency": [recency],
        "Schema": [{**schema, "DatasetInstanceId": instance}],
    }


def _definition(version: FocusVersion, name: str, kind: str) -> dict[str, Any]:
    definition: dict[str, Any] = {"ColumnName": name, "DataType": kind}
    if kind == "Decimal":
        definition |= {"NumericPrecision": 25, "NumberScale": 6}
    if name == "Tags":
        definition["ProviderTagPrefixes"] = ["qubator/"]
    if version != "1.2" and name in DEPRECATED_SINCE_1_3:
        definition["Deprecated"] = True
    return definition
