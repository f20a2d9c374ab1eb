"""Terms as plain JSON: how the store keeps a version, and how a quote pins it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from ledger.terms import Rule, Terms

_RULE_TUPLES = frozenset({"categories", "stages", "traits", "uplift_traits"})


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """Plain dicts, lists, strings and integers."""
    return asdict(terms)


def terms_from_json(document: Mapping[str, Any]) -> Terms:
    """Read what `terms_to_json` wrote. Raises ValueError, TypeError or KeyError for anything else."""
    found = {field.name: document[field.name] for field in fields(Terms)}
    found["rules"] = tuple(rule_from_json(rule) for rule in document["rules"])
    found["excluded"] = tuple(document["excluded"])
    return Terms(**found)


def rule_from_json(document: Mapping[str, Any]) -> Rule:
    """One rule of them."""
    found: dict[str, Any] = {name: tuple(value) if name in _RULE_TUPLES else value for name, value in document.items()}
    return Rule(**found)
