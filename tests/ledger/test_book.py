"""A book finds a project's grants in burn order, however they came in."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ledger.book import Book, burn_order
from ledger.model import Grant

GRANT = Grant("G", "seed", "city", "acme", "CNY", 10, 0, 1000, 0, 0)


def test_an_empty_book_has_nothing() -> None:
    book = Book.empty()
    assert (book.grants, book.balances, book.holds) == ({}, {}, {})
    assert book.balance("facility/earned", "CNY") == 0
    assert book.wallet("acme", "CNY") == ()


def test_a_wallet_holds_one_projects_grants_in_one_asset() -> None:
    mine, shots = GRANT, replace(GRANT, id="S", asset="shots")
    book = Book(grants={"G": mine, "S": shots, "R": replace(GRANT, id="R", project_id="rival")}, balances={}, holds={})
    assert book.wallet("acme", "CNY") == (mine,)
    assert book.wallet("acme", "shots") == (shots,)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(0, 2)), max_size=6), st.randoms())
def test_a_wallet_is_in_burn_order_whether_loaded_or_grown(terms: list[tuple[int, int, int]], random: object) -> None:
    grants = [
        replace(GRANT, id=f"G{number}", priority=priority, valid_until_us=until_us, created_us=created_us)
        for number, (priority, until_us, created_us) in enumerate(terms)
    ]
    random.shuffle(grants)  # type: ignore[attr-defined]
    loaded = Book(grants={grant.id: grant for grant in grants}, balances={}, holds={})
    grown = Book.empty()
    for grant in grants:
        grown.put_grant(grant)
    assert loaded.wallet("acme", "CNY") == grown.wallet("acme", "CNY") == tuple(sorted(grants, key=burn_order))


def test_a_grants_newer_self_takes_its_place() -> None:
    book = Book(grants={"G": GRANT}, balances={}, holds={})
    expired = replace(GRANT, expired=True)
    book.put_grant(expired)
    assert book.grants == {"G": expired}
    assert book.wallet("acme", "CNY") == (expired,)


def test_a_copy_goes_its_own_way() -> None:
    book = Book(grants={"G": GRANT}, balances={("a", "CNY"): 1}, holds={})
    twin = book.copy()
    assert twin == book
    twin.put_grant(replace(GRANT, id="H"))
    twin.balances["a", "CNY"] = 2
    assert list(book.grants) == ["G"]
    assert book.wallet("acme", "CNY") == (GRANT,)
    assert book.balance("a", "CNY") == 1
