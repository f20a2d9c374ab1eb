"""What becomes of holds that nobody will close, and of what a grant has left at its end."""

from __future__ import annotations

from typing import Any

from store import schema

YUAN = 1_000_000
DAY_US = 86_400_000_000
HELD = 126_100


def swept(zone: Any) -> int:
    found: int = zone.dispatcher._housekeeping.sweep_holds(zone.clock.now_us())
    return found


def figures(zone: Any, caller: Any) -> list[tuple[int, int, int]]:
    """Granted, available and expired of each grant."""
    grants = zone.room.balance(zone.operator, caller.project_id)["grants"]
    return [(line["granted"], line["available"], line["expired"]) for line in grants]


def test_holds_of_live_jobs_are_left_alone(led: Any) -> None:
    ann = led.startup()
    led.submit(ann)
    led.turn()
    led.submit(ann, priority=1)
    rows = led.rows()
    assert swept(led) == 0
    assert led.rows() == rows
    assert led.figures(ann)["held"] == 2 * HELD


def test_a_hold_whose_job_has_ended_is_given_back(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup()
    job = zone.submit(ann)
    jobs = schema.jobs
    ended = jobs.update().where(jobs.c.id == job.id).values(state="failed", ended_us=zone.clock.now_us())
    zone.write(lambda conn: conn.execute(ended))
    assert zone.violations() != [], "a hand in the database brought it there"
    assert swept(zone) == 1
    assert zone.figures(ann) == {"settled": 0, "held": 0, "available": 10**7, "expired": 0}
    assert swept(zone) == 0
    assert zone.violations() == []


def test_what_is_left_at_the_end_rolls_over_in_part(everywhere: Any) -> None:
    zone = everywhere
    zone.lead()
    programme = zone.programme("rolling", rollover_ppm=500_000, rollover_days=30)
    ann = zone.startup(grant=None)
    zone.grant(ann.project_id, 1_000, programme_id=programme)
    until_us = zone.room.grants(ann, ann.project_id)[0].valid_until_us
    zone.clock.at_us = until_us
    zone.turn()
    assert figures(zone, ann) == [(500, 0, 500), (500, 500, 0)]
    first, second = zone.room.grants(ann, ann.project_id)
    assert (first.expired, second.valid_from_us, second.valid_until_us) == (True, until_us, until_us + 30 * DAY_US)
    assert (second.programme_id, second.funders, second.priority) == (first.programme_id, first.funders, first.priority)
    assert zone.violations() == []


def test_what_has_rolled_over_once_is_over_at_its_end(led: Any) -> None:
    """Or a programme that lets all of it roll over would give grants without an end."""
    programme = led.programme("rolling", rollover_ppm=1_000_000, rollover_days=30)
    ann = led.startup(grant=None)
    led.grant(ann.project_id, 1_000, programme_id=programme)
    led.clock.at_us += 400 * DAY_US
    for _ in range(3):
        led.turn()
        led.clock.at_us += DAY_US
    assert figures(led, ann) == [(0, 0, 0), (1_000, 0, 1_000)]
    assert led.violations() == []
