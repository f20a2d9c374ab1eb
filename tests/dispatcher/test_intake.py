"""Admission: what an accepted job leaves behind, that a refused one leaves nothing, that a retry finds the first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import orjson
import pytest

from dispatcher.admission import Accepted
from dispatcher.intake import QuoteAnswer
from dispatcher.model import Refusal
from store import attempts, book, inbox, inspections, workers
from store.rows import WorkerRow
from workers.inspector import InspectorUnavailable

HELD = 1_000 + 250 * 500 + 100
DAY_US = 86_400_000_000


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def test_an_accepted_job_is_there_with_its_hold_its_payload_and_its_letter(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann, name="bell", tags=("a", "b"), metadata={"n": 1}, priority=3, idempotency_key="k")
    assert zone.job(job) == job
    assert (job.state, job.version, job.project_id, job.member_id) == ("queued", 1, ann.project_id, ann.member_id)
    assert (job.name, job.tags, job.metadata, job.priority) == ("bell", ("a", "b"), {"n": 1}, 3)
    assert (job.backend_asked, job.backend, job.time_limit_us) == ("auto", "ideal", 60_000_000)
    assert job.quote["ceiling"] == {"micro": HELD, "asset": "CNY"}
    with zone.database.read() as conn:
        assert zone.ground.blobs.get(conn, job.work_hash) == b'{"shots":1000}'
        assert inspections.get_many(conn, [job.work_hash]) == {job.work_hash: job.findings}
        assert book.hold_of(conn, job.id).amount == HELD
        letter = inbox.read(conn, 10)[-1]
    assert (letter.kind, letter.body["job_id"], letter.body["work_hash"]) == ("job_submitted", job.id, job.work_hash)
    assert letter.body["backends"] == ["ideal", "aer", "aer-statevector", "aer-stabilizer", "aer-mps"]
    assert zone.violations() == []


def test_a_payload_is_measured_once_whoever_sends_it(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    first, second = zone.room.submit(ann, [zone.submission(), zone.submission(name="the same work")])
    third = zone.ask(bob)
    assert zone.inspector.inspected == [b'{"shots":1000}']
    assert len({answer.job.id for answer in (first, second, third)}) == 3
    assert zone.rows()["blobs"] == 1


def test_findings_of_another_version_are_measured_again(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann)
    zone.write(lambda conn: inspections.put_many(conn, {job.work_hash: {"qubits": 2}}, 1))
    zone.submit(ann)
    assert zone.inspector.inspected == [b'{"shots":1000}'] * 2


# Idempotency.


def test_the_same_key_and_body_is_the_same_job(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann, idempotency_key="k")
    rows = zone.rows()
    again = zone.ask(ann, idempotency_key="k")
    assert again == Accepted(job, created=False)
    assert zone.rows() == rows
    assert len(zone.inspector.inspected) == 1, "a retry is not measured again"


def test_the_same_key_with_another_body_is_a_conflict(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann, idempotency_key="k")
    rows = zone.rows()
    answer = refusal(zone.ask(ann, idempotency_key="k", name="another"))
    assert (answer.code, answer.fields) == ("idempotency_conflict", {"job_id": job.id, "idempotency_key": "k"})
    assert zone.rows() == rows


def test_a_retry_finds_its_job_after_it_has_ended_and_after_the_grant_is_spent(led: Any) -> None:
    ann = led.startup(grant=HELD)
    job = led.run(ann, idempotency_key="k")
    led.clock.pass_(2 * 86_400)
    led.turn()
    again = led.ask(ann, idempotency_key="k")
    assert (again.created, again.job.id, again.job.state) == (False, job.id, "succeeded")


def test_a_retry_is_answered_even_when_nothing_can_be_inspected(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann, idempotency_key="k")
    zone.write(lambda conn: conn.exec_driver_sql("DELETE FROM inspections"))
    shut(zone)
    assert zone.ask(ann, idempotency_key="k") == Accepted(job, created=False)
    assert refusal(zone.ask(ann, idempotency_key="new")).code == "unavailable"


def test_a_key_belongs_to_its_project(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    assert zone.submit(ann, idempotency_key="k").id != zone.submit(bob, idempotency_key="k").id
    again = zone.ask(zone.operator, idempotency_key="k", project_id=bob.project_id, request_hash="other")
    assert refusal(again).code == "idempotency_conflict"


def test_the_same_key_twice_in_one_batch_is_one_job(zone: Any) -> None:
    ann = zone.startup()
    same, other = zone.submission(idempotency_key="k"), zone.submission(idempotency_key="k", name="other")
    first, second, third = zone.room.submit(ann, [same, same, other])
    assert (first.created, second.created, second.job.id) == (True, False, first.job.id)
    assert refusal(third).code == "idempotency_conflict"
    assert (zone.rows()["jobs"], zone.rows()["holds"]) == (1, 1)


@pytest.mark.parametrize("bodies", [("one", "one"), ("one", "other")], ids=["same body", "other body"])
def test_a_retry_that_overtakes_the_first_try_gets_the_same_answer(everywhere: Any, bodies: tuple[str, str]) -> None:
    """Both tries have found the key unused and measured the payload when either of them is admitted."""
    zone = everywhere
    ann = zone.startup()
    meeting = threading.Barrier(2, timeout=10)
    zone.inspector.before = meeting.wait
    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(zone.ask, ann, idempotency_key="k", name=body) for body in bodies]
        answers = [one.result(20) for one in tries]
    created = [one for one in answers if isinstance(one, Accepted) and one.created]
    assert len(created) == 1
    (other,) = (one for one in answers if one is not created[0])
    if bodies[0] == bodies[1]:
        assert other == Accepted(created[0].job, created=False)
    else:
        assert refusal(other).code == "idempotency_conflict"
    assert (zone.rows()["jobs"], zone.rows()["holds"]) == (1, 1)
    assert zone.violations() == []


# Batches.


def test_each_of_a_batch_is_accepted_or_refused_by_itself(zone: Any) -> None:
    ann = zone.startup(grant=2 * HELD)
    bad = {"reject": ["circuit_invalid", "unknown gate"]}
    asked = [zone.submission(name=str(n), work=bad if n == 1 else {}) for n in range(4)]
    answers = zone.room.submit(ann, asked)
    assert [isinstance(one, Accepted) for one in answers] == [True, False, True, False]
    assert [answers[0].job.name, answers[2].job.name] == ["0", "2"]
    assert answers[1] == Refusal("circuit_invalid", "unknown gate", {"circuit": 0})
    assert refusal(answers[3]).code == "grant_exhausted", "two holds have used the grant up"
    fields = refusal(answers[3]).fields
    assert [fields[name] for name in ("needed", "available", "missing", "asset")] == [HELD, 0, HELD, "CNY"]
    assert zone.figures(ann) == {"settled": 0, "held": 2 * HELD, "available": 0, "expired": 0}
    assert zone.violations() == []


def test_an_empty_batch_is_no_trouble(zone: Any) -> None:
    assert zone.room.submit(zone.startup(), []) == []


# Refusals leave no trace.


def spent(zone: Any) -> Any:
    ann = zone.startup(grant=HELD)
    zone.submit(ann)
    return ann


def expired(zone: Any) -> Any:
    ann = zone.startup()
    zone.clock.pass_(2 * 86_400)
    return ann


def not_started(zone: Any) -> Any:
    ann = zone.startup()
    zone.clock.pass_(-3_600)
    return ann


def full(zone: Any) -> Any:
    zone.rules = replace(zone.rules, queued_max=1)
    zone.ground = zone.new_ground()
    zone.room = type(zone.room)(zone.ground)
    ann = zone.startup()
    zone.submit(ann)
    return ann


def shut(zone: Any) -> Any:
    def unavailable() -> None:
        raise InspectorUnavailable("the inspector is closed")

    zone.inspector.before = unavailable
    return zone.startup("shut")


REFUSED: list[tuple[str, Any, dict[str, Any]]] = [
    ("circuit_invalid", None, {"work": {"reject": ["circuit_invalid", "no"]}}),
    ("unknown_backend", None, {"backend": "ibm_torino"}),
    ("backend_infeasible", None, {"backend": "aer-statevector", "work": {"qubits": 31}}),
    ("backend_infeasible", None, {"work": {"qubits": 201}}),
    ("invalid_request", None, {"time_limit_us": 3_601_000_000}),
    ("job_too_long", None, {"time_limit_us": 5}),
    ("cost_limit", None, {"max_cost": HELD - 1}),
    ("no_grant", lambda zone: zone.startup(grant=None), {}),
    ("grant_exhausted", spent, {}),
    ("grant_expired", expired, {}),
    ("grant_not_started", not_started, {}),
    ("queue_full", full, {}),
    ("unavailable", shut, {}),
    ("forbidden", lambda zone: zone.auditor, {}),
    ("forbidden", lambda zone: replace(zone.startup(), role="auditor"), {}),
    ("invalid_request", lambda zone: zone.operator, {}),
    ("not_found", lambda zone: zone.operator, {"project_id": "prj-nowhere"}),
    ("not_found", None, {"project_id": "prj-nowhere"}),
]


@pytest.mark.parametrize(("code", "who", "changes"), REFUSED)
def test_a_refusal_leaves_no_trace(zone: Any, code: str, who: Any, changes: dict[str, Any]) -> None:
    caller = who(zone) if who is not None else zone.startup()
    rows = zone.rows()
    answer = refusal(zone.ask(caller, idempotency_key="k2", **changes))
    assert answer.code == code
    assert zone.rows() == rows
    assert not list((zone.folder / "blobs").rglob("*"))
    assert zone.violations() == []


def test_another_projects_name_is_as_unknown_as_one_that_is_not_there(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    there = refusal(zone.ask(ann, project_id=bob.project_id))
    nowhere = refusal(zone.ask(ann, project_id="prj-nowhere"))
    assert there.code == nowhere.code == "not_found"
    assert there.detail.replace(bob.project_id, "prj-nowhere") == nowhere.detail


def test_refusals_say_the_numbers(zone: Any) -> None:
    ann = zone.startup()
    assert refusal(zone.ask(ann, max_cost=1)).fields == {"ceiling": HELD, "max_cost": 1, "asset": "CNY"}
    assert refusal(zone.ask(ann, time_limit_us=3_700_000_000)).fields == {"limit": 3_600, "value": 3_700}
    poor = zone.startup("zeta", grant=1)
    (grant,) = zone.room.grants(poor, poor.project_id)
    assert refusal(zone.ask(poor)).fields == {
        "needed": HELD,
        "available": 1,
        "missing": HELD - 1,
        "asset": "CNY",
        "wallet": 0,
        "would_fit": 0,
        "sources": [
            {
                "grant_id": grant.id,
                "programme_id": grant.programme_id,
                "asset": "CNY",
                "available": 1,
                "pays": 1,
                "why_not_more": "available",
            }
        ],
    }


def test_the_queue_limit_counts_the_batch_itself_and_each_project_by_itself(zone: Any) -> None:
    zone.rules = replace(zone.rules, queued_max=2)
    zone.ground = zone.new_ground()
    zone.room = type(zone.room)(zone.ground)
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    answers = zone.room.submit(ann, [zone.submission()] * 3)
    assert [isinstance(one, Accepted) for one in answers] == [True, True, False]
    assert refusal(answers[2]).fields == {"limit": 2, "value": 2, "retry_after_s": 10}
    zone.submit(bob)
    zone.lead()
    zone.turn()
    (order,) = zone.executor.orders
    zone.started(order)
    zone.turn()
    zone.submit(ann if zone.job(order.job_id).project_id == ann.project_id else bob)


def test_an_operator_submits_for_a_project(zone: Any) -> None:
    ann = zone.startup()
    olga = zone.room.create_member(zone.operator, None, "Olga", "operator")
    job = zone.submit(replace(zone.operator, member_id=olga.id), project_id=ann.project_id)
    assert (job.project_id, job.member_id) == (ann.project_id, olga.id)


def test_money_and_time_limits_at_their_edges_are_accepted(zone: Any) -> None:
    ann = zone.startup(grant=10 * HELD)
    zone.submit(ann, max_cost=HELD)
    zone.submit(ann, time_limit_us=3_600_000_000)
    short = zone.submit(ann, time_limit_us=100_000)
    assert short.quote["ceiling_ms"] == 100, "no more than the time limit is held"


# Quotes.


def test_a_quote_reserves_nothing_and_says_price_backend_and_wait(zone: Any) -> None:
    ann = zone.startup()
    rows, before = zone.rows(), zone.figures(ann)
    (answer,) = zone.room.quote(ann, [zone.submission()])
    assert isinstance(answer, QuoteAnswer)
    assert (answer.backend, answer.wait_us) == ("ideal", 0)
    assert answer.quote["ceiling"]["micro"] == HELD
    assert answer.findings["totals"]["shots"] == 1_000
    assert zone.rows() == rows | {"quotes": 1}, "the promise itself, and nothing else"
    assert zone.figures(ann) == before


def test_the_wait_is_the_backlog_shared_by_the_slots(zone: Any) -> None:
    ann = zone.startup()
    jobs = [zone.submit(ann) for _ in range(6)]
    now = zone.clock.now_us()
    for number, state in ((1, "up"), (2, "up"), (3, "lost")):
        row = WorkerRow(f"agent-{number}", "", 1, 1, 0, ("aer",), state, now, now)
        zone.write(lambda conn, row=row: workers.upsert_worker(conn, row))
    (answer,) = zone.room.quote(ann, [zone.submission()])
    assert answer.wait_us == sum(job.estimate_us for job in jobs) // 2


def test_what_would_be_refused_is_refused_a_quote(zone: Any) -> None:
    ann = zone.startup()
    bad, good = zone.submission(work={"reject": ["circuit_invalid", "no"]}), zone.submission()
    first, second = zone.room.quote(ann, [bad, good])
    assert (refusal(first).code, type(second)) == ("circuit_invalid", QuoteAnswer)
    assert refusal(zone.room.quote(zone.operator, [good])[0]).code == "invalid_request"
    assert refusal(zone.room.quote(zone.auditor, [good])[0]).code == "forbidden"


def test_a_job_without_means_can_be_quoted_all_the_same(zone: Any) -> None:
    (answer,) = zone.room.quote(zone.startup(grant=None), [zone.submission()])
    assert isinstance(answer, QuoteAnswer)


# Cancel.


def test_asking_twice_for_a_cancel_is_asking_once(zone: Any) -> None:
    ann = zone.startup()
    job = zone.submit(ann)
    first = zone.room.cancel(ann, job.id)
    assert (first.state, first.cancel_requested_us, first.version) == ("queued", zone.clock.now_us(), 2)
    rows = zone.rows()
    assert zone.room.cancel(ann, job.id) == first
    assert zone.rows() == rows


def test_an_ended_job_cannot_be_cancelled_and_a_cancelled_one_stays_so(led: Any) -> None:
    ann = led.startup()
    done = led.run(ann)
    answer = refusal(led.room.cancel(ann, done.id))
    assert (answer.code, answer.fields) == ("job_ended", {"state": "succeeded"})
    job = led.submit(ann)
    led.room.cancel(ann, job.id)
    led.turn()
    assert led.room.cancel(ann, job.id).state == "cancelled"


def test_who_may_cancel(zone: Any) -> None:
    ann, bob = zone.startup("acme"), zone.startup("zeta")
    job = zone.submit(ann)
    rows = zone.rows()
    assert refusal(zone.room.cancel(bob, job.id)).code == "not_found"
    assert refusal(zone.room.cancel(ann, "job-nowhere")).code == "not_found"
    assert refusal(zone.room.cancel(zone.auditor, job.id)).code == "forbidden"
    assert zone.rows() == rows
    assert zone.room.cancel(zone.member(ann.project_id, "member"), job.id).cancel_requested_us is not None
    assert zone.room.cancel(zone.operator, job.id).id == job.id


def test_a_cancel_between_the_lease_and_the_start_ends_the_job_before_it_runs(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    (order,) = led.turn()
    assert led.room.cancel(ann, job.id).state == "queued"
    led.started(order)  # told in the same cycle as the cancel
    led.turn()
    assert led.job(job).state == "queued"
    led.stopped(order, used_us=2_000)
    led.turn()
    ended = led.job(job)
    assert (ended.state, ended.receipt["charged"]) == ("cancelled", 2_000)
    with led.database.read() as conn:
        assert attempts.open_attempts(conn, None) == []


def test_the_work_document_is_kept_as_it_came(zone: Any) -> None:
    content = orjson.dumps({"shots": 5, "ünïcode": "✓" * 20_000})
    job = zone.submit(zone.startup(), work=content)
    with zone.database.read() as conn:
        assert zone.ground.blobs.get(conn, job.work_hash) == content
