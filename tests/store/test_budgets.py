"""Budgets inside projects, on both databases."""

from __future__ import annotations

from ledger.terms import Budget
from store import book, budgets

ANN = Budget("acme", "member", "acme-ann", 500)
THESIS = Budget("acme", "tag", "thesis", 2**62)
OTHER = Budget("zeta", "tag", "thesis", 0)


def put(town, *several):
    for one in several:
        town.database.writer.run(lambda c, one=one: budgets.put(c, one))


def of(town, *project_ids):
    with town.database.read() as connection:
        return budgets.of_projects(connection, project_ids)


def test_the_budgets_of_each_project(town):
    put(town, THESIS, OTHER, ANN)
    assert of(town, "acme", "zeta", "nobody") == {"acme": (ANN, THESIS), "zeta": (OTHER,)}
    assert of(town, "zeta") == {"zeta": (OTHER,)}
    assert of(town) == {}


def test_a_budget_set_again_takes_the_place_of_the_old_one(town):
    put(town, ANN, THESIS, Budget("acme", "member", "acme-ann", 7))
    assert of(town, "acme") == {"acme": (Budget("acme", "member", "acme-ann", 7), THESIS)}


def test_a_budget_is_taken_away_once(town):
    put(town, ANN, THESIS)

    def remove(*key):
        return town.database.writer.run(lambda c: budgets.remove(c, *key))

    assert not remove("zeta", "member", "acme-ann")
    assert not remove("acme", "tag", "acme-ann")
    assert remove("acme", "member", "acme-ann")
    assert not remove("acme", "member", "acme-ann")
    assert of(town, "acme") == {"acme": (THESIS,)}


def test_an_admission_loads_the_budgets_of_its_project_alone(town):
    put(town, ANN, OTHER)
    with town.database.read() as connection:
        loaded = book.load_book(connection, project_ids=["acme"], year=2026)
    assert loaded.budgets == {"acme": (ANN,)}
