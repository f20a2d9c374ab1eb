"""Programmes as operators write them, in TOML or JSON, and the plans they are. Mistakes are named with their place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.documents import check
from api.schemas.fields import PRINTABLE, Asked, Name, Tag
from dispatcher.model import Refusal
from dispatcher.plans import ProgrammePlan
from ledger.model import FULL_PPM, MICRO, MOST_MICRO, NATIVE, RESOURCES
from ledger.terms import Rule, Terms

_NUMBER = re.compile(r"(\d{1,3}(?:_\d{3})+|\d{1,20})(?:\.(\d{1,6}))?", re.ASCII)
_SHARE = 'must be a share such as "30 %", with at most four decimals'
_AMOUNT = 'must be an amount such as "12.5", in quotes if it has decimals, of which six at most'
_DAY = "must be a day such as 2027-01-01"


class WrongProgramme(ValueError):  # noqa: N818 - named for what it says
    """A file that describes no programme; the text says where and why."""


def _scaled(text: str, places: int, wrong: str) -> int:
    """`"12.5"` with one place → 125."""
    found = _NUMBER.fullmatch(text)
    decimals = (found[2] or "").rstrip("0") if found else ""
    if found is None or len(decimals) > places:
        raise ValueError(wrong)
    return int(found[1].replace("_", "") + decimals.ljust(places, "0"))


def _percent(given: Any) -> int:
    """`"30 %"` → 300,000 parts per million."""
    if not isinstance(given, str) or not given.endswith("%"):
        raise ValueError(_SHARE)
    share = _scaled(given.removesuffix("%").strip(), 4, _SHARE)
    if share > FULL_PPM:
        raise ValueError(f"must be at most 100 %, not {given}")
    return share


def _amount(given: Any) -> str:
    """`"12.5"` or 12 → text of a number, scaled when the asset is known."""
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise ValueError(_AMOUNT)
    _scaled(str(given), 6, _AMOUNT)
    return str(given)


def _day(given: Any) -> date:
    """A TOML day, or its text."""
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    try:
        return datetime.strptime(given, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone yet
    except (TypeError, ValueError):
        raise ValueError(_DAY) from None


Percent = Annotated[int, BeforeValidator(_percent), WithJsonSchema({"type": "string", "pattern": r"^[0-9_.]+ *%$"})]
Amount = Annotated[
    str,
    BeforeValidator(_amount),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^[0-9_]+(\.[0-9]{1,6})?$"}, {"type": "integer"}]}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Tags = Annotated[list[Tag], Field(default_factory=list, max_length=50)]


class FunderEntry(Asked):
    """A funder by name; its weight beside the others."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "City fund", "weight": 1}]})

    name: Name
    weight: int = Field(default=1, ge=1, le=1_000_000)


class RuleEntry(Asked):
    """Who gets which share. The first rule of a programme that fits a job is the one that holds for it.

    `up_to` bounds what this payer and those before it pay together; `uplift` is added with one of `uplift_traits`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"share": "60 %", "stages": ["seed"]}]})

    share: Percent
    up_to: Percent = FULL_PPM
    categories: Tags
    stages: Tags
    age_months_max: int | None = Field(default=None, ge=1, le=1_200)
    traits: Tags
    uplift: Percent = 0
    uplift_traits: Tags
    cap_per_job: Amount | None = None


class ProgrammeEntry(Asked):
    """A programme: its funders, its budget, and its terms. Amounts are those of the asset, not micro-units."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Startup plus",
                    "funders": [{"name": "City fund", "weight": 1}],
                    "budget": "500000000",
                    "cap_project_year": "10000000",
                    "rules": [{"share": "60 %", "stages": ["seed"]}, {"share": "50 %"}],
                }
            ]
        }
    )

    name: Name
    funders: list[FunderEntry] = Field(min_length=1, max_length=20)
    asset: str | None = Field(default=None, description="Default: the facility's money.")
    budget: Amount
    rules: list[RuleEntry] = Field(min_length=1, max_length=50)
    excluded: list[str] = Field(default_factory=list, max_length=10, description="Resources that are never paid.")
    excludes_related: bool = True
    claim_group: Annotated[str, Field(max_length=64), PRINTABLE] = ""
    cap_project_year: Amount | None = None
    pool_year: Amount | None = None
    valid_from: Day | None = None
    valid_until: Day | None = Field(default=None, description="The first day on which it does not hold any more.")
    rollover: Percent = 0
    rollover_days: int = Field(default=0, ge=0, le=3_650)


class ProgrammeFile(Asked):
    """A whole file."""

    programmes: list[ProgrammeEntry] = Field(min_length=1, max_length=50)


def entries_of(document: object) -> list[ProgrammeEntry]:
    """The programmes of a file. Raises WrongProgramme."""
    found = check(ProgrammeFile, document)
    if isinstance(found, Refusal):
        places = (f"{one['pointer'] or 'the file'} {one['detail']}" for one in found.fields["errors"])
        raise WrongProgramme("; ".join(places))
    return found.programmes


def plans_of(entries: Sequence[ProgrammeEntry], zone: tzinfo, currency: str) -> list[ProgrammePlan]:
    """The plans of entries. Dates are days in the facility's `zone`. Raises WrongProgramme."""
    return [_plan(entry, zone, currency) for entry in entries]


def _plan(entry: ProgrammeEntry, zone: tzinfo, currency: str) -> ProgrammePlan:
    asset = entry.asset or currency
    for resource in entry.excluded:
        if resource not in RESOURCES:
            raise WrongProgramme(f"{entry.name}: excluded names {resource!r}; there are {', '.join(RESOURCES)}")
    if asset in entry.excluded:
        raise WrongProgramme(f"{entry.name}: a programme in {asset} pays for {asset} alone, and excludes it")
    if entry.valid_from is not None and entry.valid_until is not None and entry.valid_until <= entry.valid_from:
        detail = f"valid_until, {entry.valid_until}, must lie after valid_from, {entry.valid_from}"
        raise WrongProgramme(f"{entry.name}: {detail}")
    rules = tuple(_rule(entry.name, number, rule, asset) for number, rule in enumerate(entry.rules, 1))
    try:
        terms = Terms(
            programme_id=entry.name,
            version=0,
            rules=rules,
            excluded=tuple(entry.excluded),
            excludes_related=entry.excludes_related,
            claim_group=entry.claim_group,
            cap_project_year=_units(entry.name, "cap_project_year", entry.cap_project_year, asset),
            pool_year=_units(entry.name, "pool_year", entry.pool_year, asset),
            valid_from_us=_instant(entry.valid_from, zone) or 0,
            valid_until_us=_instant(entry.valid_until, zone),
            rollover_ppm=entry.rollover,
            rollover_days=entry.rollover_days,
        )
    except WrongProgramme:
        raise
    except ValueError as wrong:
        raise WrongProgramme(str(wrong)) from wrong
    funders = tuple((funder.name, funder.weight) for funder in entry.funders)
    return ProgrammePlan(entry.name, funders, asset, _units(entry.name, "budget", entry.budget, asset) or 0, terms)


def _rule(name: str, number: int, rule: RuleEntry, asset: str) -> Rule:
    place = f"{name}: rule {number}"
    if bool(rule.uplift) != bool(rule.uplift_traits):
        raise WrongProgramme(f"{place}: uplift and uplift_traits belong together: how much more, and for whom")
    try:
        return Rule(
            share_ppm=rule.share,
            up_to_ppm=rule.up_to,
            categories=tuple(rule.categories),
            stages=tuple(rule.stages),
            age_months_max=rule.age_months_max,
            traits=tuple(rule.traits),
            uplift_ppm=rule.uplift,
            uplift_traits=tuple(rule.uplift_traits),
            cap_per_job=_units(place, "cap_per_job", rule.cap_per_job, asset),
        )
    except WrongProgramme:
        raise
    except ValueError as wrong:
        raise WrongProgramme(f"{place}: {wrong}") from wrong


def _units(place: str, what: str, amount: str | None, asset: str) -> int | None:
    """An amount in the smallest unit of its asset."""
    if amount is None:
        return None
    places = 0 if asset in NATIVE else 6
    try:
        units = _scaled(amount, places, f"{place}: {what} is {amount}, which is no whole amount of {asset}")
    except ValueError as wrong:
        raise WrongProgramme(str(wrong)) from wrong
    if units > MOST_MICRO:
        most = MOST_MICRO if asset in NATIVE else MOST_MICRO // MICRO
        raise WrongProgramme(f"{place}: {what} is {amount}; at most {most} {asset} are allowed")
    return units


def _instant(day: date | None, zone: tzinfo) -> int | None:
    """The beginning of a day, in µs."""
    if day is None:
        return None
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * MICRO
