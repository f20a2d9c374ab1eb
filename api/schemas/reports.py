"""Reports by month: statements of projects, reports to funders, closed months."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.schemas.fields import Asked, Told

MonthText = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", description="A month: 2026-11.")]

_PERIOD: dict[str, Any] = {
    "from_month": "2026-11",
    "to_month": "2026-11",
    "zone": "Asia/Shanghai",
    "from_us": 1_793_462_400_000_000,
    "until_us": 1_796_054_400_000_000,
    "last_seq": 41_207,
    "closed": True,
}
_FIGURES: dict[str, Any] = {
    "opening": 10_000_000,
    "issued": 0,
    "transferred_in": 0,
    "transferred_out": 0,
    "withdrawn": 0,
    "settled": 2_600_000,
    "corrected": 100_000,
    "expired": 0,
    "rolled_over": 0,
    "closing": 7_500_000,
    "held_opening": 0,
    "held": 12_500_000,
    "released": 9_900_000,
    "held_closing": 0,
}
_STATEMENT: dict[str, Any] = {
    "project_id": "prj_01J8Z3",
    "asset": "CNY",
    "month": "2026-11",
    **_PERIOD,
    "lines": [{"payer": "grt_01J8Z3", "asset": "CNY", "programme_id": "pgm_01J8Z3", **_FIGURES}],
    "totals": {"CNY": _FIGURES},
    "usage": [
        {
            "payer": "grt_01J8Z3",
            "asset": "CNY",
            "member_id": "mem_01J8Z3",
            "category": "chemistry",
            "backend": "aer",
            "settled": 2_600_000,
            "corrected": 100_000,
        }
    ],
    "absorbed_by_facility": 0,
    "corrections": [
        {
            "entry_id": "correct/req_01J8Z3",
            "job_id": "job_01J8Z3",
            "at_us": 1_795_000_000_000_000,
            "reason": "the meter ran on after the job",
            "earlier_month": True,
            "price": -100_000,
            "copay": 0,
            "credits": [{"funder_id": "fun_01J8Z3", "grant_id": "grt_01J8Z3", "amount": -100_000}],
        }
    ],
}
_STANDS = {
    "granted": 10_000_000,
    "held": 0,
    "available": 7_500_000,
    "captured": 2_500_000,
    "breakage": 0,
}
_FUNDER: dict[str, Any] = {
    "funder_id": "fun_01J8Z3",
    "name": "Science and Technology Bureau",
    **_PERIOD,
    "programmes": [
        {
            "programme_id": "pgm_01J8Z3",
            "name": "Quantum vouchers 2026",
            "asset": "CNY",
            "funders": [["fun_01J8Z3", 1]],
            "budget": 1_000_000_000_000,
            "pledged": 1_000_000_000_000,
            "remaining": 999_990_000_000,
            **_STANDS,
            "period": {**_STANDS, "granted": 0, "available": -2_500_000},
            "caps": [
                {
                    "limit": "pool_year",
                    "project_id": "",
                    "year": 2026,
                    "cap": 600_000_000_000,
                    "claimed": 2_500_000,
                }
            ],
        }
    ],
    "shares": [
        {"programme_id": "pgm_01J8Z3", "funder_id": "fun_01J8Z3", "asset": "CNY", "captured": 2_500_000},
    ],
    "captured": [
        {
            "programme_id": "pgm_01J8Z3",
            "project_id": "prj_01J8Z3",
            "category": "chemistry",
            "asset": "CNY",
            "captured": 2_500_000,
            "captured_by_all": 2_500_000,
        }
    ],
    "grants": [
        {
            "grant_id": "grt_01J8Z3",
            "programme_id": "pgm_01J8Z3",
            "project_id": "prj_01J8Z3",
            "asset": "CNY",
            **_STANDS,
            "valid_until_us": 1_797_000_000_000_000,
        }
    ],
    "expiring": [{"days": 30, "asset": "CNY", "amount": 7_500_000, "grants": ["grt_01J8Z3"]}],
}
_CLOSE: dict[str, Any] = {
    "month": "2026-11",
    "until_us": 1_796_054_400_000_000,
    "last_seq": 41_207,
    "closed_us": 1_796_200_000_000_000,
    "closed_by": "mem_01J8Z3",
    "sha256": "5d41402abc4b2a76b9719d911017c592ae3f0c1d8a2b4c6d8e0f1a2b3c4d5e6f",
    "totals": {
        "v": 1,
        "month": "2026-11",
        "until_us": 1_796_054_400_000_000,
        "last_seq": 41_207,
        "last_hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "entries": {"hold": 12, "settle": 12},
        "balances": [["facility/earned/funder/fun_01J8Z3", "CNY", 2_500_000]],
        "accounts": 9,
        "accounts_sha256": "9b74c9897bac770ffc029102a200c5de1f2e3d4c5b6a79880716253443526170",
    },
}


class PeriodTold(Told):
    """Which months a report is about. Once the last of them is closed, the report never changes."""

    from_month: str
    to_month: str
    zone: str = Field(description="The facility's time zone: its clocks tell where months begin.")
    from_us: int
    until_us: int
    last_seq: int | None = Field(description="The last entry that a closed month covers.")
    closed: bool


class MonthStatement(PeriodTold):
    """What each grant and the wallet began a month with, got, paid and ended with, in the smallest unit of its asset.

    opening + issued + transferred_in - transferred_out - withdrawn - settled + corrected - expired - rolled_over =
    closing; held_opening + held - settled - released = held_closing, the part of it that is set aside for jobs.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_STATEMENT]})

    project_id: str
    asset: str
    month: str
    lines: list[dict[str, Any]]
    totals: dict[str, dict[str, int]]
    usage: list[dict[str, Any]] = Field(description="By payer, member, workload category and backend.")
    absorbed_by_facility: int
    corrections: list[dict[str, Any]] = Field(description="`earlier_month`: the job was settled in a month before.")


class FunderReport(PeriodTold):
    """What became of a funder's programmes: granted, held, captured, breakage, expiring; by project and category.

    Figures of programmes and grants are those of all their funders together, at the end of the period; `captured` of
    `shares` and `captured` is each funder's own, to the unit.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_FUNDER]})

    funder_id: str
    name: str
    programmes: list[dict[str, Any]]
    shares: list[dict[str, Any]]
    captured: list[dict[str, Any]]
    grants: list[dict[str, Any]]
    expiring: list[dict[str, Any]] = Field(description="Available now, breakage in so many days unless it is used.")


class FocusMetadata(Told):
    """The metadata of FOCUS beside an export: generator, schema and, since 1.3, dataset instance and recency."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "DataGenerator": {"DataGenerator": "Qubator"},
                    "Schema": [{"SchemaId": "qubator-focus-1.3-0.1.0", "FocusVersion": "1.3"}],
                }
            ]
        }
    )


class CloseRequest(Asked):
    """The month to close. It must be over, and every month before it must be closed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"month": "2026-11"}]})

    month: MonthText


class Close(Told):
    """A closed month: `sha256` is that of `totals` as canonical JSON (keys sorted, no white space)."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CLOSE]})

    month: str
    until_us: int
    last_seq: int
    closed_us: int
    closed_by: str
    sha256: str
    totals: dict[str, Any]


class CloseList(Told):
    """The closed months, the earliest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"closes": [_CLOSE]}]})

    closes: list[Close]
