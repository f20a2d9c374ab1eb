"""A project is told in time that its grants are running out."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from dispatcher import quota_marks
from dispatcher.model import Caller
from dispatcher.quota_marks import QuotaMarks, QuotaWarning
from ledger.quota import Drawn
from store.database import Database
from store.rows import NoticeRow

ANN = Caller("mem_ann", "acme", "member", "tok")
OPERATOR = Caller("console", None, "operator", "tok")
ZETA = Caller("mem_zoe", "zeta", "admin", "tok")


@pytest.fixture
def marks(sqlite_database: Database) -> QuotaMarks:
    ground: Any = SimpleNamespace(database=sqlite_database, rules=SimpleNamespace(asset="CNY"), now_us=lambda: 5)
    return QuotaMarks(ground)


@pytest.mark.parametrize(("used", "percent"), [(0, None), (799, None), (800, 80), (949, 80), (950, 95), (1_000, 95)])
def test_the_highest_mark_that_is_reached(
    marks: QuotaMarks, monkeypatch: pytest.MonkeyPatch, used: int, percent: int | None
) -> None:
    monkeypatch.setattr(quota_marks, "drawn_of", lambda *_: {"CNY": Drawn(1_000, used)})
    wanted = None if percent is None else QuotaWarning("acme", percent, used, 1_000, "CNY")
    assert marks.quota_warning(ANN, "acme") == wanted
    assert marks.quota_warning(OPERATOR, "acme") == wanted
    assert marks.quota_warning(ZETA, "acme") is None


@pytest.mark.parametrize(("money", "asset", "percent"), [(0, "shots", 80), (800, "CNY", 80), (950, "CNY", 95)])
def test_units_in_kind_run_out_too_and_of_equal_marks_that_of_money_is_said(
    marks: QuotaMarks, monkeypatch: pytest.MonkeyPatch, money: int, asset: str, percent: int
) -> None:
    found = {"CNY": Drawn(1_000, money), "qpu_ms": Drawn(5, 0), "shots": Drawn(100, 94)}
    monkeypatch.setattr(quota_marks, "drawn_of", lambda *_: found)
    warned = marks.quota_warning(ANN, "acme")
    assert warned is not None
    assert (warned.asset, warned.percent) == (asset, percent)


def test_without_a_grant_there_is_nothing_to_run_out(marks: QuotaMarks) -> None:
    assert marks.quota_warning(ANN, "acme") is None


HELD = 126_100
DAY_US = 86_400_000_000


def told(zone: Any) -> list[tuple[int, int, int]]:
    """Percent, used and granted of every warning so far."""
    rows = zone.room.history_since(zone.operator, 0, 1_000)
    return [
        (row.detail["percent"], row.detail["used"], row.detail["granted"]) for row in rows if isinstance(row, NoticeRow)
    ]


def test_each_mark_is_told_once_and_again_only_from_below(everywhere: Any) -> None:
    zone = everywhere
    zone.lead()
    ann = zone.startup(grant=5 * HELD)
    first = [zone.submit(ann) for _ in range(4)]
    assert told(zone) == [(80, 4 * HELD, 5 * HELD)]
    fifth = zone.submit(ann)
    assert told(zone)[1:] == [(95, 5 * HELD, 5 * HELD)]
    zone.room.cancel(ann, fifth.id)
    zone.turn()
    assert zone.figures(ann)["held"] == 4 * HELD
    zone.submit(ann)
    assert told(zone)[2:] == [(95, 5 * HELD, 5 * HELD)], "80 had not been left"
    for job in first:
        zone.room.cancel(ann, job.id)
    zone.turn()
    zone.room.submit(ann, [zone.submission(name=str(n)) for n in range(4)])
    assert told(zone)[3:] == [(80, 5 * HELD, 5 * HELD), (95, 5 * HELD, 5 * HELD)], "a batch crosses both at once"


def test_a_grant_in_kind_is_told_in_its_own_units(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=10 * HELD)
    zone.grant(ann.project_id, 1_200, programme_id=zone.programme("kind", asset="shots"), asset="shots")
    zone.submit(ann)
    rows = zone.room.history_since(zone.operator, 0, 1_000)
    (notice,) = [row.detail for row in rows if isinstance(row, NoticeRow)]
    assert notice == {"percent": 80, "used": 1_000, "granted": 1_200, "asset": "shots"}


def test_an_increase_lowers_the_percentage_and_a_claw_back_raises_it(everywhere: Any) -> None:
    zone = everywhere
    ann = zone.startup(grant=None)
    grant_id = zone.grant(ann.project_id, 5 * HELD)
    second = replace(zone.operator, member_id="mem-second")

    def approved(kind: Any, amount: int) -> None:
        asked = zone.room.ask(zone.operator, kind, grant_id, {"amount": amount}, "because")
        assert zone.room.decide_request(second, asked.id, True).state == "approved"

    for _ in range(4):
        zone.submit(ann)
    approved("increase", HELD)
    assert len(told(zone)) == 1, "an increase is no reason to warn"
    zone.submit(ann)
    assert told(zone)[1:] == [(80, 5 * HELD, 6 * HELD)]
    approved("claw_back", HELD)
    assert told(zone)[2:] == [(95, 5 * HELD, 5 * HELD)]


def with_two_grants(zone: Any) -> Any:
    """A startup whose first grant to burn is over in a thousand seconds."""
    ann = zone.startup(grant=None)
    zone.grant(ann.project_id, 5 * HELD, until_us=zone.clock.now_us() + 10**9, priority=2)
    zone.grant(ann.project_id, 5 * HELD, until_us=zone.clock.now_us() + DAY_US, priority=1)
    return ann


def test_the_end_of_a_grant_that_was_left_over_is_told(everywhere: Any) -> None:
    zone = everywhere
    ann = with_two_grants(zone)
    for _ in range(4):
        zone.submit(ann)
    assert told(zone) == []
    now = zone.clock.pass_(1_001)
    zone.dispatcher._housekeeping.expire_grants(now)
    assert told(zone) == [(80, 4 * HELD, 5 * HELD)]


def test_what_a_submission_told_is_not_told_again_when_the_end_is_posted(everywhere: Any) -> None:
    zone = everywhere
    ann = with_two_grants(zone)
    for _ in range(3):
        zone.submit(ann)
    now = zone.clock.pass_(1_001)
    zone.submit(ann)
    zone.dispatcher._housekeeping.expire_grants(now)
    assert told(zone) == [(80, 4 * HELD, 5 * HELD)]
