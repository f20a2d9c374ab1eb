"""Programmes as operators write them, in TOML or JSON, and the plans they are. Mistakes are named with their place."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dispatcher.plans import ProgrammePlan
from ledger.model import MICRO, NATIVE, RESOURCES
from ledger.terms import Rule, Terms


class WrongProgramme(ValueError):  # noqa: N818 - named for what it says
    """A file that describes no programme; the text says where and why."""


def _percent(given: Any) -> int:
    """`"30 %"` → 300,000 parts per million."""
    text = str(given)
    if not isinstance(given, str) or not text.endswith("%"):
        raise ValueError('must be a share such as "30 %"')
    return _whole(text.removesuffix("%").strip(), 10_000, 'must be a share such as "30 %", with at most four decimals')


def _amount(given: Any) -> str:
    """`"12.5"` or 12 → text of a number, scaled when the asset is known."""
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise ValueError('must be an amount such as "12.5", in quotes if it has decimals')
    _whole(str(given), MICRO, "must be an amount with at most six decimals")
    return str(given)


def _whole(text: str, times: int, wrong: str) -> int:
    try:
        scaled = Decimal(text.replace("_", "")) * times
    except InvalidOperation:
        raise ValueError(wrong) from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or scaled < 0:
        raise ValueError(wrong)
    return int(scaled)


Percent = Annotated[int, BeforeValidator(_percent)]
Amount = Annotated[str, BeforeValidator(_amount)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FunderEntry(_Strict):
    """A funder by name; its weight beside the others."""

    name: str = Field(min_length=1, max_length=200)
    weight: int = Field(default=1, ge=1, le=1_000_000)


class RuleEntry(_Strict):
    """See `ledger.terms.Rule`."""

    share: Percent
    up_to: Percent = 1_000_000
    categories: list[str] = []
    stages: list[str] = []
    age_months_max: int | None = Field(default=None, ge=1, le=1_200)
    traits: list[str] = []
    uplift: Percent = 0
    uplift_traits: list[str] = []
    cap_per_job: Amount | None = None


class ProgrammeEntry(_Strict):
    """See `ledger.terms.Terms`."""

    name: str = Field(min_length=1, max_length=200)
    funders: list[FunderEntry] = Field(min_length=1, max_length=20)
    asset: str | None = Field(default=None, description="Default: the facility's money.")
    budget: Amount
    rules: list[RuleEntry] = Field(min_length=1, max_length=50)
    excluded: list[str] = []
    excludes_related: bool = True
    claim_group: str = Field(default="", max_length=64)
    cap_project_year: Amount | None = None
    pool_year: Amount | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    rollover: Percent = 0
    rollover_days: int = Field(default=0, ge=0, le=3_650)


class ProgrammeFile(_Strict):
    """A whole file."""

    programmes: list[ProgrammeEntry] = Field(min_length=1, max_length=50)


def plans_of(document: object, zone: tzinfo, currency: str) -> list[ProgrammePlan]:
    """The plans of a document. Dates are days in the facility's `zone`; `valid_until` is the first day no more.

    Raises WrongProgramme.
    """
    try:
        found = ProgrammeFile.model_validate(document)
    except ValidationError as wrong:
        places = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors())
        raise WrongProgramme("; ".join(places)) from wrong
    names = [entry.name for entry in found.programmes]
    if len(set(names)) != len(names):
        raise WrongProgramme("each programme of a file has a name of its own")
    return [_plan(entry, zone, currency) for entry in found.programmes]


def _plan(entry: ProgrammeEntry, zone: tzinfo, currency: str) -> ProgrammePlan:
    asset = entry.asset or currency
    scale = 1 if asset in NATIVE else MICRO

    def units(amount: str | None) -> int | None:
        if amount is None:
            return None
        return _whole(amount, scale, f"{entry.name}: {amount} is no whole amount of {asset}")

    for resource in entry.excluded:
        if resource not in RESOURCES:
            raise WrongProgramme(f"{entry.name}: excluded names {resource!r}; there are {', '.join(RESOURCES)}")
    try:
        rules = tuple(
            Rule(
                share_ppm=rule.share,
                up_to_ppm=rule.up_to,
                categories=tuple(rule.categories),
                stages=tuple(rule.stages),
                age_months_max=rule.age_months_max,
                traits=tuple(rule.traits),
                uplift_ppm=rule.uplift,
                uplift_traits=tuple(rule.uplift_traits),
                cap_per_job=units(rule.cap_per_job),
            )
            for rule in entry.rules
        )
        terms = Terms(
            programme_id="",
            version=0,
            rules=rules,
            excluded=tuple(entry.excluded),
            excludes_related=entry.excludes_related,
            claim_group=entry.claim_group,
            cap_project_year=units(entry.cap_project_year),
            pool_year=units(entry.pool_year),
            valid_from_us=_instant(entry.valid_from, zone) or 0,
            valid_until_us=_instant(entry.valid_until, zone),
            rollover_ppm=entry.rollover,
            rollover_days=entry.rollover_days,
        )
        budget = units(entry.budget) or 0
    except ValueError as wrong:
        raise WrongProgramme(f"{entry.name}: {wrong}") from wrong
    funders = tuple((funder.name, funder.weight) for funder in entry.funders)
    return ProgrammePlan(entry.name, funders, asset, budget, terms)


def _instant(day: date | None, zone: tzinfo) -> int | None:
    """The beginning of a day, in µs."""
    if day is None:
        return None
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * MICRO
