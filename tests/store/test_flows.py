"""The database adds postings up as the pure rule does, for every period, project and programme."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.flows import balances_of, flows_of
from ledger.model import Entry
from ledger.periods import AsOf
from store import flows as flow_store
from store.database import Database


@pytest.fixture
def story(bookstory: Any, database: Database) -> Any:
    return bookstory.Story.autumn(database)


def states(bookstory: Any, story: Any) -> list[AsOf]:
    """The ends of October closed and open, of November and of the year."""
    october, november = (month.until_us(bookstory.ZONE) for month in (bookstory.OCTOBER, bookstory.NOVEMBER))
    return [AsOf(october, story.seq("hold/c")), AsOf(october), AsOf(november), AsOf(10**18)]


def inside(story: Any, after: AsOf | None, until: AsOf) -> list[Entry]:
    return [
        entry
        for seq, entry in enumerate(story.entries, 1)
        if until.covers(seq, entry.at_us) and not (after is not None and after.covers(seq, entry.at_us))
    ]


def test_any_period_adds_up_as_its_entries_do(bookstory: Any, story: Any) -> None:
    some = states(bookstory, story)
    seen = 0
    with story.database.read() as conn:
        for until in some:
            for after in (None, *some):
                expected = flows_of(inside(story, after, until), story.facts)
                assert flow_store.flows(conn, after, until) == expected
                seen += len(expected)
    assert seen > 100


def test_without_jobs_the_balances_are_the_same(bookstory: Any, story: Any) -> None:
    with story.database.read() as conn:
        found = flow_store.flows(conn, None, AsOf(10**18), by_job=False)
    assert {flow.member_id for flow in found} == {""}
    assert balances_of(found) == {key: balance for key, balance in story.book.balances.items() if balance}


def test_a_project_has_its_own_entries_and_transfers_to_its_grants(bookstory: Any, story: Any) -> None:
    with story.database.read() as conn:
        about = flow_store.of_project("zeta", ["g-zeta", "g-kind"])
        found = flow_store.flows(conn, None, AsOf(10**18), about)
    expected = [entry for entry in story.entries if entry.project_id == "zeta" or entry.kind == "transfer"]
    assert found == flows_of(expected, story.facts)


def test_a_programme_has_the_entries_of_the_projects_with_its_grants(bookstory: Any, story: Any) -> None:
    with story.database.read() as conn:
        found = flow_store.flows(conn, None, AsOf(10**18), flow_store.of_programmes(["kind"], ["zeta"]))
    expected = [entry for entry in story.entries if entry.project_id == "zeta" or entry.programme_id == "kind"]
    assert found == flows_of(expected, story.facts)


def test_claims_are_those_that_stood_at_the_time(bookstory: Any, story: Any) -> None:
    october, _, _, end = states(bookstory, story)
    with story.database.read() as conn:
        now = flow_store.claims_at(conn, end, ["vouchers", "kind"], 2026)
        then = flow_store.claims_at(conn, october, ["vouchers"], 2026)
        assert flow_store.claims_at(conn, end, ["vouchers"], 2025) == {}
    assert now == {scope: claimed for scope, claimed in story.book.claims.items() if claimed}
    # At the end of October job a had captured 30,900; b and c held 120,600 each.
    assert then == {"pool/vouchers/2026": 272_100, "cap/vouchers/2026/acme": 272_100}


def test_an_empty_book_has_no_flows(database: Database) -> None:
    with database.read() as conn:
        assert flow_store.flows(conn, None, AsOf(10**18)) == []
