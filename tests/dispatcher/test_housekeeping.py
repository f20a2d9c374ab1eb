"""What is done now and then: grants expire, silent workers are noticed, unused blobs are collected."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from dispatcher.housekeeping import Housekeeping
from dispatcher.notary import Notary
from scheduler.events import WorkerLost
from store import book, workers
from store.database import open_database
from store.rows import WorkerRow

GRANT = 10_000_000
HELD = 126_100
SECOND_US = 1_000_000


def keeper(zone: Any) -> Housekeeping:
    return Housekeeping(zone.ground, zone.policy)


def test_a_grant_expires_at_its_moment_and_once(zone: Any) -> None:
    until_us = zone.clock.now_us() + 60 * SECOND_US
    ann = zone.startup(grant=GRANT, until_us=until_us)
    house = keeper(zone)
    assert house.expire_grants(until_us - 1) == 0
    assert zone.figures(ann)["available"] == GRANT
    assert house.expire_grants(until_us) == 1
    assert zone.figures(ann) == {"settled": 0, "held": 0, "available": 0, "expired": GRANT}
    assert house.expire_grants(until_us) == 0
    assert [grant.expired for grant in zone.room.grants(ann, ann.project_id)] == [True]
    assert zone.violations() == []


def test_what_is_held_stays_held_when_the_grant_expires(zone: Any) -> None:
    until_us = zone.clock.now_us() + 60 * SECOND_US
    ann = zone.startup(grant=GRANT, until_us=until_us)
    zone.submit(ann)
    keeper(zone).expire_grants(until_us)
    assert zone.figures(ann) == {"settled": 0, "held": HELD, "available": 0, "expired": GRANT - HELD}
    assert zone.violations() == []


def test_a_spent_grant_expires_without_a_posting(zone: Any) -> None:
    until_us = zone.clock.now_us() + 60 * SECOND_US
    ann = zone.startup(grant=HELD, until_us=until_us)
    zone.submit(ann)
    postings = zone.rows()["postings"]
    assert keeper(zone).expire_grants(until_us) == 1
    assert zone.rows()["postings"] == postings
    assert zone.violations() == []


def test_several_grants_expire_in_one_go(zone: Any) -> None:
    until_us = zone.clock.now_us() + 60 * SECOND_US
    ann = zone.startup(grant=GRANT, until_us=until_us)
    zone.grant(ann.project_id, 500, until_us=until_us - 5)
    zone.grant(ann.project_id, 700, until_us=until_us + 5)
    assert keeper(zone).expire_grants(until_us) == 2
    assert zone.figures(ann) == {"settled": 0, "held": 0, "available": 700, "expired": GRANT + 500}


def test_two_keepers_at_once_expire_a_grant_once(zone: Any, monkeypatch: Any) -> None:
    """The other one was quicker between our look and our commit."""
    until_us = zone.clock.now_us() + 60 * SECOND_US
    zone.startup(grant=GRANT, until_us=until_us)
    run = zone.database.writer.run

    def overtaken(unit: Any) -> Any:
        monkeypatch.setattr(zone.database.writer, "run", run)
        assert keeper(zone).expire_grants(until_us) == 1
        return run(unit)

    monkeypatch.setattr(zone.database.writer, "run", overtaken)
    assert keeper(zone).expire_grants(until_us) == 0
    assert zone.violations() == []


# Holds that nobody will ever close.


def test_the_hold_of_a_job_that_has_ended_or_is_gone_is_voided(everywhere: Any) -> None:
    """A hand in the database has ended one job and taken another away; a third waits as it should."""
    zone = everywhere
    zone.lead()
    ann = zone.startup(grant=GRANT)
    ended, gone, waiting = (zone.submit(ann) for _ in range(3))
    house = keeper(zone)
    assert house.sweep_holds(zone.clock.now_us()) == 0
    zone.write(
        lambda conn: conn.exec_driver_sql(f"UPDATE jobs SET state = 'failed', ended_us = 5 WHERE id = '{ended.id}'")
    )
    zone.write(lambda conn: conn.exec_driver_sql(f"DELETE FROM jobs WHERE id = '{gone.id}'"))
    assert any(f"job {ended.id} has failed and its hold is still open" in line for line in zone.violations())
    zone.clock.pass_(11)
    house.maybe(zone.clock.now_us())
    assert zone.figures(ann) == {"settled": 0, "held": HELD, "available": GRANT - HELD, "expired": 0}
    with zone.database.read() as conn:
        assert {name: book.hold_of(conn, name).state for name in (ended.id, gone.id, waiting.id)} == {
            ended.id: "voided",
            gone.id: "voided",
            waiting.id: "open",
        }
    assert house.sweep_holds(zone.clock.now_us()) == 0
    assert zone.violations() == [f"hold of job {gone.id}, which does not exist"]


# What a programme lets its grants carry over.


def rolling(zone: Any, rollover_ppm: int = 250_000, **changes: Any) -> Any:
    """A startup with a grant that ends in a minute, of which a part rolls over for 30 days."""
    ann = zone.startup(grant=None)
    changes = {"until_us": zone.clock.now_us() + 60 * SECOND_US, "priority": 3} | changes
    programme_id = zone.programme("rolling", rollover_ppm=rollover_ppm, rollover_days=30, budget=GRANT)
    zone.grant(ann.project_id, GRANT, programme_id=programme_id, **changes)
    return ann


def test_a_part_of_what_is_left_goes_into_a_new_grant_on_the_same_conditions(everywhere: Any) -> None:
    zone = everywhere
    ann = rolling(zone, backends=("ideal", "aer"), resources=("job", "qpu_ms", "shots"))
    zone.submit(ann)
    (old,) = zone.room.grants(ann, ann.project_id)
    zone.clock.at_us = old.valid_until_us + 5
    house = keeper(zone)
    assert house.expire_grants(zone.clock.now_us()) == 1, "one grant was closed, whatever it turned into"
    ended, anew = sorted(zone.room.grants(ann, ann.project_id), key=lambda grant: grant.created_us)
    rolled = (GRANT - HELD) // 4
    assert (ended.expired, ended.amount) == (True, GRANT - rolled)
    assert (anew.amount, anew.valid_from_us, anew.expired) == (rolled, old.valid_until_us, False)
    assert anew.valid_until_us == old.valid_until_us + 30 * 86_400 * SECOND_US
    for name in ("programme_id", "funders", "asset", "priority", "backends", "resources", "members"):
        assert getattr(anew, name) == getattr(old, name), name
    expired = GRANT - HELD - rolled
    assert zone.figures(ann) == {"settled": 0, "held": HELD, "available": rolled, "expired": expired}
    assert zone.room.list_programmes(zone.operator)[0][1] == 0, "the programme keeps nothing of it"
    assert house.expire_grants(zone.clock.now_us()) == 0
    assert zone.violations() == []


def test_what_comes_back_after_the_end_does_not_roll_over(everywhere: Any) -> None:
    led = everywhere
    led.lead()
    ann = rolling(led)
    job = led.submit(ann)
    led.clock.pass_(61)
    (order,) = led.turn()
    led.room.cancel(ann, job.id)
    led.turn()
    led.stopped(order)
    led.turn()
    rolled = (GRANT - HELD) // 4
    assert led.figures(ann) == {"settled": 0, "held": 0, "available": rolled, "expired": GRANT - rolled}
    later = led.submit(ann)
    with led.database.read() as conn:
        (payer,) = {part.payer for part in book.hold_of(conn, later.id).slices}
    assert payer == led.room.grants(ann, ann.project_id)[-1].id, "the new grant pays at once"
    assert led.violations() == []


def test_nothing_left_or_a_part_of_less_than_a_unit_rolls_nothing_over(zone: Any) -> None:
    ann = rolling(zone, rollover_ppm=1)
    zone.grant(ann.project_id, 999_999, until_us=zone.clock.now_us() + 60 * SECOND_US)
    other = zone.startup("zeta", grant=None)
    programme_id = zone.programme("whole", rollover_ppm=1_000_000, rollover_days=1, budget=HELD)
    zone.grant(other.project_id, HELD, programme_id=programme_id, until_us=zone.clock.now_us() + 60 * SECOND_US)
    zone.submit(other)
    assert keeper(zone).expire_grants(zone.clock.pass_(60)) == 3
    amounts = [grant.amount for grant in zone.room.grants(ann, ann.project_id)]
    assert sorted(amounts) == [10, 999_999, GRANT - 10], "a millionth of ten yuan; no terms, no rollover"
    assert len(zone.room.grants(other, other.project_id)) == 1, "all of it was held"
    assert zone.violations() == []


def test_a_service_that_slept_for_months_gives_no_one_a_grant_twice(zone: Any) -> None:
    ann = rolling(zone, rollover_ppm=1_000_000)
    house = keeper(zone)
    zone.clock.pass_(75 * 86_400)
    closed = [house.expire_grants(zone.clock.now_us()) for _ in range(4)]
    assert closed == [1, 1, 0, 0], "the grant, and the one it turned into: that does not roll over again"
    grants = sorted(zone.room.grants(ann, ann.project_id), key=lambda grant: grant.valid_until_us)
    assert [(grant.amount, grant.expired) for grant in grants] == [(0, True), (GRANT, True)]
    assert zone.figures(ann) == {"settled": 0, "held": 0, "available": 0, "expired": GRANT}
    assert zone.violations() == []


def test_two_keepers_at_once_roll_a_grant_over_once(everywhere: Any, database_url: str) -> None:
    zone = everywhere
    ann = rolling(zone)
    zone.clock.pass_(60)
    other = open_database(database_url)
    houses = [keeper(zone), Housekeeping(zone.new_ground(other), zone.policy)]
    line = threading.Barrier(2, timeout=30)

    def run(house: Housekeeping) -> int:
        line.wait()
        return house.expire_grants(zone.clock.now_us())

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(run, houses)) == 1
    other.close()
    assert len(zone.room.grants(ann, ann.project_id)) == 2
    assert zone.violations() == []


def test_quotes_are_forgotten_an_hour_after_their_end(zone: Any) -> None:
    ann, house = zone.startup(), keeper(zone)
    zone.room.quote(ann, [zone.submission()])
    zone.clock.pass_(900)
    zone.room.quote(ann, [zone.submission()])
    house.maybe(zone.clock.pass_(3_600))
    assert zone.rows()["quotes"] == 2, "the first ended just an hour ago"
    zone.clock.at_us += 1
    house._collected_us = 0
    house.maybe(zone.clock.now_us())
    assert zone.rows()["quotes"] == 1


def test_the_timers_run_at_once_and_then_at_their_pace(zone: Any, monkeypatch: Any) -> None:
    house, done = keeper(zone), []
    monkeypatch.setattr(house, "expire_grants", lambda now: done.append("expire"))
    monkeypatch.setattr(zone.ground.blobs, "collect", lambda database, before: done.append("collect") or 0)
    house.maybe(zone.clock.now_us())
    assert done == ["expire"]
    house.maybe(zone.clock.pass_(10))
    assert done == ["expire"]
    house.maybe(zone.clock.pass_(1))
    assert done == ["expire", "expire"]
    house.maybe(zone.clock.pass_(3_600))
    assert done == ["expire", "expire", "expire", "collect"]


def test_blobs_nobody_refers_to_are_collected_when_they_are_an_hour_old(led: Any) -> None:
    ann = led.startup()
    job = led.run(ann)
    old = led.write(lambda conn: led.ground.blobs.put(conn, b"of nobody"))
    led.clock.pass_(3_000)
    young = led.write(lambda conn: led.ground.blobs.put(conn, b"of nobody yet"))
    led.clock.pass_(601)
    led.turn()
    with led.database.read() as conn:
        kept = {row[0] for row in conn.exec_driver_sql("SELECT hash FROM blobs")}
    assert kept == {young, job.work_hash, job.result_hash}
    assert old not in kept


def joined(zone: Any, worker_id: str, **changes: Any) -> None:
    now = zone.clock.now_us()
    fields = {"host": "", "pid": 1, "slots": 1, "pipeline": 0, "backends": ("aer",), "state": "up"}
    row = WorkerRow(worker_id, **fields | changes, joined_us=now, seen_us=now)
    zone.write(lambda conn: workers.upsert_worker(conn, row))


def test_a_silent_worker_process_is_lost_after_a_whole_lease(zone: Any) -> None:
    joined(zone, "agent-1")
    joined(zone, "agent-2", state="lost")
    joined(zone, "local-1")
    house = keeper(zone)
    assert house.silent_workers(zone.clock.pass_(30)) == []
    lost = WorkerLost(zone.clock.pass_(5), "agent-1", "the worker has not been heard of")
    assert house.silent_workers(zone.clock.now_us()) == [lost]
    with zone.database.read() as conn:
        states = {row.id: row.state for row in workers.list_workers(conn)}
    assert states == {"agent-1": "lost", "agent-2": "lost", "local-1": "up"}
    assert house.silent_workers(zone.clock.pass_(5)) == []


def test_the_look_at_workers_is_taken_every_five_seconds(zone: Any) -> None:
    house = keeper(zone)
    house.silent_workers(zone.clock.pass_(31))
    joined(zone, "agent-1")
    zone.clock.at_us += 31 * SECOND_US
    assert len(house.silent_workers(zone.clock.now_us())) == 1
    joined(zone, "agent-3")
    zone.write(lambda conn: conn.exec_driver_sql("UPDATE workers SET seen_us = 0"))
    assert house.silent_workers(zone.clock.pass_(4)) == []
    assert len(house.silent_workers(zone.clock.pass_(1))) == 1


def test_what_a_silent_worker_held_is_done_by_another(led: Any) -> None:
    """Through the loop: the worker process dies while our own workers are busy or not."""
    led.clock.pass_(10)
    joined(led, "agent-1", slots=1)
    led.dispatcher = led.new_dispatcher(None)
    led.lead()
    job = led.submit(led.startup())
    led.turn()
    assert led.room.attempts(led.operator, job.id)[0].worker_id == "agent-1"
    led.clock.pass_(36)
    led.turn()
    assert [row.state for row in led.room.attempts(led.operator, job.id)] == ["lost"]
    assert led.story(job) == ["queued", "queued"]


def test_the_ledger_is_signed_now_and_then(zone: Any, tmp_path: Path) -> None:
    ann = zone.startup(grant=GRANT)
    notary = Notary(zone.database, tmp_path / "ledger", zone.clock.now_us)
    house = Housekeeping(replace(zone.ground, notary=notary), zone.policy)
    house.maybe(zone.clock.now_us())
    signed = list(notary.files.sizes())
    assert len(signed) == 1
    house.maybe(zone.clock.pass_(11))
    assert list(notary.files.sizes()) == signed, "nothing was added"
    zone.grant(ann.project_id, 500, until_us=zone.clock.now_us() + 60 * SECOND_US)
    house.maybe(zone.clock.pass_(5))
    assert list(notary.files.sizes()) == signed, "not yet"
    house.maybe(zone.clock.pass_(6))
    assert len(list(notary.files.sizes())) == 2


def test_work_goes_on_where_nothing_can_be_signed(zone: Any, tmp_path: Path) -> None:
    zone.startup(grant=GRANT)
    (tmp_path / "keys").write_text("in the way")
    house = Housekeeping(replace(zone.ground, notary=Notary(zone.database, tmp_path, zone.clock.now_us)), zone.policy)
    house.maybe(zone.clock.now_us())
    assert zone.violations() == []
