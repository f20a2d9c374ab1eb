"""A programme as an operator writes it down: funders by name, budget, and terms; and what applying it would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from ledger.model import FULL_PPM, MICRO, in_words
from ledger.receipt_words import percent
from ledger.terms import Rule, Terms


@dataclass(frozen=True, slots=True)
class ProgrammePlan:
    """What is to be there afterwards. `terms.programme_id` and `.version` are of no account here."""

    name: str
    funders: tuple[tuple[str, int], ...]
    asset: str
    budget: int
    terms: Terms


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, or would be: a sentence for each change; none when everything is so already.

    `warnings` are words of the terms that look like slips (`dispatcher.vocabulary`).
    """

    name: str
    programme_id: str | None
    version: int
    changes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def same_terms(one: Terms, other: Terms) -> bool:
    """Whether two versions say the same."""
    return replace(one, programme_id="", version=0) == replace(other, programme_id="", version=0)


def funders_in_words(funders: tuple[tuple[str, int], ...]) -> str:
    """`City bureau` alone, or `City bureau 3 : District bureau 1`."""
    if len(funders) == 1:
        return funders[0][0]
    return " : ".join(f"{name} {weight}" for name, weight in funders)


def differences(before: Terms | None, after: Terms, asset: str, zone: tzinfo) -> Iterator[str]:
    """What is different, rule by rule and condition by condition: `-` what was, `+` what will be.

    Amounts are told in `asset`, instants by the clocks of `zone`.
    """
    known = before if before is not None else Terms("", 0, after.rules)
    old_rules = before.rules if before is not None else ()
    for number in range(max(len(old_rules), len(after.rules))):
        was = _rule(old_rules[number], asset) if number < len(old_rules) else None
        now = _rule(after.rules[number], asset) if number < len(after.rules) else None
        if was != now:
            yield from _change(f"rule {number + 1}", was, now)
    old = _conditions(known, asset, zone)
    for name, now in _conditions(after, asset, zone).items():
        if old[name] != now:
            yield from _change(name, old[name] if before is not None else None, now)


def _change(name: str, was: str | None, now: str | None) -> Iterator[str]:
    if was is not None:
        yield f"- {name}: {was}"
    if now is not None:
        yield f"+ {name}: {now}"


def _conditions(terms: Terms, asset: str, zone: tzinfo) -> dict[str, str]:
    """Every condition but the rules, by its name."""
    rollover = f"{percent(terms.rollover_ppm)} for {terms.rollover_days} days" if terms.rollover_ppm else "none"
    return {
        "excluded costs": ", ".join(terms.excluded) or "none",
        "related parties": "excluded" if terms.excludes_related else "paid for like others",
        "claim group": terms.claim_group or "none",
        "cap for one project and year": _most(terms.cap_project_year, asset),
        "pool of a year": _most(terms.pool_year, asset),
        "valid from": _moment(terms.valid_from_us, zone) if terms.valid_from_us else "the beginning",
        "valid until": _moment(terms.valid_until_us, zone) if terms.valid_until_us is not None else "further notice",
        "rollover": rollover,
    }


def _most(amount: int | None, asset: str) -> str:
    return "none" if amount is None else in_words(amount, asset)


def _moment(at_us: int, zone: tzinfo) -> str:
    """A day where the instant is its beginning, a day and time elsewhere."""
    at = datetime.fromtimestamp(at_us // MICRO, zone)
    return at.strftime("%Y-%m-%d" if (at.hour, at.minute, at.second) == (0, 0, 0) else "%Y-%m-%d %H:%M:%S")


def _rule(rule: Rule, asset: str) -> str:
    """A rule in words: its share, and what differs from a rule for everybody."""
    said = [percent(rule.share_ppm)]
    if rule.uplift_ppm:
        said.append(f"{percent(rule.uplift_ppm)} more with {_either(rule.uplift_traits)}")
    if rule.up_to_ppm != FULL_PPM:
        said.append(f"up to {percent(rule.up_to_ppm)} together with those before it")
    if rule.categories:
        said.append(f"category {_either(rule.categories)}")
    if rule.stages:
        said.append(f"stage {_either(rule.stages)}")
    if rule.age_months_max is not None:
        said.append(f"younger than {rule.age_months_max} months")
    if rule.traits:
        said.append(f"with {_either(rule.traits)}")
    if rule.cap_per_job is not None:
        said.append(f"at most {in_words(rule.cap_per_job, asset)} a job")
    return ", ".join(said)


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(words)
