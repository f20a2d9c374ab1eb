"""From a JSON document to a submission: what is kept, what is hashed, and which idempotency keys there are."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api.answers import Refused
from api.submission import idempotency_key, submission_of, submissions_of
from dispatcher.model import Caller, Refusal, Submission

MEMBER = Caller("mem_1", "prj_1", "member", "tok_1")
OPERATOR = Caller("mem_0", None, "operator", "tok_0")
JOB: dict[str, Any] = {"primitive": "sampler", "pubs": [{"circuit": {"format": "openqasm2", "content": "a"}}]}


def accepted(document: Any, caller: Caller = MEMBER, **more: Any) -> Submission:
    found = submission_of(document, caller, **more)
    assert isinstance(found, Submission), found
    return found


def test_everything_asked_for_reaches_the_submission() -> None:
    asked = {
        **JOB,
        "backend": "aer",
        "priority": -5,
        "name": "Bell · 贝尔",
        "tags": ["a", "b", "a"],
        "metadata": {"run": 7, "deep": {"x": [1]}},
        "time_limit_s": 1.5,
        "max_cost": 2_000_000,
    }
    found = accepted(asked, key="K")
    assert orjson.loads(found.work)["circuits"] == [{"format": "openqasm2", "content": "a"}]
    assert (found.primitive, found.backend, found.priority, found.name) == ("sampler", "aer", -5, "Bell · 贝尔")
    assert (found.tags, found.metadata) == (("a", "b"), {"run": 7, "deep": {"x": [1]}})
    assert (found.time_limit_us, found.max_cost, found.idempotency_key) == (1_500_000, 2_000_000, "K")
    assert found.project_id is None


def test_defaults_are_those_of_the_contract() -> None:
    found = accepted(JOB)
    assert (found.backend, found.priority, found.name, found.tags, found.metadata) == ("auto", 0, None, (), {})
    assert (found.time_limit_us, found.max_cost, found.idempotency_key, found.project_id) == (None, None, None, None)


def test_the_same_body_in_another_spelling_has_the_same_hash() -> None:
    spelled = orjson.loads(orjson.dumps(JOB, option=orjson.OPT_INDENT_2))
    reordered = dict(reversed(JOB.items()))
    hashes = {accepted(document).request_hash for document in (JOB, spelled, reordered)}
    assert len(hashes) == 1
    assert hashes.pop().startswith("sha256:")


@pytest.mark.parametrize("change", [{"priority": 1}, {"name": "x"}, {"options": {"seed": 1}}, {"backend": "aer"}])
def test_another_body_has_another_hash(change: dict[str, Any]) -> None:
    assert accepted({**JOB, **change}).request_hash != accepted(JOB).request_hash


def test_equal_work_is_equal_bytes_whatever_else_differs() -> None:
    listed = {**JOB, "circuits": [{"content": "a", "format": "openqasm2"}], "pubs": [{"circuit": 0, "shots": 1024}]}
    assert accepted(listed).work == accepted({**JOB, "name": "other"}).work


def test_an_operator_names_the_project() -> None:
    refusal = submission_of(JOB, OPERATOR, at="/jobs/1")
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "/jobs/1/project_id is required: your token belongs to no project"
    assert accepted({**JOB, "project_id": "prj_9"}, OPERATOR).project_id == "prj_9"


def test_a_member_may_name_their_own_project_and_no_other() -> None:
    assert accepted({**JOB, "project_id": "prj_1"}).project_id == "prj_1"
    refusal = submission_of({**JOB, "project_id": "prj_2"}, MEMBER)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_found"


def test_a_batch_keeps_its_order_and_numbers_its_keys() -> None:
    first, second, third = submissions_of([JOB, {"primitive": "x"}, JOB], MEMBER, key="K")
    assert isinstance(first, Submission)
    assert isinstance(second, Refusal)
    assert isinstance(third, Submission)
    assert (first.idempotency_key, third.idempotency_key) == ("K#0", "K#2")
    assert second.fields["errors"][0]["pointer"] == "/jobs/1/primitive"


def test_a_batch_without_a_key_has_none() -> None:
    (only,) = submissions_of([JOB], MEMBER)
    assert isinstance(only, Submission)
    assert only.idempotency_key is None


@pytest.mark.parametrize("key", ["a", "0b0e7a1e-6f1d-4a1e-9f4e-2f8d8f0d6a11", '"quoted"', "~" * 200, None])
def test_keys_that_are_taken(key: str | None) -> None:
    assert idempotency_key(key) == key


@pytest.mark.parametrize("key", ["", " ", "a b", "K#0", "\x7f", "é", "a\x00", "x" * 201, "a\n"])
def test_keys_that_are_not(key: str) -> None:
    with pytest.raises(Refused) as caught:
        idempotency_key(key)
    assert caught.value.refusal.code == "invalid_request"
    assert caught.value.refusal.fields["errors"][0]["parameter"] == "Idempotency-Key"
