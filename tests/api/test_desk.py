"""The desk: seats for those who wait, and threads that do not stand in each other's way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from api.answers import Refused
from api.app import create_app
from api.desk import Desk
from api.limits import ApiLimits
from dispatcher.model import Caller

ONE, OTHER = Caller("mem_1", "prj_1", "member", "t"), Caller("mem_2", "prj_1", "member", "t")


def desk(house: Any, **limits: int) -> Desk:
    return Desk.of(house.room, ApiLimits(**limits))


def test_one_member_takes_a_part_of_the_seats(house: Any) -> None:
    table = desk(house, waiters=3, waiters_of_member=2)
    with table.seat(ONE), table.seat(ONE):
        with pytest.raises(Refused) as caught, table.seat(ONE):
            pass
        assert caught.value.refusal.code == "too_many_streams"
        assert caught.value.refusal.fields == {"limit": 2}
        with table.seat(OTHER), pytest.raises(Refused), table.seat(Caller("mem_3", None, "operator", "t")):
            pass
    assert table.waiting == {}


def test_a_seat_is_given_back_by_whoever_falls_from_it(house: Any) -> None:
    table = desk(house)
    with pytest.raises(ZeroDivisionError), table.seat(ONE):
        raise ZeroDivisionError
    assert table.waiting == {}


def test_blocking_calls_run_in_other_threads(house: Any) -> None:
    async def three() -> set[int]:
        table = desk(house)
        return {await call(threading.get_ident) for call in (table.read, table.submit, table.convert)}

    assert threading.get_ident() not in anyio.run(three)


def test_a_rush_of_slow_submissions_keeps_nobody_from_reading(wire: Any, house: Any, sampler: dict[str, Any]) -> None:
    """More submissions than there are threads for them hang in the inspector; everything else goes on."""
    house.inspector.may_go_on.clear()
    app = create_app(house.room, limits=ApiLimits(read_threads=2, submit_threads=4))
    count = 6
    with wire(app, **house.headers("member of moz")) as client, ThreadPoolExecutor(count) as clients:
        waiting = [clients.submit(client.post, "/v1/jobs", json=sampler) for _ in range(count)]
        assert house.inspector.entered.wait(10)
        try:
            assert client.get("/v1/jobs", timeout=5).json() == {"jobs": [], "next_cursor": None}
            assert client.get("/health/ready", timeout=5).status_code == 200
        finally:
            house.inspector.may_go_on.set()
        assert {answer.result().status_code for answer in waiting} == {201}
