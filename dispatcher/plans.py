"""A programme as an operator writes it down: funders by name, budget, and terms; and what applying it would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

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
    """What was done, or would be: a sentence for each change; none when everything is so already."""

    name: str
    programme_id: str | None
    version: int
    changes: tuple[str, ...]


def same_terms(one: Terms, other: Terms) -> bool:
    """Whether two versions say the same."""
    return replace(one, programme_id="", version=0) == replace(other, programme_id="", version=0)


def differences(before: Terms | None, after: Terms) -> Iterator[str]:
    """What is different, field by field and rule by rule."""
    if before is None:
        for number, rule in enumerate(after.rules, 1):
            yield f"+ rule {number}: {_rule(rule)}"
        yield from (f"+ {name}: {value}" for name, value in _set_fields(after))
        return
    old, new = dict(_all_fields(before)), dict(_all_fields(after))
    for name in new:
        if old[name] != new[name]:
            yield f"~ {name}: {old[name]} -> {new[name]}"
    for number in range(max(len(before.rules), len(after.rules))):
        was = before.rules[number] if number < len(before.rules) else None
        now = after.rules[number] if number < len(after.rules) else None
        if was == now:
            continue
        if was is None or now is None:
            yield f"{'-' if now is None else '+'} rule {number + 1}: {_rule(was or now)}"
        else:
            yield f"~ rule {number + 1}: {_rule(was)} -> {_rule(now)}"


def _all_fields(terms: Terms) -> Iterator[tuple[str, Any]]:
    for field in fields(Terms):
        if field.name not in ("programme_id", "version", "rules"):
            yield field.name, getattr(terms, field.name)


def _set_fields(terms: Terms) -> Iterator[tuple[str, Any]]:
    for field in fields(Terms):
        if field.name not in ("programme_id", "version", "rules") and getattr(terms, field.name) != field.default:
            yield field.name, getattr(terms, field.name)


def _rule(rule: Rule | None) -> str:
    """A rule in short: what differs from a rule for everybody."""
    if rule is None:
        return "none"
    said = [f"{field.name}={getattr(rule, field.name)}" for field in fields(Rule) if field.name != "share_ppm"]
    defaults = [f"{field.name}={field.default}" for field in fields(Rule) if field.name != "share_ppm"]
    changed = [one for one, default in zip(said, defaults, strict=True) if one != default]
    return ", ".join([f"share_ppm={rule.share_ppm}", *changed])
