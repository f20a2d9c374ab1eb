"""The client's words, as requests of the HTTP contract."""

from __future__ import annotations

import base64
import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from qiskit import QuantumCircuit
from qiskit.qpy.common import QPY_VERSION

from qubator import Client, Submission
from qubator.errors import NotConfigured, NotFound, Refused
from qubator.job import Job
from qubator.money import Money

BELL2 = 'OPENQASM 2.0;include "qelib1.inc";qreg q[1];creg c[1];measure q->c;'
QUEUED = {"id": "job_1", "state": "queued", "primitive": "sampler", "version": 1}


def test_nothing_is_opened_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "Client", lambda *_, **__: pytest.fail("a socket pool was made"))
    assert repr(Client("http://x.example", "qb_x")) == "<qubator.Client http://x.example>"


def test_without_a_token_the_client_says_what_to_do() -> None:
    with pytest.raises(NotConfigured, match="qubator login"):
        Client()


def test_every_submission_has_a_key_of_its_own(script: Any) -> None:
    script.say(*[script.answer(201, QUEUED)] * 3)
    client = script.client()
    assert isinstance(client.submit(BELL2, shots=5), Job)
    client.submit(BELL2, shots=5)
    client.submit(BELL2, idempotency_key="mine")
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"
    assert script.lines() == ["POST /v1/jobs"] * 3
    assert script.bodies()[0]["options"] == {"shots": 5}


def test_an_older_service_gets_the_qpy_it_reads_from_then_on(script: Any) -> None:
    def version(body: Any) -> int:
        return base64.b64decode(body["circuits"][0]["content"])[6]

    refusal = {"version": 18, "version_max": 15}
    script.say(script.problem(422, "payload_unsupported", **refusal), *[script.answer(201, QUEUED)] * 2)
    client = script.client()
    circuit = QuantumCircuit(1, 1)
    client.submit(circuit, idempotency_key="K")
    client.submit(circuit)
    assert [version(body) for body in script.bodies()] == [QPY_VERSION, 15, 15]
    assert [request.headers["Idempotency-Key"] for request in script.requests][:2] == ["K", "K"]
    script.say(script.problem(422, "payload_unsupported", **refusal))
    with pytest.raises(Refused):
        client.quote(circuit)


def test_submitting_many_shares_terms_and_returns_or_raises_refusals(script: Any) -> None:
    refused = {"index": 1, "status": 402, "problem": {"code": "grant_exhausted", "detail": "too dear"}}
    rows = {"jobs": [{"index": 0, "status": 201, "job": QUEUED}, refused]}
    script.say(script.answer(200, rows), script.answer(200, rows))
    many: list[Any] = [BELL2, Submission([BELL2, BELL2], seed=3)]
    outcomes = script.client().submit_many(many, refusals="return", shots=9, tags=["t"])
    assert [type(each) for each in outcomes] == [Job, Refused]
    first, second = script.bodies()[0]["jobs"]
    assert (first["options"], first["tags"]) == ({"shots": 9}, ["t"])
    assert (second["options"], len(second["pubs"])) == ({"shots": 1024, "seed": 3}, 2)
    with pytest.raises(Refused, match="number 1: too dear"):
        script.client().submit_many(many)


def test_a_misspelt_term_is_a_type_error_before_sending(script: Any) -> None:
    with pytest.raises(TypeError, match="shot"):
        script.client().submit_many([BELL2], shot=5)


def test_a_quote_has_its_figures(script: Any, told: Any) -> None:
    script.say(script.answer(200, told.quoted()))
    found = script.client().quote(BELL2, shots=10)
    assert (found.expected, found.ceiling, found.backend, found.wait_us) == (Money(5), Money(9), "aer", 7)
    assert (found.id, found.expires, found.missing) == (
        "qte_1", datetime(2023, 11, 14, 22, 28, 20, tzinfo=UTC), Money(0),
    )  # fmt: skip
    assert [(one.payer, one.share, str(one.amount), one.worth) for one in found.payers] == [
        ("grt_1", "30 %", "40 shots", Money(2)), ("wallet", "rest", "0.000007 CNY", Money(7)),
    ]  # fmt: skip
    assert script.lines() == ["POST /v1/quotes"]
    assert "Idempotency-Key" not in script.requests[0].headers


def test_a_job_names_the_quote_it_was_given_and_its_category(script: Any, told: Any) -> None:
    script.say(script.answer(200, told.quoted()), *[script.answer(201, QUEUED)] * 3)
    client = script.client()
    quote = client.quote(BELL2, category="training")
    client.submit(BELL2, category="training", quote=quote)
    client.submit(BELL2, quote="qte_2")
    client.submit(BELL2)
    named = [(body.get("category"), body.get("quote_id")) for body in script.bodies()]
    assert named == [("training", None), ("training", "qte_1"), (None, "qte_2"), (None, None)]


def test_what_the_service_said_beside_its_yes_stays_with_the_job(script: Any) -> None:
    warning = {"code": "quota", "percent": 80, "detail": "80 % of the project's grants are used."}
    script.say(script.answer(201, {**QUEUED, "warnings": [warning]}), script.answer(200, QUEUED))
    job = script.client().submit(BELL2)
    assert job.refresh().warnings == [warning]
    assert Job(script.connection(), QUEUED).warnings == []


def test_jobs_are_read_page_by_page_as_needed(script: Any) -> None:
    pages = [[{**QUEUED, "id": f"job_{n}"} for n in (4, 3)], [{**QUEUED, "id": "job_2"}]]
    script.say(script.answer(200, {"jobs": pages[0], "next_cursor": "c"}))
    found = script.client().jobs(state=["queued", "running"], tag="t", since=datetime(2026, 1, 1, tzinfo=UTC), until=5)
    assert next(found).id == "job_4"
    assert next(found).id == "job_3"
    assert len(script.requests) == 1
    script.say(script.answer(200, {"jobs": pages[1], "next_cursor": None}))
    assert [job.id for job in found] == ["job_2"]
    assert script.lines() == [
        "GET /v1/jobs?state=queued&state=running&tag=t&since_us=1767225600000000&until_us=5&limit=100",
        "GET /v1/jobs?state=queued&state=running&tag=t&since_us=1767225600000000&until_us=5&limit=100&cursor=c",
    ]


def test_a_limit_of_jobs_reads_no_more_than_needed(script: Any) -> None:
    script.say(script.answer(200, {"jobs": [QUEUED, QUEUED], "next_cursor": "c"}))
    assert len(list(script.client().jobs(limit=2))) == 2
    assert script.lines() == ["GET /v1/jobs?limit=2"]


def test_a_quota_has_three_figures_in_total_and_per_grant(script: Any, told: Any) -> None:
    script.say(script.answer(200, told.balance(told.grant(available=50))))
    quota = script.client().quota()
    assert (quota.settled, quota.held, quota.available) == (Money(1_500_000), Money(500_000), Money(8_000_000))
    assert (quota.in_flight, quota.committed) == (Money(400_000), Money(100_000))
    assert quota.grants[0].available == Money(50)
    assert quota.grants[0].record["id"] == "grt_1"
    assert "record" not in repr(quota), "a notebook shows the figures once, not the document beside them"
    assert str(quota) == "settled 1.50 CNY, held 0.50 CNY, available 8.00 CNY"
    assert script.lines() == ["GET /v1/projects/me/balance"]


def test_the_plain_reads(script: Any) -> None:
    told = (QUEUED, {"backends": [{"name": "aer"}]}, {"role": "member"}, {"jobs": {}}, {"version": "0.1.0"})
    script.say(*[script.answer(200, body) for body in told], script.problem(404, "not_found"))
    client = script.client()
    assert client.job("job_1").id == "job_1"
    assert client.backends() == [{"name": "aer"}]
    assert client.me() == {"role": "member"}
    assert client.statement(project="prj_1") == {"jobs": {}}
    assert client.service_version() == {"version": "0.1.0"}
    with pytest.raises(NotFound):
        client.job("other")
    assert script.lines() == [
        "GET /v1/jobs/job_1", "GET /v1/backends", "GET /v1/me", "GET /v1/projects/prj_1/statement", "GET /v1/version",
        "GET /v1/jobs/other",
    ]  # fmt: skip


def test_a_client_is_copied_as_itself_and_pickled_without_sockets() -> None:
    with Client("http://x.example", "qb_x") as client:
        assert copy.deepcopy(client) is client
        assert pickle.loads(pickle.dumps(client)).url == "http://x.example"


def test_reports_of_a_month(script: Any) -> None:
    script.say(script.answer(200, {"month": "2026-11"}), script.table("section\nline\n"), script.table("BilledCost\n"))
    client = script.client()
    assert client.statement("2026-11") == {"month": "2026-11"}
    assert client.statement_csv("2026-11", project="prj_1") == "section\nline\n"
    assert client.focus("2026-11", version="1.2") == "BilledCost\n"
    assert script.lines() == [
        "GET /v1/projects/me/statements/2026-11",
        "GET /v1/projects/prj_1/statements/2026-11?format=csv",
        "GET /v1/projects/me/focus/2026-11?version=1.2",
    ]
