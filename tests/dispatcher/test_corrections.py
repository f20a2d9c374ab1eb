"""A settled job is charged less afterwards: who gets what back, and what its receipt says then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dispatcher.model import Caller, Refusal
from ledger.receipt import replay
from store.rows import RequestRow

YUAN = 1_000_000
DAY_US = 86_400_000_000
SECOND = Caller("mem-second", None, "operator", "tok-second")


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def asked(zone: Any, kind: Any, subject: str, reason: str = "because", **body: Any) -> RequestRow:
    answer = zone.room.ask(zone.operator, kind, subject, body, reason)
    assert isinstance(answer, RequestRow), answer
    return answer


def approved(zone: Any, kind: Any, subject: str, **body: Any) -> RequestRow:
    answer = zone.room.decide_request(SECOND, asked(zone, kind, subject, **body).id, True)
    assert isinstance(answer, RequestRow), answer
    return answer


def unchanged(zone: Any, act: Callable[[], Any]) -> Refusal:
    """The refusal of an act that leaves nothing behind."""
    rows = zone.rows()
    answer = refusal(act())
    assert zone.rows() == rows
    return answer


@pytest.fixture
def half(led: Any) -> Any:
    """A startup whose jobs the city and the state pay 3 : 1 to a half, and the startup's wallet to the other half."""
    led.half = led.programme("half", ("city", 3), ("state", 1), share_ppm=500_000, pool_year=100 * YUAN)
    led.ann = led.startup(grant=None)
    led.grant_id = led.grant(led.ann.project_id, 10 * YUAN, programme_id=led.half)
    led.room.top_up(led.operator, led.ann.project_id, YUAN, "1")
    return led


def test_a_correction_gives_every_payer_back_its_part(half: Any) -> None:
    job = half.run(half.ann)
    before = job.receipt
    assert (before["price"], before["subsidised"], before["copay"]) == (2_600, 1_300, 1_300)
    row = asked(half, "correct", job.id, "the clock ran fast", usage={"qpu_ms": 1})
    assert row.body == {"usage": {**before["usage"], "qpu_ms": 1}}, "whoever approves sees the whole"
    half.room.decide_request(SECOND, row.id, True)
    after = half.job(job).receipt
    assert (after["price"], after["subsidised"], after["copay"]) == (1_600, 800, 800)
    assert after["usage"] == {**before["usage"], "qpu_ms": 1}
    assert [entry["kind"] for entry in after["entries"]] == ["settle", "correct"]
    city, state = after["payers"][0]["funders"]
    assert (city["paid"], state["paid"]) == (600, 200)
    balance = half.room.balance(half.ann, half.ann.project_id)
    assert (balance["settled"], balance["available"]) == (800, 10 * YUAN - 800)
    assert balance["wallet"] == {"available": YUAN - 800, "held": 0}
    assert {name: after[name] for name in ("backend", "outcome")} == {
        name: before[name] for name in ("backend", "outcome")
    }
    assert half.violations() == []


def test_a_corrected_receipt_adds_up_and_is_replayed_to_the_last_unit(half: Any) -> None:
    job = half.run(half.ann)
    approved(half, "correct", job.id, usage={"qpu_ms": 2, "shots": 333})
    approved(half, "correct", job.id, usage={"shots": 0})
    told = half.job(job).receipt
    assert told["price"] == sum(line["amount"] for line in told["lines"]) == 1_000 + 2 * 500
    assert told["usage"]["shots"] == 0
    assert told["charged"] == told["subsidised"] + told["copay"] == sum(payer["worth"] for payer in told["payers"])
    assert all(payer["held"] == payer["paid"] + payer["released"] for payer in told["payers"])
    figures = replay(told)
    assert {name: figures[name] for name in ("price", "charged", "absorbed_by_facility")} == {
        name: told[name] for name in ("price", "charged", "absorbed_by_facility")
    }
    assert figures["captured"] == [part["captured"] for part in told["slices"]]
    words = told["explanation"]
    assert words[words.index("Together 0.002000 CNY.") + 1] == (
        "When the job was settled the price was 0.002600 CNY; it has been corrected 2 times since."
    )


def test_a_correction_is_a_step_of_the_jobs_history(half: Any) -> None:
    job = half.run(half.ann)
    approved(half, "correct", job.id, usage={"qpu_ms": 0})
    corrected = half.job(job)
    assert (corrected.state, corrected.ended_us, corrected.version) == ("succeeded", job.ended_us, job.version + 1)
    assert (corrected.usage, corrected.result_hash) == (job.usage, job.result_hash), "what was measured stays"
    last = half.room.history(half.ann, job.id)[-1]
    assert (last.state, last.reason) == ("succeeded", "corrected: because")


def test_a_correction_gives_back_what_the_facility_bore_too(half: Any) -> None:
    """Above its ceiling a job is the facility's loss; corrected to below it, nothing is absorbed any more."""
    job = half.submit(half.ann)
    (order,) = half.turn()
    half.succeeded(order, used_us=1_000_000)
    half.turn()
    before = half.job(job).receipt
    assert before["absorbed_by_facility"] == 750 * 500
    approved(half, "correct", job.id, usage={"qpu_ms": 300})
    told = half.job(job).receipt
    assert (told["absorbed_by_facility"], told["charged"]) == (50 * 500, before["charged"])
    approved(half, "correct", job.id, usage={"qpu_ms": 10})
    told = half.job(job).receipt
    assert (told["absorbed_by_facility"], told["charged"]) == (0, 1_000 + 5_000 + 100)
    assert half.violations() == []


def test_a_correction_gives_back_to_caps_and_budgets(half: Any) -> None:
    half.room.set_budget(half.ann, half.ann.project_id, "member", half.ann.member_id, YUAN)
    job = half.run(half.ann)
    approved(half, "correct", job.id, usage={"qpu_ms": 1})
    assert half.room.list_budgets(half.ann, half.ann.project_id)[0]["claimed"] == 1_600
    with half.database.read() as conn:
        (pool,) = conn.exec_driver_sql("SELECT claimed FROM claims WHERE scope LIKE 'pool/%'").scalars()
    assert pool == 800
    assert half.violations() == []


def test_what_comes_back_after_the_grants_end_is_breakage(half: Any) -> None:
    job = half.run(half.ann)
    half.clock.at_us += 2 * DAY_US
    half.turn()
    approved(half, "correct", job.id, usage={"qpu_ms": 1})
    balance = half.room.balance(half.ann, half.ann.project_id)
    assert (balance["available"], balance["expired"], balance["settled"]) == (0, 10 * YUAN - 800, 800)
    assert half.job(job).receipt["payers"][0]["released_to"] == "expired"
    assert half.violations() == []


def test_a_job_is_corrected_once_it_has_been_settled(half: Any) -> None:
    job = half.submit(half.ann)

    def correct() -> Refusal:
        return unchanged(half, lambda: half.room.ask(half.operator, "correct", job.id, {"usage": {"qpu_ms": 0}}, "y"))

    assert (correct().code, correct().fields["state"]) == ("hold_not_settled", "open")
    (order,) = half.turn()
    half.started(order)
    half.turn()
    assert half.job(job).state == "running"
    assert correct().code == "hold_not_settled"
    half.room.cancel(half.ann, job.id)
    half.turn()
    half.stopped(order)
    half.turn()
    assert (half.job(job).state, correct().fields["state"]) == ("cancelled", "voided")


@pytest.mark.parametrize("usage", [{"qpu_ms": 4}, {"shots": 1_001}, {"qpu_ms": 4, "shots": 0}])
def test_a_correction_never_charges_more(half: Any, usage: dict[str, int]) -> None:
    job = half.run(half.ann)
    answer = unchanged(half, lambda: half.room.ask(half.operator, "correct", job.id, {"usage": usage}, "y"))
    assert answer.code == "correction_raises"


def test_what_was_corrected_is_not_charged_again(half: Any) -> None:
    job = half.run(half.ann)
    late = asked(half, "correct", job.id, usage={"qpu_ms": 2})
    approved(half, "correct", job.id, usage={"qpu_ms": 1})
    answer = unchanged(half, lambda: half.room.decide_request(SECOND, late.id, True))
    assert (answer.code, answer.fields["settled"]) == ("correction_raises", 1)


def test_a_correction_that_gives_nothing_back_is_none(half: Any) -> None:
    job = half.run(half.ann)
    for usage in ({"qpu_ms": 3}, {"shots": 995}, {"cpu_ms": 0}):
        answer = unchanged(
            half, lambda usage=usage: half.room.ask(half.operator, "correct", job.id, {"usage": usage}, "y")
        )
        assert answer.code == "invalid_request"
        assert "nothing to give back" in answer.detail


def test_a_correction_of_a_job_paid_in_kind(led: Any) -> None:
    hours = led.programme("hours", asset="qpu_ms", budget=1_000)
    ann = led.startup(grant=None)
    led.grant(ann.project_id, 1_000, programme_id=hours, asset="qpu_ms")
    led.room.top_up(led.operator, ann.project_id, YUAN, "1")
    job = led.run(ann)
    approved(led, "correct", job.id, usage={"qpu_ms": 1})
    told = led.job(job).receipt
    assert [(payer["asset"], payer["paid"], payer["worth"]) for payer in told["payers"]] == [
        ("qpu_ms", 1, 500),
        ("CNY", 1_100, 1_100),
    ]
    assert led.violations() == []


def test_on_postgres_too(everywhere: Any) -> None:
    zone = everywhere
    zone.lead()
    programme = zone.programme("half", ("city", 3), ("state", 1), share_ppm=500_000)
    ann = zone.startup(grant=None)
    zone.grant(ann.project_id, 10 * YUAN, programme_id=programme)
    zone.room.top_up(zone.operator, ann.project_id, YUAN, "1")
    job = zone.run(ann)
    approved(zone, "correct", job.id, usage={"qpu_ms": 1})
    assert zone.job(job).receipt["charged"] == 1_600
    assert zone.violations() == []
