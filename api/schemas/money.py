"""Wallets, budgets, rates, terms of programmes and requests: what is asked and told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.fields import PRINTABLE, Asked, Identifier, InstantUs, Money, Name, Tag, Told
from api.schemas.programme_file import ProgrammeEntry
from dispatcher.tariffs import PRICE_MAX

Kind = Literal["increase", "transfer", "claw_back", "correct"]

_PAYMENT: dict[str, Any] = {"amount": {"micro": 5_000_000, "asset": "CNY"}, "key": "invoice 17", "direction": "in"}
_BOOKED: dict[str, Any] = {
    "project_id": "prj_01J8Z3",
    "asset": "CNY",
    "entry": "top_up/prj_01J8Z3/invoice 17",
    "amount": 5_000_000,
    "available": 5_000_000,
    "again": False,
}
_BUDGET: dict[str, Any] = {
    "project_id": "prj_01J8Z3",
    "kind": "tag",
    "key": "nightly",
    "year": 2026,
    "limit": 20_000_000,
    "claimed": 126_103,
    "left": 19_873_897,
}
_RATE: dict[str, Any] = {
    "id": "rate_01J8Z3",
    "resource": "qpu_ms",
    "unit_price": 700,
    "quantum": 1,
    "backend": "simulator",
    "hours": [8, 20],
    "valid_from_us": 1_790_000_000_000_000,
    "valid_until_us": None,
    "created_us": 1_790_000_000_000_000,
}
_PROGRAMME: dict[str, Any] = {
    "name": "Startup plus",
    "funders": [{"name": "City fund", "weight": 1}],
    "budget": "500000000",
    "cap_project_year": "10000000",
    "rules": [{"share": "60 %", "stages": ["seed"]}, {"share": "50 %"}],
}
_APPLIED: dict[str, Any] = {
    "name": "Startup plus",
    "programme_id": "pgm_01J8Z3",
    "version": 1,
    "changes": ["+ funder City fund", "+ rule 1: 60 %, stage seed"],
    "warnings": ["rule 1: no startup is of stage 'seed'; there are growth"],
}
_TERMS: dict[str, Any] = {
    "programme_id": "pgm_01J8Z3",
    "version": 1,
    "rules": [
        {
            "share_ppm": 600_000,
            "up_to_ppm": 1_000_000,
            "categories": [],
            "stages": ["seed"],
            "age_months_max": None,
            "traits": [],
            "uplift_ppm": 0,
            "uplift_traits": [],
            "cap_per_job": None,
        }
    ],
    "excluded": [],
    "excludes_related": True,
    "claim_group": "",
    "cap_project_year": 10_000_000_000_000,
    "pool_year": None,
    "valid_from_us": 0,
    "valid_until_us": None,
    "rollover_ppm": 0,
    "rollover_days": 0,
}
_REQUEST: dict[str, Any] = {
    "id": "req_01J8Z3",
    "kind": "claw_back",
    "subject": "grt_01J8Z3",
    "body": {"amount": 1_000_000},
    "reason": "the startup has moved away",
    "asked_by": "mem_01J8Z3",
    "asked_us": 1_790_000_000_000_000,
    "state": "open",
    "decided_by": None,
    "decided_us": None,
}


class PaymentRequest(Asked):
    """A payment of a startup, or back to it. The same `key` and amount are booked once, however often they are sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PAYMENT]})

    amount: Money
    key: Name
    direction: Literal["in", "out"] = "in"


class Booked(Told):
    """The entry, and what the wallet has now; `again` if it had been booked before."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BOOKED]})

    project_id: str
    asset: str
    entry: str
    amount: int
    available: int
    again: bool


class BudgetRequest(Asked):
    """What the jobs of one member, or with one tag, may cost in a calendar year, in micro-units."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{name: _BUDGET[name] for name in ("kind", "key", "limit")}]}
    )

    kind: Literal["member", "tag"]
    key: Name
    limit: int = Field(ge=0, le=2**53)


class Budget(Told):
    """A limit, what is claimed of it this year (held and settled), and what is left."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BUDGET]})

    project_id: str
    kind: str
    key: str
    year: int
    limit: int
    claimed: int
    left: int


class BudgetList(Told):
    """The budgets of a project."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"budgets": [_BUDGET]}]})

    budgets: list[Budget]


class RateRequest(Asked):
    """A new line of the rate card. `hours` (from, until) in the facility's time zone; [22, 6] goes over midnight."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"resource": "qpu_ms", "unit_price": 700, "hours": [8, 20]}]}
    )

    resource: str
    unit_price: int = Field(ge=0, le=PRICE_MAX)
    quantum: int = Field(default=1, ge=1, le=2**53)
    backend: Name = "*"
    hours: Annotated[list[int], Field(min_length=2, max_length=2)] = Field(default_factory=lambda: [0, 24])
    valid_from_us: InstantUs | None = Field(default=None, description="Default: now.")
    valid_until_us: InstantUs | None = None


class Rate(Told):
    """A line of the rate card: `unit_price` micro-units for each started `quantum` of native units."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RATE]})

    id: str
    resource: str
    unit_price: int
    quantum: int
    backend: str
    hours: list[int]
    valid_from_us: int
    valid_until_us: int | None
    created_us: int


class RateCard(Told):
    """Every line, the built-in ones first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rates": [_RATE], "asset": "CNY"}]})

    rates: list[Rate]
    asset: str


class ApplyRequest(Asked):
    """Programmes as in a programme file; with `dry_run` nothing is changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"programmes": [_PROGRAMME], "dry_run": True}]})

    programmes: list[ProgrammeEntry] = Field(min_length=1, max_length=50)
    dry_run: bool = False


class AppliedProgramme(Told):
    """One programme: its id (null in a dry run that would make it), the version of its terms, and what changes.

    `warnings` are words of its rules that nothing answers to yet; they may be slips.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_APPLIED]})

    name: str
    programme_id: str | None
    version: int
    changes: list[str]
    warnings: list[str]


class Applied(Told):
    """What was changed, or would be, programme by programme; no changes where all is so already."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"applied": [_APPLIED], "dry_run": True}]})

    applied: list[AppliedProgramme]
    dry_run: bool


class Rule(Told):
    """Who gets which share, in parts per million; the first rule that fits a job is the one that holds for it."""

    model_config = ConfigDict(json_schema_extra={"examples": _TERMS["rules"]})

    share_ppm: int
    up_to_ppm: int
    categories: list[str]
    stages: list[str]
    age_months_max: int | None
    traits: list[str]
    uplift_ppm: int
    uplift_traits: list[str]
    cap_per_job: int | None


class Terms(Told):
    """One version of a programme's terms; amounts in the smallest unit of its asset."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TERMS]})

    programme_id: str
    version: int
    rules: list[Rule]
    excluded: list[str]
    excludes_related: bool
    claim_group: str
    cap_project_year: int | None
    pool_year: int | None
    valid_from_us: int
    valid_until_us: int | None
    rollover_ppm: int
    rollover_days: int


class TermsList(Told):
    """Every version of a programme's terms, the newest last."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"terms": [_TERMS]}]})

    terms: list[Terms]


class ProfileRequest(Asked):
    """What the terms of programmes ask about a startup. It takes the place of what was written before."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"stage": "seed", "founded_us": 1_760_000_000_000_000, "traits": ["small"]}]}
    )

    stage: Annotated[str, Field(max_length=64), PRINTABLE] = ""
    founded_us: InstantUs | None = None
    traits: list[Tag] = Field(default_factory=list, max_length=50)
    related: list[Name] = Field(
        default_factory=list,
        max_length=50,
        description="Related parties, which may not subsidise its jobs: backends, and funders by id or name.",
    )


class ActRequest(Asked):
    """An act on money that a second operator must approve.

    increase, claw_back: {"amount"}; transfer: {"amount", "to_grant_id"}, all on a grant, in its smallest unit; correct:
    {"usage"} of a job, naming what it really used of qpu_ms, shots, cpu_ms, gpu_ms, storage_mib_h where that is less.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{name: _REQUEST[name] for name in ("kind", "subject", "body", "reason")}]}
    )

    kind: Kind
    subject: Identifier
    body: dict[str, Any]
    reason: Annotated[str, Field(min_length=1, max_length=500), PRINTABLE]


class Act(Told):
    """A request and what became of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REQUEST]})

    id: str
    kind: str
    subject: str
    body: dict[str, Any]
    reason: str
    asked_by: str
    asked_us: int
    state: str
    decided_by: str | None
    decided_us: int | None


class ActList(Told):
    """Requests, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"requests": [_REQUEST]}]})

    requests: list[Act]
