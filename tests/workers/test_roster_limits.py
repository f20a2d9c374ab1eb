"""The roster's stories about time: limits that are kept, and children that fall silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workers.child import Death
from workers.port import Failed, Order
from workers.roster import Kill, Moment, Ping, Roster, Send

WALL_US = 1_000_000_000_000
CRASH = Death("crash", "the process was ended by SIGSEGV")
A, B = (Order(f"{name}/0.1", 1, name, "aer", b"{}", 1_000_000, 256) for name in "ab")


def at(steady_us: int) -> Moment:
    return Moment(steady_us, WALL_US + steady_us)


def roster_with(*children: int) -> Roster:
    roster = Roster(2)
    for child in children:
        assert roster.joined(child, at(0)) == []
    return roster


# Limits.


def test_at_its_time_limit_an_order_is_ended() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 100, at(100))
    assert roster.next_due_us() == 1_000_100
    assert roster.tick(at(1_000_099)) == []
    assert roster.tick(at(1_000_100)) == [Kill(1)]
    assert roster.next_due_us() is None
    reason = "ended after 1001 ms: its time limit is 1000 ms"
    fields = {"time_limit_ms": 1000}
    assert roster.gone(1, CRASH, at(1_001_100)) == [
        Failed(*A.key, WALL_US + 1_001_100, "timeout", "time_limit_exceeded", reason, fields, 1_001_000)
    ]


def test_a_limit_shorter_than_the_patience_is_kept() -> None:
    roster = roster_with(1)
    roster.add(replace(A, time_limit_us=5_000), at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    assert roster.next_due_us() == 5_000
    assert roster.tick(at(5_000)) == [Kill(1)]


@pytest.mark.parametrize("noticed", ["by its parent", "by its own words"])
def test_too_much_memory_is_named_whoever_notices(noticed: str) -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    death = CRASH
    if noticed == "by its parent":
        assert roster.exhausted(1, at(5)) == [Kill(1)]
        assert roster.exhausted(1, at(6)) == []
    else:
        death = Death("memory", "the process ran out of the memory it may use")
    reason = "needed more than the 256 MiB of memory it may use"
    assert roster.gone(1, death, at(10)) == [
        Failed(*A.key, WALL_US + 10, "memory", "memory_exceeded", reason, {"memory_mib": 256}, 10)
    ]
    assert roster.exhausted(1, at(11)) == []


# Silence.


def test_an_idle_child_is_asked_for_a_sign_and_replaced_when_it_gives_none() -> None:
    roster = roster_with(1)
    assert roster.next_due_us() == 5_000_000
    assert roster.tick(at(5_000_000)) == [Ping(1)]
    roster.heard(1, at(5_000_100))
    assert roster.next_due_us() == 10_000_100
    assert roster.tick(at(10_000_100)) == [Ping(1)]
    assert roster.tick(at(20_000_099)) == []
    assert roster.tick(at(20_000_100)) == [Kill(1)]


def test_a_child_that_does_not_start_what_it_was_sent_is_replaced() -> None:
    roster = roster_with(1)
    roster.add(A, at(4_000_000))
    assert roster.next_due_us() == 14_000_000
    assert roster.tick(at(14_000_000)) == [Kill(1)]
    assert roster.joined(2, at(14_000_001)) == [Send(2, A)]
    assert roster.gone(1, CRASH, at(14_000_002)) == []


def test_a_busy_child_owes_no_sign() -> None:
    roster = roster_with(1)
    roster.add(replace(A, time_limit_us=10**12), at(0))
    roster.started(1, A.key, 0, at(0))
    assert roster.tick(at(10**11)) == []


def test_signs_of_the_dead_are_nothing() -> None:
    roster = roster_with(1)
    roster.gone(1, CRASH, at(1))
    roster.heard(1, at(2))
    assert roster.next_due_us() is None
