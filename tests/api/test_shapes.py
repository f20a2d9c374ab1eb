"""Rows as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

from api import shapes
from api.schemas import answers, funding, people, prices
from dispatcher.model import Caller
from dispatcher.quota_marks import QuotaWarning
from ledger.model import Grant
from store.rows import AttemptRow, FunderRow, HistoryRow, JobRow, MemberRow, ProgrammeRow, ProjectRow, TokenRow


def job(**change: Any) -> JobRow:
    row: dict[str, Any] = {
        "id": "job_1",
        "project_id": "prj_1",
        "member_id": "mem_1",
        "primitive": "sampler",
        "name": None,
        "state": "queued",
        "version": 1,
        "priority": 0,
        "backend_asked": "auto",
        "backend": "aer",
        "tags": ("a",),
        "metadata": {},
        "request_hash": "h",
        "idempotency_key": None,
        "work_hash": "w",
        "created_us": 1_790_000_000_123_456,
        "started_us": None,
        "ended_us": None,
        "time_limit_us": 60_000_000,
        "max_cost": None,
        "estimate_us": 2_600,
        "quote": prices.QUOTE_EXAMPLE,
        "findings": {},
    }
    return JobRow(**{**row, **change})


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_790_000_000_123_456, "2026-09-21T14:13:20.123456Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000, None),
        (2**63 - 1, None),
        (None, None),
    ],
)
def test_instants_as_text(at_us: int | None, text: str | None) -> None:
    assert shapes.rfc3339(at_us) == text


def test_a_queued_job() -> None:
    told = shapes.full_job(job(), "position 4 of 10")
    assert (told["wait_reason"], told["cost"], told["problem"], told["usage"]) == ("position 4 of 10", None, None, None)
    assert (told["created_at"], told["started_at"]) == ("2026-09-21T14:13:20.123456Z", None)
    assert told["links"] == {
        "self": "/v1/jobs/job_1",
        "result": "/v1/jobs/job_1/result",
        "receipt": "/v1/jobs/job_1/receipt",
        "events": "/v1/jobs/job_1/events",
    }


def test_what_tells_requests_and_blobs_apart_stays_inside() -> None:
    assert {"request_hash", "idempotency_key", "work_hash", "result_hash"} & shapes.full_job(job()).keys() == set()


def test_a_list_leaves_out_what_may_be_a_thousand_circuits() -> None:
    row = job(findings={"circuits": [{"qubits": 2}], "totals": {"shots": 5}})
    assert shapes.listed_job(row) == {**shapes.full_job(row), "findings": {"totals": {"shots": 5}}}
    assert row.findings["circuits"] == [{"qubits": 2}]


def test_an_ended_job_has_its_cost() -> None:
    ended = job(state="succeeded", receipt={"charged": 42, "asset": "CNY"}, result_size=9)
    told = shapes.full_job(ended)
    assert (told["cost"], told["result_bytes"]) == ({"micro": 42, "asset": "CNY"}, 9)


def test_a_failed_job_has_its_problem_explained() -> None:
    problem = {"code": "time_limit_reached", "detail": "60 s were over.", "kind": "timeout", "charged": True}
    assert shapes.full_job(job(state="failed", problem=problem))["problem"] == {
        "type": "/problems/time_limit_reached",
        "title": "The job reached its time limit",
        "status": 422,
        "detail": "60 s were over.",
        "code": "time_limit_reached",
        "kind": "timeout",
        "charged": True,
    }


def test_documents_have_every_field_that_is_documented() -> None:
    history = HistoryRow(7, "job_1", "prj_1", 5, "running", "started", 2)
    attempt = AttemptRow("job_1/0.1", "job_1", 1, 99, "wrk", "aer", "leased", 5, None, None, 9)
    grant = Grant("grt", "pgm", (("fun", 1),), "prj", "CNY", 5, 1, 2, 100, 1)
    told = [
        (answers.Job, shapes.full_job(job())),
        (answers.BriefJob, shapes.brief_job(job())),
        (answers.Change, shapes.change(history)),
        (answers.Attempt, shapes.attempt(attempt)),
        (people.Project, shapes.project(ProjectRow("p", "n", 100, 5))),
        (people.Member, shapes.member(MemberRow("m", "p", "n", "member", 5))),
        (people.Token, shapes.token(TokenRow("t", "m", "p", "member", "l", 5))),
        (people.CallerTold, shapes.caller(Caller("m", "p", "member", "t"))),
        (funding.Funder, shapes.funder(FunderRow("f", "n", 5))),
        (funding.Programme, shapes.programme(ProgrammeRow("p", "f", "n", "CNY", 5), 3)),
        (funding.Grant, shapes.grant(grant)),
        (answers.QuotaWarning, shapes.quota_warning(QuotaWarning("p", 95, 96, 100, "CNY"))),
    ]
    for model, document in told:
        assert set(document) == set(model.model_fields), model
        model.model_validate(document)


def test_a_grant_of_several_funders_names_the_one_that_leads() -> None:
    told = shapes.grant(
        Grant("grt", "pgm", (("lead", 3), ("other", 1)), "prj", "CNY", 5, 1, 2, 100, 1, backends=("aer",))
    )
    assert (told["funder_id"], told["funders"], told["backends"]) == ("lead", (("lead", 3), ("other", 1)), ("aer",))


def test_a_quota_warning_says_how_much_of_what() -> None:
    told = shapes.quota_warning(QuotaWarning("prj", 80, 80_500_000, 100_000_000, "CNY"))
    assert told["detail"] == (
        "80 % of the project's grants in CNY are used: 80.500000 CNY of 100.000000 CNY are spent or held."
    )


def test_the_fencing_token_stays_inside() -> None:
    attempt = AttemptRow("job_1/0.1", "job_1", 1, 99, "wrk", "aer", "leased", 5, None, None, 9)
    assert "token" not in shapes.attempt(attempt)
