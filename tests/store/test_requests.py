"""Acts that wait for a second operator, on both databases: each is decided once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store import requests
from store.errors import Duplicate
from store.rows import RequestRow

RAISE = RequestRow("req-2", "increase", "grt-1", {"amount": 2**53}, "more work", "olga", 20)
CORRECT = RequestRow("req-1", "correct", "job-1", {"lines": []}, "wrong usage", "omar", 20)
OLD = RequestRow("req-3", "claw_back", "grt-1", {"amount": 1}, "unused", "olga", 10)


@pytest.fixture
def asked(database):
    for row in (RAISE, CORRECT, OLD):
        database.writer.run(lambda c, row=row: requests.insert_request(c, row))
    return database


def listed(database, state):
    with database.read() as connection:
        return requests.list_requests(connection, state)


def test_requests_wait_oldest_first(asked):
    assert listed(asked, "open") == listed(asked, None) == [OLD, CORRECT, RAISE]
    assert listed(asked, "approved") == []


def test_a_request_is_decided_once(asked):
    asked.writer.run(lambda c: requests.decide(c, "req-1", "approved", "olga", 30))
    for state in ("approved", "refused"):
        with pytest.raises(LookupError, match="request req-1 is not open"):
            asked.writer.run(lambda c, state=state: requests.decide(c, "req-1", state, "otto", 31))
    with pytest.raises(LookupError, match="request req-9 is not open"):
        asked.writer.run(lambda c: requests.decide(c, "req-9", "refused", "otto", 31))
    approved = replace(CORRECT, state="approved", decided_by="olga", decided_us=30)
    assert listed(asked, None) == [OLD, approved, RAISE]
    assert listed(asked, "approved") == [approved]
    assert listed(asked, "open") == [OLD, RAISE]


def test_one_request_also_while_it_is_decided(asked):
    with asked.read() as connection:
        assert requests.get_request(connection, "req-2") == RAISE
        assert requests.get_request(connection, "req-9") is None
    assert asked.writer.run(lambda c: requests.get_request(c, "req-2")) == RAISE


def test_an_id_is_used_once(asked):
    with pytest.raises(Duplicate):
        asked.writer.run(lambda c: requests.insert_request(c, replace(OLD, id="req-1")))


def test_two_operators_at_once_decide_one_request_once(asked):
    """The second finds it closed in its own transaction, not after it."""

    def unit(connection, by):
        row = requests.get_request(connection, "req-1")
        if row.state != "open":
            return f"{row.state} by {row.decided_by}"
        requests.decide(connection, "req-1", "approved" if by == "olga" else "refused", by, 30)
        return "done"

    answers = [asked.writer.submit(lambda c, by=by: unit(c, by)) for by in ("olga", "otto")]
    assert [one.result(30) for one in answers] == ["done", "approved by olga"]
