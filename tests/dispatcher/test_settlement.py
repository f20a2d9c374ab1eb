"""What a job costs, however it ends. In micro-yuan: 1,000 a job, 500 a ms, 100 for a thousand shots; 250 ms held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

GRANT = 10_000_000
HELD = 1_000 + 250 * 500 + 100
SECOND_US = 1_000_000


def untouched(**changed: int) -> dict[str, int]:
    return {"settled": 0, "held": 0, "available": GRANT, "expired": 0} | changed


def test_success_is_charged_for_what_it_used_and_the_rest_of_the_hold_goes_back(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    assert led.figures(ann) == untouched(held=HELD, available=GRANT - HELD)
    (order,) = led.turn()
    led.started(order)
    led.succeeded(order, used_us=3_000)
    led.turn()
    ended = led.job(job)
    assert (ended.state, ended.usage) == (
        "succeeded",
        {"qpu_ms": 3, "shots": 1_000, "cpu_ms": 3, "gpu_ms": 0, "storage_mib_h": 1},
    )
    assert ended.problem is None
    receipt = ended.receipt
    assert [receipt[name] for name in ("charged", "held", "released")] == [2_600, HELD, HELD - 2_600]
    assert [line["amount"] for line in receipt["lines"]] == [1_000, 1_500, 100]
    assert (receipt["backend"], receipt["outcome"], receipt["state"]) == ("ideal", "succeeded", "settled")
    assert led.figures(ann) == untouched(settled=2_600, available=GRANT - 2_600)
    assert led.violations() == []


def test_a_started_millisecond_counts_as_a_whole_one(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (order,) = led.turn()
    led.succeeded(order, used_us=2_001)
    led.turn()
    assert led.job(job).usage["qpu_ms"] == 3


@pytest.mark.parametrize(
    ("kind", "code"),
    [("user", "circuit_failed"), ("timeout", "time_limit_reached"), ("memory", "memory_limit_reached")],
)
def test_what_the_user_did_is_charged_without_shots(led: Any, kind: str, code: str) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (order,) = led.turn()
    led.started(order)
    led.failed(order, kind, used_us=8_000)
    led.turn()
    ended = led.job(job)
    assert ended.problem == {"code": code, "detail": f"it was a {kind}", "kind": kind, "charged": True}
    assert ended.receipt["charged"] == 1_000 + 8 * 500
    assert led.figures(ann) == untouched(settled=5_000, available=GRANT - 5_000)
    assert [one.state for one in led.room.attempts(ann, job.id)] == ["failed"]
    assert led.violations() == []


def test_the_executors_own_code_and_numbers_reach_the_job(led: Any) -> None:
    job = led.submit(led.startup())
    (order,) = led.turn()
    led.failed(order, "user", code="result_too_large", limit=10, value=11)
    led.turn()
    assert led.job(job).problem == {
        "code": "result_too_large",
        "detail": "it was a user",
        "kind": "user",
        "charged": True,
        "limit": 10,
        "value": 11,
    }


def test_what_ended_a_process_is_told_by_its_kind_whatever_word_the_executor_has_for_it(led: Any) -> None:
    job = led.submit(led.startup())
    (order,) = led.turn()
    led.failed(order, "timeout", code="killed_by_the_clock")
    led.turn()
    assert led.job(job).problem["code"] == "time_limit_reached"


def test_the_platforms_faults_cost_nothing(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    for wait_s in (0, 1, 2):
        led.clock.pass_(wait_s)
        (order,) = led.turn()
        led.started(order)
        led.failed(order, "fault", used_us=9_000)
        led.turn()
    ended = led.job(job)
    assert (ended.state, ended.problem["code"], ended.problem["charged"]) == ("failed", "platform_fault", False)
    assert (ended.receipt["charged"], ended.receipt["state"]) == (0, "voided")
    assert ended.usage["qpu_ms"] == 9, "what it used is shown all the same"
    assert led.story(job) == ["queued", "running", "queued", "running", "queued", "running", "failed"]
    assert led.figures(ann) == untouched()
    assert led.violations() == []


def test_a_crash_is_tried_again_once_and_costs_nothing(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (first,) = led.turn()
    led.started(first)
    led.failed(first, "crash", used_us=5_000)
    (second,) = led.turn()
    assert (second.attempt_id, second.token > first.token) == (f"{job.id}/0.2", True)
    assert led.figures(ann) == untouched(held=HELD, available=GRANT - HELD), "one hold for both attempts"
    led.started(second)
    led.failed(second, "crash", used_us=5_000)
    led.turn()
    assert led.job(job).problem["code"] == "engine_crashed"
    assert led.figures(ann) == untouched()
    assert led.violations() == []


def test_a_job_that_succeeds_after_a_crash_pays_for_the_attempt_that_succeeded(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (first,) = led.turn()
    led.started(first)
    led.failed(first, "crash", used_us=50_000)
    (second,) = led.turn()
    led.started(second)
    led.succeeded(second, used_us=3_000)
    led.turn()
    assert led.job(job).receipt["charged"] == 2_600


def test_cancelled_while_it_waits(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    led.room.cancel(ann, job.id)
    assert led.turn() == []
    ended = led.job(job)
    assert (ended.state, ended.receipt["state"], ended.receipt["charged"]) == ("cancelled", "voided", 0)
    assert led.figures(ann) == untouched()
    assert led.violations() == []


def test_cancelled_on_the_worker_before_it_began(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (order,) = led.turn()
    led.room.cancel(ann, job.id)
    led.turn()
    assert led.executor.stops == [(order.attempt_id, order.token)]
    led.stopped(order)
    led.turn()
    assert (led.job(job).state, led.job(job).receipt["state"]) == ("cancelled", "voided")
    assert led.figures(ann) == untouched()


def test_cancelled_while_it_runs_is_charged_what_was_used(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.room.cancel(ann, job.id)
    assert led.job(job).state == "cancelling"
    led.turn()
    assert led.executor.stops == [(order.attempt_id, order.token)]
    assert led.figures(ann)["held"] == HELD, "the hold stays until the end is known"
    led.stopped(order, used_us=12_000)
    led.turn()
    ended = led.job(job)
    assert (ended.state, ended.receipt["charged"], ended.usage["shots"]) == ("cancelled", 1_000 + 12 * 500, 0)
    assert led.story(job) == ["queued", "running", "cancelling", "cancelled"]
    assert [one.state for one in led.room.attempts(ann, job.id)] == ["stopped"]
    assert led.figures(ann) == untouched(settled=7_000, available=GRANT - 7_000)
    assert led.violations() == []


def test_a_result_that_comes_after_the_cancel_is_charged_and_not_kept(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.room.cancel(ann, job.id)
    led.succeeded(order, used_us=3_000)
    led.turn()
    ended = led.job(job)
    assert (ended.state, ended.result_hash, ended.receipt["charged"]) == ("cancelled", None, 1_000 + 3 * 500)
    assert led.violations() == []


def test_what_exceeds_the_hold_is_borne_by_the_facility(led: Any) -> None:
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    (order,) = led.turn()
    led.started(order)
    led.succeeded(order, used_us=1_000_000)
    led.turn()
    ended = led.job(job)
    price = 1_000 + 1_000 * 500 + 100
    receipt = ended.receipt
    assert [receipt[name] for name in ("price", "charged", "absorbed_by_facility")] == [
        price,
        HELD,
        price - HELD,
    ]
    assert led.figures(ann) == untouched(settled=HELD, available=GRANT - HELD)
    statement = led.room.statement(ann, ann.project_id)
    assert (statement["charged"], statement["absorbed_by_facility"]) == (HELD, price - HELD)
    assert led.violations() == []


def test_a_grant_that_ends_during_the_run_still_pays_and_the_rest_expires(led: Any) -> None:
    ann = led.startup(grant=GRANT, until_us=led.clock.now_us() + 60 * SECOND_US)
    job = led.submit(ann)
    (order,) = led.turn()
    led.started(order)
    led.turn()
    led.clock.pass_(61)
    led.turn()
    assert led.figures(ann) == untouched(held=HELD, available=0, expired=GRANT - HELD)
    led.succeeded(order, used_us=3_000)
    led.turn()
    assert led.job(job).receipt["payers"][0]["released_to"] == "expired"
    assert led.figures(ann) == untouched(settled=2_600, available=0, expired=GRANT - 2_600)
    assert led.violations() == []


def test_a_hold_over_two_grants_is_paid_by_the_first_and_given_back_to_both(led: Any) -> None:
    ann = led.startup(grant=2_000)
    second = led.grant(ann.project_id, GRANT, priority=1)
    job = led.submit(ann)
    (order,) = led.turn()
    led.succeeded(order, used_us=3_000)
    led.turn()
    first_payer, second_payer = led.job(job).receipt["payers"]
    assert (first_payer["held"], first_payer["paid"], first_payer["released"]) == (2_000, 2_000, 0)
    assert (second_payer["grant_id"], second_payer["held"], second_payer["paid"]) == (second, HELD - 2_000, 600)
    assert led.violations() == []


def test_the_rate_of_the_quote_counts_whatever_the_rates_are_at_the_end(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    for resource, unit_price in (("job", 7), ("qpu_ms", 90_000), ("shots", 0)):
        led.rate(resource, unit_price)
    (order,) = led.turn()
    led.succeeded(order, used_us=3_000)
    led.turn()
    assert led.job(job).receipt["charged"] == 2_600, "the price comes from the job's own quote"
    led.clock.pass_(1)
    later = led.submit(led.startup("zeta", grant=10**9))
    assert later.quote["expected"]["micro"] == 7 + 90_000 * later.quote["estimate_ms"]


def test_a_stored_result_and_the_processor_are_paid_for_where_they_have_a_price(led: Any) -> None:
    """The result's size was measured beforehand; the processor's time is what was used of it."""
    led.rate("storage_mib_h", 30)
    led.rate("cpu_ms", 2, quantum=100)
    ann = led.startup(grant=GRANT)
    job = led.submit(ann)
    stored = job.quote["storage_mib_h"]
    assert job.quote["ceiling"]["micro"] == HELD + 3 * 2 + 30 * stored
    (order,) = led.turn()
    led.succeeded(order, used_us=3_000)
    led.turn()
    ended = led.job(job)
    assert (ended.usage["storage_mib_h"], ended.usage["cpu_ms"]) == (stored, 3)
    assert ended.receipt["charged"] == 2_600 + 2 + 30 * stored
    failed = led.submit(ann)
    (order,) = led.turn()
    led.failed(order, "user", used_us=3_000)
    led.turn()
    assert led.job(failed).usage["storage_mib_h"] == 0, "there is no result to be kept"
    assert led.violations() == []


def test_the_shares_of_two_funders_a_grant_in_kind_and_the_startup_itself(led: Any) -> None:
    ann = led.startup(grant=None)
    both = led.programme("both", ("state", 1), ("club", 1), share_ppm=300_000)
    hours = led.programme("hours", asset="qpu_ms", budget=1_000)
    led.grant(ann.project_id, GRANT, programme_id=both)
    in_kind = led.grant(ann.project_id, 100, programme_id=hours, asset="qpu_ms")
    led.top_up(ann.project_id, GRANT)
    job = led.run(ann)
    receipt = job.receipt
    kind, money, own = receipt["payers"]
    assert [payer["asset"] for payer in receipt["payers"]] == ["qpu_ms", "CNY", "CNY"]
    assert (kind["grant_id"], kind["paid"], kind["worth"]) == (in_kind, 3, 1_500)
    assert (money["paid"], [share["paid"] for share in money["funders"]]) == (330, [165, 165])
    assert (own["payer"], own["paid"]) == ("wallet", 2_600 - 1_500 - 330)
    assert (receipt["price"], receipt["charged"], receipt["copay"]) == (2_600, 2_600, 770)
    balance = led.room.balance(ann, ann.project_id)
    assert balance["wallet"] == {"available": GRANT - 770, "held": 0}
    assert (balance["settled"], balance["in_kind"]["qpu_ms"]["settled"]) == (330, 3)
    assert led.violations() == []


def test_a_voided_job_gives_every_payer_and_every_limit_its_part_back(led: Any) -> None:
    ann = led.startup(grant=None)
    young = led.programme("young", share_ppm=300_000, pool_year=GRANT, cap_project_year=GRANT)
    led.grant(ann.project_id, GRANT, programme_id=young)
    led.top_up(ann.project_id, GRANT)
    led.budget(ann.project_id, "member", ann.member_id, GRANT)
    before = led.room.balance(ann, ann.project_id)
    job = led.submit(ann)
    assert led.room.balance(ann, ann.project_id)["wallet"]["held"] > 0
    with led.database.read() as conn:
        claimed = dict(map(tuple, conn.exec_driver_sql("SELECT scope, claimed FROM claims")))
    assert sorted(claimed.values()) == [HELD * 3 // 10, HELD * 3 // 10, HELD]
    led.room.cancel(ann, job.id)
    led.turn()
    assert led.room.balance(ann, ann.project_id) == before
    with led.database.read() as conn:
        assert conn.exec_driver_sql("SELECT sum(claimed) FROM claims").scalar_one() == 0
    assert led.violations() == []


def test_a_result_in_the_spool_is_taken_over_and_the_spool_is_empty_afterwards(led: Any, tmp_path: Path) -> None:
    ann = led.startup()
    large, small = tmp_path / "1.result", tmp_path / "2.result"
    large.write_bytes(b"x" * 100_000)
    small.write_bytes(b"y" * 100)
    for path in (large, small):
        content = path.read_bytes()
        job = led.submit(ann)
        (order,) = led.turn()
        led.succeeded(order, result=path)
        led.turn()
        assert led.job(job).result_size == len(content)
        assert led.room.result(ann, job.id) == content
        led.database.writer.run(lambda conn: None)  # what the earlier commit left to do is done by now
        assert not path.exists()


def test_two_jobs_that_end_in_one_cycle_are_settled_one_by_one(led: Any) -> None:
    ann, bob = led.startup("acme", grant=GRANT), led.startup("zeta", grant=GRANT)
    led.executor._offer = type(led.executor._offer)(2, 0, led.executor._offer.backends)
    led.lead()
    jobs = [led.submit(ann), led.submit(bob)]
    orders = led.turn()
    for order, used_us in zip(orders, (3_000, 4_000), strict=True):
        led.succeeded(order, used_us=used_us)
    led.turn()
    assert sorted(led.job(job).receipt["charged"] for job in jobs) == [2_600, 3_100]
    with led.database.read() as conn:
        kinds = conn.exec_driver_sql("SELECT kind, count(*) FROM entries WHERE kind = 'settle' GROUP BY kind").all()
    assert [tuple(row) for row in kinds] == [("settle", 2)]
    assert led.violations() == []


def test_a_result_too_large_to_keep_fails_its_job_alone_and_is_charged(zone: Any) -> None:
    zone.rules = replace(zone.rules, result_max_bytes=10)
    zone.restart()
    ann = zone.startup()
    job, other = zone.submit(ann), zone.submit(ann)
    (order,) = zone.turn()
    zone.started(order)
    zone.succeeded(order, used_us=3_000, result=b"x" * 11)
    (order,) = zone.turn()
    ended = zone.job(job)
    assert (ended.state, ended.problem["code"], ended.receipt["charged"]) == ("failed", "result_too_large", 2_500)
    assert order.job_id == other.id


def test_a_result_that_has_disappeared_is_computed_again(led: Any, tmp_path: Path) -> None:
    job = led.submit(led.startup())
    (order,) = led.turn()
    led.started(order)
    led.succeeded(order, result=tmp_path / "gone.result")
    led.turn()
    assert led.job(job).state == "queued"
    led.clock.pass_(1)
    (order,) = led.turn()
    led.succeeded(order)
    led.turn()
    assert (led.job(job).state, led.job(job).receipt["charged"]) == ("succeeded", 2_600)
