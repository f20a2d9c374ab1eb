"""Rows are made from columns by position: the two must stand in the same order."""

from __future__ import annotations

import dataclasses

import pytest

from ledger.model import Grant
from store import rows, schema

PAIRS = [
    (rows.ProjectRow, schema.projects, ()),
    (rows.MemberRow, schema.members, ()),
    (rows.TokenRow, schema.tokens, ("secret_hash",)),
    (rows.FunderRow, schema.funders, ()),
    (rows.ProgrammeRow, schema.programmes, ()),
    (rows.QuoteRow, schema.quotes, ()),
    (rows.RequestRow, schema.requests, ()),
    (rows.JobRow, schema.jobs, ()),
    (rows.AttemptRow, schema.attempts, ()),
    (rows.HistoryRow, schema.history, ("notice",)),
    (rows.InboxRow, schema.inbox, ()),
    (rows.WorkerRow, schema.workers, ()),
    (rows.BackendRow, schema.backends, ()),
    (rows.EngineRow, schema.engines, ()),
    (rows.DisagreementRow, schema.disagreements, ()),
    (rows.UsageRow, schema.usage, ()),
    (rows.AuditRow, schema.audit, ()),
    (rows.CheckpointRow, schema.checkpoints, ()),
    (Grant, schema.grants, ()),
]


@pytest.mark.parametrize(("row", "table", "kept_back"), PAIRS, ids=lambda part: getattr(part, "__name__", None))
def test_fields_stand_in_the_order_of_the_columns(row, table, kept_back):
    fields = [field.name for field in dataclasses.fields(row)]
    assert fields == [column.name for column in table.columns if column.name not in kept_back]


def test_every_row_is_compared_here():
    given_in = {rows.JobChange, rows.JobFilter, rows.AttemptEnd, rows.Message, rows.NoticeRow}
    classes = {one for one in vars(rows).values() if dataclasses.is_dataclass(one)}
    assert classes - given_in == {row for row, _, _ in PAIRS if row is not Grant}


def test_a_row_can_not_be_changed():
    project = rows.ProjectRow("acme", "Acme", 100, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        project.weight = 1


def test_a_change_can_name_every_column_that_may_change():
    changeable = {field.name for field in dataclasses.fields(rows.JobChange)} - {"job_id", "at_us", "reason"}
    assert changeable <= {column.name for column in schema.jobs.columns}
