"""Flows are entries added up; balances follow from them."""

from __future__ import annotations

from typing import Any

from ledger.flows import Flow, JobFacts, balances_of, flows_of
from ledger.model import Entry, Posting


def settle(job_id: str, amount: int) -> Entry:
    moved = (Posting("grant/g/held", "facility/earned/funder/f", amount, "CNY"),)
    return Entry(f"settle/{job_id}", "settle", 5, moved, "acme", job_id)


def test_entries_that_differ_in_their_amounts_alone_become_one_flow() -> None:
    ann, bob = JobFacts("1", "acme", "ann", "chemistry", "aer"), JobFacts("3", "acme", "bob", "chemistry", "aer")
    jobs = {"1": ann, "2": ann, "3": bob}
    assert flows_of([settle("3", 1), settle("1", 20), settle("2", 300), settle("unknown", 4_000)], jobs) == [
        Flow("settle", "grant/g/held", "facility/earned/funder/f", "CNY", 4_000, "acme"),
        Flow("settle", "grant/g/held", "facility/earned/funder/f", "CNY", 320, "acme", "ann", "chemistry", "aer"),
        Flow("settle", "grant/g/held", "facility/earned/funder/f", "CNY", 1, "acme", "bob", "chemistry", "aer"),
    ]


def test_balances_that_are_even_again_are_left_out() -> None:
    flows = [
        Flow("hold", "grant/g/available", "grant/g/held", "CNY", 5),
        Flow("void", "grant/g/held", "grant/g/available", "CNY", 5),
        Flow("top_up", "payer/p", "wallet/p/available", "CNY", 3),
    ]
    assert balances_of(flows) == {("payer/p", "CNY"): -3, ("wallet/p/available", "CNY"): 3}


def test_the_flows_of_a_whole_autumn_lead_to_the_balances_of_its_book(bookstory: Any) -> None:
    story = bookstory.Story.autumn()
    standing = {key: balance for key, balance in story.book.balances.items() if balance}
    assert balances_of(flows_of(story.entries, story.facts)) == standing
    assert len(standing) > 10
