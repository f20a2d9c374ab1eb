"""What terms and budgets ask about a job: its startup, its member, its category, and the facility's calendar."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.rules import Rules
from ledger.rates import RateLine, rates_in_force
from ledger.terms import Claimant
from store.rows import ProjectRow

SIMULATOR = "simulator"
"""The class of every backend of this version, for rate lines."""


def claimant_of(
    project: ProjectRow, member_id: str, category: str, tags: Sequence[str], backend: str, rules: Rules, at_us: int
) -> Claimant:
    """Everything about one job that a programme's terms, a grant's restrictions or a budget may depend on."""
    now = rules.local(at_us)
    age_months: int | None = None
    if project.founded_us is not None:
        founded = rules.local(project.founded_us)
        age_months = (now.year - founded.year) * 12 + now.month - founded.month - (now.day < founded.day)
    return Claimant(
        member_id=member_id,
        category=category,
        tags=tuple(tags),
        backend=backend,
        provider=backend,
        stage=project.stage,
        age_months=age_months,
        traits=project.traits,
        related=project.related,
        year=now.year,
    )


def rates_for(rules: Rules, card: Sequence[RateLine], backend: str, at_us: int) -> tuple[RateLine, ...]:
    """The lines in force for a backend: the operator's card over the built-in one."""
    return rates_in_force((*rules.rates, *card), backend, SIMULATOR, at_us, rules.local(at_us).hour)
