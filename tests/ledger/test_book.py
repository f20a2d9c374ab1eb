"""A book finds a project's grants in burn order, however they came in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.book import Book, burn_order
from ledger.model import Grant
from ledger.terms import Budget, Rule, Terms

GRANT = Grant("G", "seed", (("city", 1),), "acme", "CNY", 10, 0, 1000, 0, 0)


def test_an_empty_book_has_nothing() -> None:
    book = Book.empty()
    assert (book.grants, book.balances, book.holds, book.terms, book.claims, book.budgets) == ({}, {}, {}, {}, {}, {})
    assert book.balance("facility/earned/copay", "CNY") == 0
    assert book.grants_of("acme") == ()


def test_a_projects_grants_are_its_own_in_every_asset() -> None:
    mine, shots = GRANT, replace(GRANT, id="S", asset="shots")
    book = Book(grants={"G": mine, "S": shots, "R": replace(GRANT, id="R", project_id="rival")}, balances={}, holds={})
    assert book.grants_of("acme") == (mine, shots)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"priority": 1, "valid_until_us": 2000}, {"priority": 2, "valid_until_us": 500}, id="priority"),
        pytest.param({"valid_until_us": 500}, {"valid_until_us": 501, "members": ("ann",)}, id="earliest expiry"),
        pytest.param({"members": ("ann",), "created_us": 9}, {"created_us": 5}, id="restricted before general"),
        pytest.param({"created_us": 4}, {"created_us": 5}, id="oldest"),
        pytest.param({}, {}, id="id"),
    ],
)
def test_burn_order(first: dict[str, Any], second: dict[str, Any]) -> None:
    """With all else equal "A" burns before "B"."""
    grants = [replace(GRANT, id="B", **second), replace(GRANT, id="A", **first)]
    assert [grant.id for grant in sorted(grants, key=burn_order)] == ["A", "B"]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(0, 2)), max_size=6), st.randoms())
def test_grants_are_in_burn_order_whether_loaded_or_grown(terms: list[tuple[int, int, int]], random: Any) -> None:
    grants = [
        replace(GRANT, id=f"G{number}", priority=priority, valid_until_us=until_us, created_us=created_us)
        for number, (priority, until_us, created_us) in enumerate(terms)
    ]
    random.shuffle(grants)
    loaded = Book(grants={grant.id: grant for grant in grants}, balances={}, holds={})
    grown = Book.empty()
    for grant in grants:
        grown.put_grant(grant)
    assert loaded.grants_of("acme") == grown.grants_of("acme") == tuple(sorted(grants, key=burn_order))


def test_a_grants_newer_self_takes_its_place() -> None:
    book = Book(grants={"G": GRANT}, balances={}, holds={})
    expired = replace(GRANT, expired=True)
    book.put_grant(expired)
    assert book.grants == {"G": expired}
    assert book.grants_of("acme") == (expired,)


def test_a_copy_goes_its_own_way() -> None:
    book = Book(grants={"G": GRANT}, balances={("a", "CNY"): 1}, holds={}, claims={"pool/seed/2026": 3})
    twin = book.copy()
    assert twin == book
    twin.put_grant(replace(GRANT, id="H"))
    twin.balances["a", "CNY"] = 2
    twin.claims["pool/seed/2026"] = 4
    twin.terms["seed"] = Terms("seed", 1, (Rule(1),))
    twin.budgets["acme"] = (Budget("acme", "tag", "vqe", 1),)
    assert (list(book.grants), book.grants_of("acme")) == (["G"], (GRANT,))
    assert (book.balance("a", "CNY"), book.claims, book.terms, book.budgets) == (1, {"pool/seed/2026": 3}, {}, {})
