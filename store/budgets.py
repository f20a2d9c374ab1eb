"""Limits inside a project, for a member or a tag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from ledger.terms import Budget
from store import schema
from store.bulk import Asked, Query
from store.columns import among_many

_budgets = schema.budgets
_OF_PROJECTS = Query(
    select(_budgets).where(among_many(_budgets.c.project_id, "ids")).order_by(_budgets.c.kind, _budgets.c.key)
)


def put(connection: Connection, budget: Budget) -> None:
    """Set a budget, in place of what it was."""
    remove(connection, budget.project_id, budget.kind, budget.key)
    row = {"project_id": budget.project_id, "kind": budget.kind, "key": budget.key, "most": budget.limit}
    connection.execute(insert(_budgets).values(**row))


def remove(connection: Connection, project_id: str, kind: str, key: str) -> bool:
    """Take a limit away; False when there is none."""
    chosen = (_budgets.c.project_id == project_id) & (_budgets.c.kind == kind) & (_budgets.c.key == key)
    return connection.execute(delete(_budgets).where(chosen)).rowcount > 0


def asked_of_projects(connection: Connection, project_ids: Iterable[str]) -> Asked:
    """The question for the budgets of projects; `budgets_from` reads the answer."""
    return _OF_PROJECTS.asked(connection, ids=sorted(project_ids))


def budgets_from(rows: Iterable[Sequence[Any]]) -> dict[str, tuple[Budget, ...]]:
    """By project id; projects without any are left out."""
    found: dict[str, tuple[Budget, ...]] = {}
    for project_id, kind, key, most in rows:
        found[project_id] = (*found.get(project_id, ()), Budget(project_id, kind, key, most))
    return found


def of_projects(connection: Connection, project_ids: Iterable[str]) -> dict[str, tuple[Budget, ...]]:
    """The budgets of projects, by project id; projects without any are left out."""
    ids = sorted(project_ids)
    return budgets_from(_OF_PROJECTS(connection, ids=ids)) if ids else {}
