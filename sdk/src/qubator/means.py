"""The figures behind a refusal for want of means, as lines for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from qubator.money import Money

WHY_NOT_MORE = {
    "available": "it has no more available",
    "cap_per_job": "it reaches its cap for one job",
    "cap_project_year": "it reaches the programme's cap for one project and year",
    "pool_year": "it reaches the programme's pool for the year",
    "programme_not_valid": "its programme is not in force",
    "related_party": "it does not pay for backends of a related party",
    "category": "it does not pay for this workload category",
    "stage": "it is for startups of another stage",
    "age": "it is for younger startups",
    "trait": "it is for startups of another kind",
    "claimed_elsewhere": "another programme of its group pays already",
    "other_backend": "it is for other backends",
    "other_member": "it is for other members",
    "expired": "it has expired",
    "not_started": "it has not started",
}


def means_lines(fields: Mapping[str, Any], *, width: int = 80) -> list[str]:
    """What is needed and there, what each grant pays and why not more; [] where the fields name no such figures."""
    if not isinstance(fields.get("missing"), int):
        return []
    lines: list[str] = []
    for name, text in _told(fields):
        head = f"  {name:<10} "
        lines += textwrap.wrap(
            text, max(40, width), initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
        )
    return lines


def _told(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    asset = str(fields.get("asset", "CNY"))
    for name, word, more in (
        ("needed", "needed", " at most"),
        ("available", "available", ""),
        ("missing", "missing", ""),
        ("wallet", "wallet", " of the project's own"),
    ):
        if isinstance(fields.get(word), int):
            yield name, f"{Money(fields[word], asset)}{more}"
    sources = fields.get("sources")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, Mapping):
            yield "grant", _source(source)
    fits = fields.get("would_fit")
    if isinstance(fits, int) and fits > 0:
        yield "would fit", f"a smaller job of this kind, of at most {Money(fits, asset)}"


def _source(source: Mapping[str, Any]) -> str:
    asset = str(source.get("asset", "CNY"))
    pays, available = (Money(int(source.get(word) or 0), asset) for word in ("pays", "available"))
    reason = str(source.get("why_not_more") or "")
    why = WHY_NOT_MORE.get(reason, reason.replace("_", " "))
    return f"{source.get('grant_id', '?')} pays {pays} of {available} available{': ' if why else ''}{why}"
