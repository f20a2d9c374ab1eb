"""The suite itself: every circuit in its order, chosen by name or family."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from benchmarks.circuit_suite import arithmetic, clifford, dynamic, layered, mqt, parts
from benchmarks.circuit_suite.entry import Entry

QUBITS_MAX = 100


@cache
def suite() -> tuple[Entry, ...]:
    """Every circuit; names are unique."""
    makers = (mqt, clifford, layered, dynamic, arithmetic, parts)
    return tuple(entry for maker in makers for entry in maker.entries())


def families() -> tuple[str, ...]:
    """All families, in order of their first circuit."""
    return tuple(dict.fromkeys(entry.family for entry in suite()))


def chosen(names: Collection[str]) -> tuple[Entry, ...]:
    """The circuits of these families or with these names; all where none is named. KeyError for an unknown one."""
    if not names:
        return suite()
    known = set(families()) | {entry.name for entry in suite()}
    if missing := sorted(set(names) - known):
        raise KeyError(f"no family or circuit is called {', '.join(missing)}; families: {', '.join(families())}")
    return tuple(entry for entry in suite() if entry.family in names or entry.name in names)
