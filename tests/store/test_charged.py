"""Histories of jobs as the store tells them: which entries lie in the period, and what is known of the job."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.charges import History, charged
from ledger.periods import AsOf
from store import charged as charge_store
from store.database import Database


@pytest.fixture
def story(bookstory: Any, database: Database) -> Any:
    return bookstory.Story.autumn(database)


def november(bookstory: Any, story: Any) -> tuple[AsOf, AsOf]:
    """October was closed before c was settled."""
    october = AsOf(bookstory.OCTOBER.until_us(bookstory.ZONE), story.seq("hold/c"))
    return october, AsOf(bookstory.NOVEMBER.until_us(bookstory.ZONE))


def told(histories: list[History]) -> dict[str, tuple[list[str], set[str]]]:
    return {each.job.job_id: ([entry.id for entry in each.entries], set(each.inside)) for each in histories}


def test_a_month_has_what_was_settled_and_what_was_corrected_in_it(bookstory: Any, story: Any) -> None:
    with story.database.read() as conn:
        found = list(charge_store.histories(conn, "acme", *november(bookstory, story)))
    assert told(found) == {
        "a": (["settle/a", "correct/fix-a"], {"correct/fix-a"}),
        "b": (["settle/b", "correct/fix-b"], {"settle/b", "correct/fix-b"}),
        "c": (["settle/c"], {"settle/c"}),
        "d": (["settle/d"], {"settle/d"}),
    }


def test_the_month_before_knows_nothing_of_later_corrections(bookstory: Any, story: Any) -> None:
    october, _ = november(bookstory, story)
    with story.database.read() as conn:
        found = list(charge_store.histories(conn, "acme", None, october))
    assert told(found) == {"a": (["settle/a"], {"settle/a"})}


def test_only_the_corrected_ones_if_that_is_asked_for(bookstory: Any, story: Any) -> None:
    with story.database.read() as conn:
        found = list(charge_store.histories(conn, "acme", *november(bookstory, story), corrected_only=True))
    assert set(told(found)) == {"a", "b"}


def test_the_job_is_told_with_its_member_and_its_tags(bookstory: Any, story: Any) -> None:
    with story.database.read() as conn:
        found = list(charge_store.histories(conn, "acme", None, AsOf(10**18)))
    assert {each.job.job_id: each.job for each in found} == {job: story.facts[job] for job in "abcd"}


def test_what_a_job_used_is_told(bookstory: Any, story: Any) -> None:
    usage = 'UPDATE jobs SET "usage" = \'{"qpu_ms": 10, "shots": 7}\' WHERE id = \'c\''
    story.database.writer.run(lambda conn: conn.exec_driver_sql(usage))
    with story.database.read() as conn:
        found = {each.job.job_id: each.job.used for each in charge_store.histories(conn, "acme", None, AsOf(10**18))}
    assert found == {"a": (), "b": (), "c": (("qpu_ms", 10), ("shots", 7)), "d": ()}


def test_charges_follow_from_it(bookstory: Any, story: Any) -> None:
    with story.database.read() as conn:
        read = charge_store.histories(conn, "zeta", *november(bookstory, story))
        (charge,) = charged(read)
    assert (charge.price, charge.copay(story.book.grants)) == (21_000, 400)
