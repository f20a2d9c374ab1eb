"""The words of a no for want of means: what is needed, what each source could give and why not more, what would fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger import accounts
from ledger.allocation import Allocation, Source, allocate
from ledger.book import Book
from ledger.commands import PlaceHold
from ledger.model import Line, Refusal, in_words
from ledger.terms import Budget

_STEPS = 12
REASONS = {
    "available": "has no more available",
    "cap_per_job": "reaches its cap for one job",
    "cap_project_year": "reaches the programme's cap for one project and year",
    "pool_year": "reaches the programme's pool for the year",
    "programme_not_valid": "belongs to a programme that is not in force",
    "related_party": "does not pay for backends of a related party",
    "category": "does not pay for this workload category",
    "stage": "is for startups of another stage",
    "age": "is for younger startups",
    "trait": "is for startups of another kind",
    "claimed_elsewhere": "may not pay what another programme of its group has paid for",
    "other_backend": "is for other backends",
    "other_member": "is for other members",
    "expired": "has expired",
    "not_started": "has not started",
}


def budget_exhausted(budget: Budget, claimed: int, ceiling: int, asset: str) -> Refusal:
    """The project's own limit for a member or a tag."""
    left = max(0, budget.limit - claimed)
    return Refusal(
        "budget_exhausted",
        f"the project's budget for {budget.kind} {budget.key} has {in_words(left, asset)} left this year "
        f"and this job may cost up to {in_words(ceiling, asset)}; an admin of the project can raise it",
        (
            ("needed", ceiling),
            ("available", left),
            ("asset", asset),
            (budget.kind, budget.key),
            ("limit", budget.limit),
        ),
    )


def no_means(book: Book, command: PlaceHold, found: Allocation) -> Refusal:
    """Why the price has no payer."""
    needed = sum(line.amount for line in command.lines)
    covered = needed - found.missing
    asset = command.asset
    if not found.sources and not found.wallet:
        detail = f"project {command.project_id} has no grant and nothing in its wallet"
        return Refusal("no_grant", detail, (("asset", asset), ("needed", needed)))
    live = [source for source in found.sources if source.reason not in ("expired", "not_started")]
    if not live and not found.wallet:
        return _none_valid(command, found.sources, needed)
    fields: tuple[tuple[str, Any], ...] = (
        ("needed", needed),
        ("available", covered),
        ("missing", found.missing),
        ("asset", asset),
        ("wallet", found.wallet),
        ("sources", [_source(source) for source in found.sources]),
        ("would_fit", _would_fit(book, command)),
    )
    why = "; ".join(f"grant {one.grant.id} {REASONS[one.reason]}" for one in found.sources if one.reason in REASONS)
    why = f" ({why})" if why else ""
    # A wallet is asked for only where no grant would have given more, had it had more.
    if all(source.reason != "available" for source in live):
        by_grants = covered - min(found.wallet, covered)
        return Refusal(
            "wallet_short",
            f"this job may cost up to {in_words(needed, asset)}; the project's grants pay {in_words(by_grants, asset)} "
            f"of it, and its wallet, with {in_words(found.wallet, asset)}, lacks {in_words(found.missing, asset)}{why}",
            fields,
        )
    held = sum(book.balance(accounts.held(one.grant.id), asset) for one in live if one.grant.asset == asset)
    waits = f"; jobs that have not ended hold {in_words(held, asset)} more, part of which comes back" if held else ""
    return Refusal(
        "grant_exhausted",
        f"the project's grants have {in_words(covered, asset)} available and this job may cost up to "
        f"{in_words(needed, asset)}{waits}; ask for fewer shots or parameter sets, or for a larger grant{why}",
        fields,
    )


def _none_valid(command: PlaceHold, sources: list[Source], needed: int) -> Refusal:
    grants = [source.grant for source in sources]
    starts_us = [one.valid_from_us for one in grants if not one.expired and command.at_us < one.valid_from_us]
    if starts_us:
        detail = f"no grant of project {command.project_id} has started yet"
        fields = (("asset", command.asset), ("needed", needed), ("valid_from_us", min(starts_us)))
        return Refusal("grant_not_started", detail, fields)
    detail = f"every grant of project {command.project_id} has expired"
    latest_us = max(one.valid_until_us for one in grants)
    return Refusal(
        "grant_expired", detail, (("asset", command.asset), ("needed", needed), ("valid_until_us", latest_us))
    )


def _source(source: Source) -> dict[str, Any]:
    grant = source.grant
    return {
        "grant_id": grant.id,
        "programme_id": grant.programme_id,
        "asset": grant.asset,
        "available": source.available,
        "pays": source.pays,
        "why_not_more": source.reason,
    }


def _would_fit(book: Book, command: PlaceHold) -> int:
    """The price, in money, of the largest part of this job that the same sources would cover; 0 when none."""
    low, high = 0, 1 << _STEPS
    best = 0
    while high - low > 1:
        middle = (low + high) // 2
        lines = tuple(_part(line, middle) for line in command.lines)
        if allocate(book, replace(command, lines=lines)).missing:
            high = middle
        else:
            low, best = middle, sum(line.amount for line in lines)
    return best


def _part(line: Line, numerator: int) -> Line:
    return line if line.resource == "job" else replace(line, quantity=line.quantity * numerator >> _STEPS)
