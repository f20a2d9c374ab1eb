"""Notices stand in the history between the steps of jobs, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from store import jobs, notices, schema
from store.rows import HistoryRow, NoticeRow


def test_they_are_numbered_with_the_steps_of_jobs(town: Any) -> None:
    def unit(conn: Any) -> None:
        jobs.insert_jobs(conn, [town.job()])
        notices.append(conn, "acme", 5, "quota_warning", {"percent": 80})
        notices.append(conn, "zeta", 6, "quota_warning", {"percent": 95})
        notices.append(conn, "acme", 7, "quota_warning", {"percent": 95})

    town.database.writer.run(unit)
    with town.database.read() as conn:
        step, *told = jobs.history_since(conn, 0, "acme", 10)
        assert isinstance(step, HistoryRow)
        assert told == [
            NoticeRow(2, "acme", 5, "quota_warning", {"percent": 80}),
            NoticeRow(4, "acme", 7, "quota_warning", {"percent": 95}),
        ]
        assert [row.seq for row in jobs.history_since(conn, 1, None, 2)] == [2, 3]
        assert jobs.history_of(conn, "job-1") == [step]
        assert notices.notices_since(conn, "acme", 6) == told[1:]


def test_a_row_is_about_a_job_or_a_notice(town: Any) -> None:
    row = {"project_id": "acme", "at_us": 5, "state": "x", "reason": ""}
    for wrong in (row, {**row, "job_id": "job-1", "version": 1, "notice": {"percent": 80}}):
        with pytest.raises(IntegrityError, match="history_subject"):
            town.database.writer.run(lambda conn, wrong=wrong: conn.execute(insert(schema.history).values(**wrong)))
