"""The roster's stories: orders come, children start, finish, die and race, and each order ends exactly once."""

from __future__ import annotations

from dataclasses import replace

from workers.child import Death
from workers.port import Failed, Held, Lost, Order, Started, Stopped, Succeeded
from workers.roster import Kill, Moment, Patience, Roster, Send, TakeBack

WALL_US = 1_000_000_000_000
CRASH = Death("crash", "the process was ended by SIGSEGV")
A, B, C, D = (Order(f"{name}/0.1", 1, name, "aer", b"{}", 1_000_000, 256) for name in "abcd")


def at(steady_us: int) -> Moment:
    return Moment(steady_us, WALL_US + steady_us)


def done(order: Order, at_us: int) -> Succeeded:
    return Succeeded(*order.key, WALL_US + at_us, b"result", 10, 9, 1024)


def started(order: Order, at_us: int) -> Started:
    return Started(*order.key, WALL_US + at_us)


def roster_with(*children: int, depth: int = 2, patience: Patience | None = None) -> Roster:
    roster = Roster(depth, patience)
    for child in children:
        assert roster.joined(child, at(0)) == []
    return roster


# The straight road.


def test_an_order_waits_for_a_child_and_is_run_once() -> None:
    roster = Roster(2)
    assert roster.add(A, at(0)) == []
    assert roster.inventory() == (Held(*A.key, started=False),)
    assert roster.joined(1, at(5)) == [Send(1, A)]
    assert roster.started(1, A.key, 7, at(9)) == [started(A, 7)]
    assert roster.inventory() == (Held(*A.key, started=True),)
    assert roster.finished(1, done(A, 20), at(20)) == [done(A, 20)]
    assert roster.inventory() == ()


def test_a_known_order_is_left_alone_waiting_running_and_finished() -> None:
    roster = roster_with(1)
    assert roster.add(A, at(0)) == [Send(1, A)]
    assert roster.add(A, at(1)) == []
    roster.started(1, A.key, 2, at(2))
    assert roster.add(A, at(3)) == []
    roster.finished(1, done(A, 4), at(4))
    assert roster.add(A, at(5)) == []
    again = replace(A, token=2)
    assert roster.add(again, at(6)) == [Send(1, again)]


def test_only_so_many_finished_orders_are_remembered() -> None:
    roster = roster_with(1, patience=Patience(remembered=1))
    for order in (A, B):
        roster.add(order, at(0))
        roster.started(1, order.key, 0, at(0))
        roster.finished(1, done(order, 1), at(1))
    assert roster.add(B, at(2)) == []
    assert roster.add(A, at(2)) == [Send(1, A)]


def test_idle_children_come_first_then_the_pipelines_fill_up_evenly() -> None:
    roster = roster_with(1, 2)
    orders = [replace(A, attempt_id=f"job/0.{n}") for n in range(5)]
    effects = [effect for order in orders for effect in roster.add(order, at(0))]
    assert effects == [Send(1, orders[0]), Send(2, orders[1]), Send(1, orders[2]), Send(2, orders[3])]
    assert roster.queued == 1
    roster.started(2, orders[1].key, 0, at(0))
    assert roster.finished(2, done(orders[1], 9), at(9)) == [done(orders[1], 9), Send(2, orders[4])]


def test_a_started_time_from_the_future_does_not_stretch_the_limit() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    assert roster.started(1, A.key, 10**15, at(3)) == [started(A, 3)]
    assert roster.next_due_us() == 3 + A.time_limit_us


# Long orders and those that wait behind them.


def test_behind_a_long_order_nothing_waits() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    assert roster.add(B, at(10)) == [Send(1, B)]
    assert roster.next_due_us() == 20_000
    assert roster.tick(at(19_999)) == []
    assert roster.tick(at(20_000)) == [TakeBack(1, B.key)]
    assert roster.add(C, at(20_001)) == []
    assert roster.queued == 2
    assert roster.joined(2, at(30_000)) == [Send(2, B), Send(2, C)]


def test_what_is_taken_back_keeps_its_place_in_the_queue() -> None:
    roster = roster_with(1, depth=3)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    for order in (B, C, D):
        roster.add(order, at(1))
    assert roster.tick(at(20_000)) == [TakeBack(1, B.key), TakeBack(1, C.key)]
    assert roster.finished(1, done(A, 30_000), at(30_000)) == [done(A, 30_000), Send(1, B), Send(1, C), Send(1, D)]


def test_a_child_that_starts_what_was_just_taken_back_keeps_it() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    roster.tick(at(20_000))
    roster.finished(1, done(A, 20_001), at(20_001))
    # It goes out again to the same child, which has meanwhile started the first copy and will drop the second.
    assert roster.started(1, B.key, 20_001, at(20_002)) == [started(B, 20_001)]
    assert roster.queued == 0


def test_whoever_starts_first_owns_the_order() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    roster.tick(at(20_000))
    assert roster.joined(2, at(20_001)) == [Send(2, B)]
    roster.finished(1, done(A, 20_002), at(20_002))
    assert roster.started(1, B.key, 20_002, at(20_003)) == [TakeBack(2, B.key), started(B, 20_002)]
    assert roster.started(2, B.key, 20_002, at(20_004)) == [Kill(2)]
    assert roster.gone(2, CRASH, at(20_005)) == []
    assert roster.finished(1, done(B, 20_006), at(20_006)) == [done(B, 20_006)]


def test_a_child_that_starts_what_waits_here_again_keeps_it() -> None:
    roster = roster_with(1, 2, 3)
    first = [replace(A, attempt_id=f"first/0.{n}") for n in range(3)]
    second = [replace(A, attempt_id=f"second/0.{n}") for n in range(3)]
    for order in first + second:
        roster.add(order, at(0))
    for child, order in enumerate(first, start=1):
        roster.started(child, order.key, 0, at(0))
    roster.tick(at(20_000))
    effects = roster.finished(3, done(first[2], 20_001), at(20_001))
    assert effects == [done(first[2], 20_001), Send(3, second[0]), Send(3, second[1])]
    assert roster.queued == 1
    assert roster.started(3, second[2].key, 20_001, at(20_001)) == [started(second[2], 20_001)]
    assert roster.queued == 0


def test_what_is_taken_back_from_many_is_served_as_it_came() -> None:
    roster = roster_with(1, 2)
    orders = [replace(A, attempt_id=f"job/0.{n}") for n in range(6)]
    for order in orders:
        roster.add(order, at(0))
    for child in (1, 2):
        roster.started(child, orders[child - 1].key, 0, at(0))
    assert roster.tick(at(20_000)) == [TakeBack(1, orders[2].key), TakeBack(2, orders[3].key)]
    assert roster.joined(3, at(20_001)) == [Send(3, orders[2]), Send(3, orders[3])]
    assert roster.joined(4, at(20_001)) == [Send(4, orders[4]), Send(4, orders[5])]


# Stops.


def test_stopping_what_waits_here_takes_no_child() -> None:
    roster = Roster(2)
    roster.add(A, at(0))
    assert roster.stop(A.key, at(1)) == [Stopped(*A.key, WALL_US + 1, 0)]
    assert roster.joined(1, at(2)) == []


def test_stopping_what_waits_in_a_child_takes_it_back() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    assert roster.stop(B.key, at(2)) == [TakeBack(1, B.key), Stopped(*B.key, WALL_US + 2, 0)]
    roster.finished(1, done(A, 3), at(3))
    # The child was quicker: it runs an order that has its final word, so it is ended, and nothing more is said.
    assert roster.started(1, B.key, 3, at(4)) == [Kill(1)]
    assert roster.gone(1, CRASH, at(5)) == []


def test_stopping_what_runs_kills_and_the_neighbour_goes_elsewhere() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    assert roster.stop(A.key, at(50)) == [Kill(1)]
    assert roster.stop(A.key, at(51)) == []
    assert roster.joined(2, at(60)) == [Send(2, B)]
    assert roster.gone(1, CRASH, at(70)) == [Stopped(*A.key, WALL_US + 70, 70)]


def test_a_success_that_was_on_its_way_beats_the_stop() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    assert roster.stop(A.key, at(50)) == [Kill(1)]
    assert roster.finished(1, done(A, 51), at(51)) == [done(A, 51)]
    assert roster.gone(1, CRASH, at(52)) == []


def test_a_child_that_is_being_ended_is_not_ended_twice() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.stop(A.key, at(50))
    assert roster.finished(1, done(A, 51), at(51), last=True) == [done(A, 51)]


def test_what_a_dying_child_still_starts_is_run_elsewhere() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    roster.stop(A.key, at(50))
    assert roster.finished(1, done(A, 51), at(51)) == [done(A, 51)]
    assert roster.started(1, B.key, 51, at(51)) == []
    assert roster.finished(1, done(B, 52), at(52)) == []
    assert roster.gone(1, CRASH, at(53)) == []
    assert roster.joined(2, at(54)) == [Send(2, B)]


def test_stopping_the_unknown_and_the_finished_does_nothing() -> None:
    roster = roster_with(1)
    assert roster.stop(A.key, at(0)) == []
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.finished(1, done(A, 1), at(1))
    assert roster.stop(A.key, at(2)) == []


# Deaths.


def test_a_crash_costs_the_running_order_and_no_other() -> None:
    roster = roster_with(1, 2)
    roster.add(A, at(0))
    roster.add(B, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.started(2, B.key, 0, at(0))
    assert roster.add(C, at(1)) == [Send(1, C)]
    reason = "the engine crashed on this work: the process was ended by SIGSEGV"
    crashed = Failed(*A.key, WALL_US + 9, "crash", "engine_crashed", reason, {}, 9)
    assert roster.gone(1, CRASH, at(9)) == [crashed, Send(2, C)]


def test_an_idle_child_that_dies_is_nobodys_fault() -> None:
    roster = roster_with(1)
    assert roster.gone(1, CRASH, at(1)) == []
    assert roster.gone(1, CRASH, at(1)) == []
    assert roster.add(A, at(2)) == []


def test_an_order_that_never_gets_started_is_suspected_in_the_end() -> None:
    roster = Roster(2)
    roster.add(A, at(0))
    roster.add(B, at(0))
    for child in (1, 2):
        assert roster.joined(child, at(child)) == [Send(child, A), Send(child, B)]
        assert roster.gone(child, CRASH, at(child)) == []
    roster.joined(3, at(3))
    [failed] = roster.gone(3, CRASH, at(3))
    assert isinstance(failed, Failed)
    assert (failed.attempt_id, failed.kind, failed.code) == ("a/0.1", "fault", "worker_unavailable")
    assert failed.reason.startswith("3 processes ended before they could start it")
    assert roster.joined(4, at(4)) == [Send(4, B)]


def test_a_child_is_replaced_when_it_has_said_its_last_word() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    assert roster.finished(1, done(A, 2), at(2), last=True) == [done(A, 2), Kill(1)]
    assert roster.gone(1, CRASH, at(3)) == []
    assert roster.joined(2, at(4)) == [Send(2, B)]


def test_a_child_that_says_impossible_things_is_ended_and_its_order_settled() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    assert roster.finished(1, done(B, 2), at(2)) == []
    assert roster.started(1, B.key, 2, at(2)) == [Kill(1)]
    [crashed] = roster.gone(1, CRASH, at(3))
    assert isinstance(crashed, Failed)
    assert crashed.attempt_id == "a/0.1"
    assert roster.queued == 1


# The end.


def test_giving_up_reports_everything_lost_once() -> None:
    roster = roster_with(1)
    for order in (A, B, C):
        roster.add(order, at(0))
    roster.started(1, A.key, 0, at(0))
    lost = [Lost(*order.key, WALL_US + 9, "closed") for order in (A, B, C)]
    assert roster.give_up("closed", at(9)) == lost
    assert roster.give_up("closed", at(9)) == []
    assert roster.gone(1, CRASH, at(10)) == []


def test_without_children_what_waits_fails_by_our_fault() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    roster.started(1, A.key, 0, at(0))
    roster.add(B, at(1))
    roster.add(C, at(1))
    failed = Failed(*C.key, WALL_US + 2, "fault", "worker_unavailable", "no luck")
    assert roster.fail_queued("worker_unavailable", "no luck", at(2)) == [failed]
    assert roster.inventory() == (Held(*A.key, started=True), Held(*B.key, started=False))


def test_what_runs_is_known_until_it_is_being_ended() -> None:
    roster = roster_with(1)
    roster.add(A, at(0))
    assert list(roster.running()) == []
    roster.started(1, A.key, 3, at(4))
    assert list(roster.running()) == [(1, A, 3)]
    roster.stop(A.key, at(5))
    assert list(roster.running()) == []
