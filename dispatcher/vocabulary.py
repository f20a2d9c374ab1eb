"""The free words of subsidies: stages, traits and workload categories. A word that nothing answers to pays nobody.

Words stay free, for a programme may come before its startups, or a startup before its programme; so what looks like a
slip of the pen is told, not refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ledger.terms import GENERAL, Terms
from store.rows import ProjectRow

_KNOWN_MOST = 8


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that are in use."""

    stages: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset((GENERAL,))


def of_projects(projects: Iterable[ProjectRow]) -> Vocabulary:
    """What startups are described by."""
    rows = list(projects)
    return Vocabulary(
        frozenset(row.stage for row in rows if row.stage), frozenset(trait for row in rows for trait in row.traits)
    )


def of_terms(terms: Iterable[Terms]) -> Vocabulary:
    """What the rules of programmes ask for."""
    rules = [rule for one in terms for rule in one.rules]
    return Vocabulary(
        frozenset(word for rule in rules for word in rule.stages),
        frozenset(word for rule in rules for word in (*rule.traits, *rule.uplift_traits)),
        frozenset(word for rule in rules for word in rule.categories) | {GENERAL},
    )


def unanswered(terms: Terms, projects: Vocabulary, others: Vocabulary) -> tuple[str, ...]:
    """A sentence for each word that no startup is described by, or that looks like a category of others."""
    return tuple(_unanswered(terms, projects, others))


def _unanswered(terms: Terms, projects: Vocabulary, others: Vocabulary) -> Iterator[str]:
    for number, rule in enumerate(terms.rules, 1):
        for word in rule.stages:
            if word not in projects.stages:
                yield f"rule {number}: no startup is of stage {word!r}{_known(projects.stages, 'there are')}"
        for word in dict.fromkeys((*rule.traits, *rule.uplift_traits)):
            if word not in projects.traits:
                yield f"rule {number}: no startup has the trait {word!r}{_known(projects.traits, 'there are')}"
        for word in rule.categories:
            close = get_close_matches(word, sorted(others.categories - {word}), 1, 0.75)
            if word not in others.categories and close:
                yield f"rule {number}: only this programme names the category {word!r}; is it {close[0]!r}?"


def unasked(project: ProjectRow, terms: Vocabulary) -> tuple[str, ...]:
    """A sentence for each word that a startup is described by and no programme asks for."""
    found = []
    if project.stage and project.stage not in terms.stages:
        found.append(f"no programme asks for stage {project.stage!r}{_known(terms.stages, 'they ask for')}")
    traits = [word for word in project.traits if word not in terms.traits]
    return (
        *found,
        *(f"no programme asks for the trait {word!r}{_known(terms.traits, 'they ask for')}" for word in traits),
    )


def _known(words: frozenset[str], lead: str) -> str:
    """The words that would have been understood, a few of them."""
    if not words:
        return ""
    named = sorted(words)[:_KNOWN_MOST]
    return f"; {lead} {', '.join(named)}{', …' if len(words) > _KNOWN_MOST else ''}"
