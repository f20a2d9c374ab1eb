"""The cursor of a list: opaque, safe in a URL, and only ever one that a list gave out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import job_lists
from store.errors import BadCursor
from store.rows import JobFilter


def page(town, cursor, limit=1):
    with town.database.read() as connection:
        return job_lists.list_jobs(connection, JobFilter(), cursor, limit)


@pytest.mark.parametrize("job_id", ["job-1", "量?&=/+", 'quo"te', ""])
def test_a_cursor_can_stand_in_a_url(sqlite_town, job_id):
    from store import jobs

    rows = [sqlite_town.job(job_id, created_us=2), sqlite_town.job("older", created_us=1)]
    sqlite_town.database.writer.run(lambda c: jobs.insert_jobs(c, rows))
    _, cursor = page(sqlite_town, None)
    assert re.fullmatch("[A-Za-z0-9_-]+", cursor)
    assert page(sqlite_town, cursor) == ([rows[1]], None)


@given(st.text() | st.binary().map(lambda raw: job_lists.base64.urlsafe_b64encode(raw).decode()))
def test_whatever_is_sent_as_a_cursor_is_understood_or_refused(cursor):
    try:
        created_us, job_id = job_lists._decode(cursor)
    except BadCursor:
        return
    assert isinstance(created_us, int)
    assert isinstance(job_id, str)
