"""Following one job: few requests, clear ends."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import numpy as np
import pytest

from qubator.errors import Conflict, JobCancelled, JobFailed, WaitTimeout
from qubator.job import Job
from qubator.money import Money

RECORD = {
    "id": "job_1", "primitive": "sampler", "state": "queued", "version": 1, "backend": "aer", "name": "bell",
    "tags": ["a"], "metadata": {"k": 1}, "created_us": 1_700_000_000_000_000, "wait_reason": "position 2 of 4",
    "quote": {"expected": {"micro": 5, "asset": "CNY"}, "ceiling": {"micro": 9, "asset": "CNY"}}, "cost": None,
}  # fmt: skip
DONE = {**RECORD, "state": "succeeded", "version": 3, "wait_reason": None, "cost": {"micro": 4, "asset": "CNY"}}
FAILED = {
    **RECORD,
    "state": "failed",
    "version": 3,
    "problem": {"code": "circuit_failed", "detail": "no", "kind": "user"},
}


def evs_document(value: float) -> dict[str, Any]:
    def wire(number: float) -> dict[str, Any]:
        return {"dtype": "<f8", "shape": [], "base64": base64.b64encode(np.float64(number).tobytes()).decode()}

    return {"v": 1, "primitive": "estimator", "pubs": [{"evs": wire(value), "stds": wire(0.0), "metadata": {}}]}


def job(script: Any, record: dict[str, Any] | None = None) -> Job:
    return Job(script.connection(), record or RECORD)


def test_what_was_read_is_shown_without_a_call(script: Any) -> None:
    one = job(script)
    assert (one.id, one.state, one.name, one.backend, one.primitive) == ("job_1", "queued", "bell", "aer", "sampler")
    assert (one.tags, one.metadata, one.ended, one.wait_reason) == (["a"], {"k": 1}, False, "position 2 of 4")
    assert one.quote == {"expected": Money(5), "ceiling": Money(9)}
    assert one.created_at.isoformat() == "2023-11-14T22:13:20+00:00"
    assert repr(one) == "<qubator.Job job_1 queued name='bell'>"


def test_a_result_takes_one_request(script: Any) -> None:
    script.say(script.answer(200, evs_document(0.5)))
    one = job(script)
    assert float(one.result()[0].data.evs) == 0.5
    assert float(one.result()[0].data.evs) == 0.5
    assert script.lines() == ["GET /v1/jobs/job_1/result?wait=30"]
    assert (one.status(), one.done()) == ("succeeded", True)


def test_a_result_that_takes_long_is_asked_for_again(script: Any) -> None:
    script.say(script.problem(409, "job_not_finished"), script.answer(200, evs_document(1.0)))
    job(script).result()
    assert script.lines() == ["GET /v1/jobs/job_1/result?wait=30"] * 2


def test_a_failed_job_raises_its_problem_and_needs_no_further_request(script: Any) -> None:
    script.say(script.problem(409, "job_has_no_result", state="failed", problem=FAILED["problem"]))
    one = job(script)
    for _ in range(2):
        with pytest.raises(JobFailed, match="job job_1 failed: no") as caught:
            one.result()
    assert (caught.value.code, caught.value.job, caught.value.fields) == ("circuit_failed", one, {"kind": "user"})
    assert one.state == "failed"


def test_a_cancelled_job_raises_that_it_was(script: Any) -> None:
    script.say(script.problem(409, "job_has_no_result", state="cancelled"))
    with pytest.raises(JobCancelled, match="was cancelled"):
        job(script).result()


def test_a_service_that_tells_less_of_the_end_is_asked(script: Any) -> None:
    script.say(script.problem(409, "job_has_no_result"), script.answer(200, FAILED))
    with pytest.raises(JobFailed, match="failed: no"):
        job(script).result()


def test_a_job_known_to_have_failed_is_asked_why(script: Any) -> None:
    script.say(script.answer(200, FAILED))
    with pytest.raises(JobFailed, match="failed: no"):
        job(script, {"id": "job_1", "state": "failed"}).result()
    assert script.lines() == ["GET /v1/jobs/job_1"]


def test_a_lost_result_of_a_succeeded_job_is_no_endless_loop(script: Any) -> None:
    script.say(script.problem(409, "job_has_no_result", state="succeeded"), script.answer(200, DONE))
    with pytest.raises(Conflict):
        job(script).result()


def test_a_callers_time_limit_is_kept(script: Any) -> None:
    script.say(script.problem(409, "job_not_finished"))
    with pytest.raises(WaitTimeout, match="job_1 queued: position 2 of 4 after 0 s"):
        job(script).result(timeout=0)
    assert script.lines() == ["GET /v1/jobs/job_1/result?wait=0"]


def test_waiting_holds_a_request_until_the_end(script: Any) -> None:
    script.say(script.answer(200, RECORD), script.answer(200, DONE))
    one = job(script).wait()
    assert one.cost == Money(4)
    assert script.lines() == ["GET /v1/jobs/job_1?wait=30"] * 2
    assert one.wait() is one


def test_waiting_with_an_eye_on_it_follows_every_change(script: Any) -> None:
    script.say(script.answer(200, {**RECORD, "state": "running", "version": 2}), script.answer(200, DONE))
    seen: list[str] = []
    job(script).wait(progress=lambda each: seen.append(each.state))
    assert seen == ["running", "succeeded"]
    assert script.lines() == ["GET /v1/jobs/job_1?wait=30&version=1", "GET /v1/jobs/job_1?wait=30&version=2"]


def test_done_asks_until_the_end_is_known(script: Any) -> None:
    script.say(script.answer(200, RECORD), script.answer(200, DONE))
    one = job(script)
    assert [one.done(), one.done(), one.done()] == [False, True, True]


def test_a_failed_job_is_no_error_of_waiting(script: Any) -> None:
    script.say(script.answer(200, FAILED))
    assert job(script).wait().problem["code"] == "circuit_failed"


def test_cost_is_read_anew_while_it_may_change(script: Any) -> None:
    script.say(script.answer(200, RECORD), script.answer(200, DONE))
    one = job(script)
    assert one.cost is None
    assert one.cost == Money(4)
    assert one.cost == Money(4)


def test_cancel_tells_whether_it_helped(script: Any) -> None:
    script.say(script.answer(200, {**RECORD, "state": "cancelling"}))
    assert job(script).cancel() is True
    script.say(script.answer(200, RECORD))  # asked for, and not yet carried out
    assert job(script).cancel() is True
    script.say(script.problem(409, "job_ended"), script.answer(200, DONE))
    assert job(script).cancel() is False
    assert job(script, DONE).cancel() is False


def test_a_cancel_whose_answer_was_lost_is_still_a_cancel(script: Any) -> None:
    script.say(script.problem(502, "gateway"), script.problem(409, "job_ended"),
               script.answer(200, {**RECORD, "state": "cancelled"}))  # fmt: skip
    assert job(script).cancel() is True


def test_a_short_record_is_completed_when_somebody_asks(script: Any) -> None:
    script.say(script.answer(200, RECORD))
    one = job(script, {"id": "job_1", "state": "queued"})
    assert (one.backend, one.name) == ("aer", "bell")


def test_a_notebook_shows_a_table_without_letting_names_speak_html(script: Any) -> None:
    html = job(script, {**RECORD, "name": "<script>"})._repr_html_()
    assert "<th style='text-align:left'>state</th><td>queued</td>" in html
    assert "&lt;script&gt;" in html


def test_receipt_and_history_are_one_request_each(script: Any) -> None:
    script.say(script.answer(200, {"charged": 4}), script.answer(200, {"history": [{"state": "queued"}]}))
    assert job(script).receipt() == {"charged": 4}
    assert job(script).history() == [{"state": "queued"}]
    assert script.lines() == ["GET /v1/jobs/job_1/receipt", "GET /v1/jobs/job_1/history"]
    script.say(script.answer(200, {"charged": 4, "explain": []}))
    assert job(script).receipt(explain=True)["explain"] == []
    assert script.lines()[-1] == "GET /v1/jobs/job_1/receipt?explain=1"


def test_a_strange_id_stays_in_its_place(script: Any) -> None:
    script.say(script.answer(200, RECORD))
    job(script, {"id": "../me"}).refresh()
    assert script.lines() == ["GET /v1/jobs/..%2Fme"]


def test_the_result_now_or_not_at_all(script: Any) -> None:
    script.say(script.problem(409, "job_not_finished"))
    with pytest.raises(Conflict):
        job(script).document_now()
    script.say(script.problem(409, "job_has_no_result", state="failed", problem=FAILED["problem"]))
    with pytest.raises(JobFailed):
        job(script).document_now()
    assert script.lines() == ["GET /v1/jobs/job_1/result"] * 2


def test_a_job_travels_between_processes() -> None:
    from qubator.connection import Connection
    from qubator.profile import Settings

    one = Job(Connection(Settings("http://x.example", "qb_x")), RECORD)
    assert pickle.loads(pickle.dumps(one)).record == RECORD
