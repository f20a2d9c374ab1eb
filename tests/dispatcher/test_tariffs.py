"""The rate card: lines are added, never changed, and what was priced stays priced so."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dispatcher.model import Refusal
from dispatcher.rules import DEFAULT_RATES, Rules
from dispatcher.tariffs import PRICE_MAX, NewRate
from store import audit_log

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR_US = 3_600_000_000


def refusal(answer: Any) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def qpu_price(zone: Any, backend: str = "aer") -> int:
    """Of a ms of that backend now."""
    (line,) = [line for line in zone.room.backend(backend)["rates"] if line["resource"] == "qpu_ms"]
    price: int = line["unit_price"]
    return price


def test_a_line_wins_from_its_first_moment_on(everywhere: Any) -> None:
    zone = everywhere
    assert zone.room.rates() == list(DEFAULT_RATES)
    now = zone.clock.now_us()
    (line,) = zone.room.add_rates(zone.operator, [NewRate("qpu_ms", 700, valid_from_us=now + HOUR_US)])
    assert (line.valid_from_us, line.created_us) == (now + HOUR_US, now)
    assert zone.room.rates() == [*DEFAULT_RATES, line]
    zone.clock.at_us = now + HOUR_US - 1
    assert qpu_price(zone) == 500
    zone.clock.at_us = now + HOUR_US
    assert qpu_price(zone) == 700
    with zone.database.read() as conn:
        (logged,) = [row for row in audit_log.list_audit(conn, 10) if row.act == "rate.add"]
    assert (logged.subject, logged.detail["unit_price"]) == (line.id, 700)


def test_a_line_ends_and_the_one_before_it_holds_again(zone: Any) -> None:
    now = zone.clock.now_us()
    zone.room.add_rates(zone.operator, [NewRate("qpu_ms", 100, valid_until_us=now + HOUR_US)])
    assert qpu_price(zone) == 100
    zone.clock.at_us = now + HOUR_US
    assert qpu_price(zone) == 500


def test_what_is_queued_is_charged_at_the_price_of_its_quote(led: Any) -> None:
    ann = led.startup()
    job = led.submit(ann)
    led.room.add_rates(led.operator, [NewRate("qpu_ms", 5_000)])
    (order,) = led.turn()
    led.succeeded(order)
    led.turn()
    assert led.job(job).receipt["price"] == 2_600
    assert led.run(ann).receipt["price"] == 2_600 + 3 * 4_500
    assert led.violations() == []


def test_no_line_begins_in_the_past(zone: Any) -> None:
    now, rows = zone.clock.now_us(), zone.rows()
    answer = refusal(
        zone.room.add_rates(zone.operator, [NewRate("qpu_ms", 1), NewRate("shots", 1, valid_from_us=now - 1)])
    )
    assert (answer.code, answer.fields) == ("invalid_request", {"valid_from_us": now - 1, "now_us": now})
    assert zone.rows() == rows, "all lines or none"
    assert len(zone.room.add_rates(zone.operator, [NewRate("shots", 1, valid_from_us=now)])) == 1


def test_the_most_particular_line_wins(zone: Any) -> None:
    lines = [
        NewRate("qpu_ms", 30, backend="aer-mps"),
        NewRate("qpu_ms", 20, backend="simulator"),
        NewRate("qpu_ms", 10),
    ]
    zone.room.add_rates(zone.operator, lines)
    assert (qpu_price(zone, "aer-mps"), qpu_price(zone, "aer")) == (30, 20)


@pytest.mark.parametrize(
    ("hour", "minute", "price"),
    [(21, 59, 500), (22, 0, 100), (23, 59, 100), (0, 0, 100), (5, 59, 100), (6, 0, 500), (14, 0, 500)],
)
def test_a_band_of_hours_goes_over_midnight_in_the_facilitys_zone(
    zone: Any, hour: int, minute: int, price: int
) -> None:
    """22 to 6 in Shanghai is 14 to 22 in UTC."""
    here = type(zone)(zone.database, zone.folder, rules=Rules(zone=SHANGHAI), clock=zone.clock)
    here.room.add_rates(here.operator, [NewRate("qpu_ms", 100, hours=(22, 6))])
    here.clock.at_us = round(datetime(2027, 6, 1, hour, minute, tzinfo=SHANGHAI).timestamp()) * 1_000_000
    assert qpu_price(here) == price


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (NewRate("time", 1), "'time' is none of job, qpu_ms"),
        (NewRate("qpu_ms", -1), "a price is at least 0"),
        (NewRate("qpu_ms", PRICE_MAX + 1), f"at most {PRICE_MAX}"),
        (NewRate("qpu_ms", 1, quantum=0), "a quantum is at least 1"),
        (NewRate("job", 1, quantum=2), "its quantum is 1"),
        (NewRate("qpu_ms", 1, backend="aer9"), "not for 'aer9'"),
        (NewRate("qpu_ms", 1, hours=(8, 8)), "are not empty"),
        (NewRate("qpu_ms", 1, hours=(24, 2)), "hours go from 0-23 to 0-24"),
        (NewRate("qpu_ms", 1, valid_until_us=5), "valid_until_us must lie after"),
    ],
)
def test_what_is_no_rate(zone: Any, wanted: NewRate, said: str) -> None:
    rows = zone.rows()
    answer = refusal(zone.room.add_rates(zone.operator, [wanted]))
    assert answer.code == "invalid_request"
    assert said in answer.detail
    assert "rate new" not in answer.detail
    assert zone.rows() == rows


def test_the_dearest_rates_fit_the_books(led: Any) -> None:
    """A job at the highest price of everything is refused for want of means, with figures that JSON can carry."""
    resources = ("job", "qpu_ms", "shots", "cpu_ms", "storage_mib_h")
    led.room.add_rates(led.operator, [NewRate(resource, PRICE_MAX) for resource in resources])
    ann = led.startup()
    answer = refusal(led.ask(ann, time_limit_us=3_600_000_000, work={"shots": 1_000_000}))
    assert answer.code == "grant_exhausted"
    assert 10**16 < answer.fields["needed"] < 2**63


def test_what_costs_nothing_is_free(led: Any) -> None:
    led.room.add_rates(led.operator, [NewRate(resource, 0) for resource in ("job", "qpu_ms", "shots")])
    ann = led.startup(grant=1)
    assert led.run(ann).receipt["price"] == 0
    assert led.violations() == []


def test_only_operators_add_rates(zone: Any) -> None:
    ann = zone.startup(grant=None)
    rows = zone.rows()
    for caller in (ann, zone.member(ann.project_id, "member"), zone.auditor):
        rows = zone.rows()
        assert refusal(zone.room.add_rates(caller, [NewRate("qpu_ms", 1)])).code == "forbidden"
        assert zone.rows() == rows
