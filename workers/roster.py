"""Which order is where: the pure bookkeeping of an executor over its children.

Told what happened (an order came, a child started it, a child died), it answers what to do: send, take back, kill,
say. It knows no processes and no clock, so every race can be told as a story in a test. One promise above all: each
order gets exactly one final observation.

An order waits here, or in a child's connection behind the order that child runs (so that a child never idles between
short orders). Behind an order that turns out long the waiting ones are taken back. Taking back races with the child
starting them; whoever says Started first owns the order, and a child that starts an order which is no longer its own is
killed.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from workers.child import Death
from workers.port import Failed, Final, Held, Key, Lost, Observation, Order, Started, Stopped, memory_reason


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks, in µs: the steady one that intervals are measured by, and the wall's."""

    steady_us: int
    wall_us: int

    def wall_of(self, steady_us: int) -> int:
        """The wall time of another instant of the steady clock."""
        return self.wall_us - (self.steady_us - steady_us)


@dataclass(frozen=True, slots=True)
class Send:
    """Give the order to the child."""

    child: int
    order: Order


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Tell the child to forget an order it has not started."""

    child: int
    key: Key


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask an idle child whether it is there."""

    child: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End the child, whatever it does."""

    child: int


Effect = Send | TakeBack | Ping | Kill | Observation
Doom = Literal["stop", "timeout", "memory"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the roster waits for what, in µs."""

    take_back_us: int = 20_000
    """An order that has run this long counts as long: nothing waits behind it."""
    silence_us: int = 10_000_000
    """A child that owes a sign and gives none is replaced."""
    heartbeat_us: int = 5_000_000
    """An idle child is asked for a sign this often."""
    deaths_max: int = 3
    """Children that died just before starting one order, after which the order itself is suspected."""
    remembered: int = 20_000
    """Finished orders whose repetition is recognised."""


@dataclass(slots=True)
class _Attempt:
    order: Order
    number: int
    """Orders are served in the order they came, also when they were taken back."""
    child: int | None = None
    started_us: int | None = None
    doom: Doom | None = None
    deaths: int = 0


@dataclass(slots=True)
class _Seat:
    child: int
    heard_us: int
    running: Key | None = None
    waiting: deque[Key] = field(default_factory=deque)
    doomed: bool = False
    pinged: bool = False

    @property
    def load(self) -> int:
        return len(self.waiting) + (self.running is not None)


class Roster:
    """The orders held, the children there are, and who has what."""

    def __init__(self, depth: int, patience: Patience | None = None) -> None:
        """`depth`: orders one child may have, the running one included."""
        self._depth = depth
        self._patience = patience or Patience()
        self._attempts: dict[Key, _Attempt] = {}
        self._queue: list[Key] = []
        self._added = 0
        self._seats: dict[int, _Seat] = {}
        self._finished: OrderedDict[Key, None] = OrderedDict()

    def inventory(self) -> tuple[Held, ...]:
        """What is held, oldest first."""
        return tuple(Held(*key, attempt.started_us is not None) for key, attempt in self._attempts.items())

    @property
    def queued(self) -> int:
        """Orders that no child has."""
        return len(self._queue)

    def running(self) -> Iterator[tuple[int, Order, int]]:
        """(child, order, started_us) of what runs and is not being ended."""
        for seat in self._seats.values():
            if seat.running is not None and not seat.doomed:
                attempt = self._attempts[seat.running]
                assert attempt.started_us is not None
                yield seat.child, attempt.order, attempt.started_us

    def next_due_us(self) -> int | None:
        """When `tick` has something to do, on the steady clock."""
        return min((due for seat in self._seats.values() if (due := self._due_us(seat)) is not None), default=None)

    # What the dispatcher wants.

    def add(self, order: Order, now: Moment) -> list[Effect]:
        """A new order; a known one changes nothing."""
        if order.key in self._attempts or order.key in self._finished:
            return []
        self._added += 1
        self._attempts[order.key] = _Attempt(order, self._added)
        self._queue.append(order.key)
        return self._feed(now)

    def stop(self, key: Key, now: Moment) -> list[Effect]:
        """End it: at once when it has not started, else by ending its child."""
        attempt = self._attempts.get(key)
        if attempt is None or attempt.doom is not None:
            return []
        if attempt.started_us is not None:
            return self._end_running(attempt, "stop", now)
        effects: list[Effect] = []
        if attempt.child is None:
            self._queue.remove(key)
        else:
            self._seats[attempt.child].waiting.remove(key)
            effects.append(TakeBack(attempt.child, key))
        effects.append(self._conclude(key, Stopped(*key, now.wall_us, 0)))
        return effects + self._feed(now)

    def give_up(self, reason: str, now: Moment) -> list[Effect]:
        """The executor closes: everything held is lost."""
        self._queue.clear()
        for seat in self._seats.values():
            seat.running = None
            seat.waiting.clear()
        return [self._conclude(key, Lost(*key, now.wall_us, reason)) for key in tuple(self._attempts)]

    def fail_queued(self, code: str, reason: str, now: Moment) -> list[Effect]:
        """There are no children and none can be had: a fault of ours for everything that waits."""
        keys, self._queue = self._queue, []
        return [self._conclude(key, Failed(*key, now.wall_us, "fault", code, reason)) for key in keys]

    # What the children do.

    def joined(self, child: int, now: Moment) -> list[Effect]:
        """A new child is ready."""
        self._seats[child] = _Seat(child, now.steady_us)
        return self._feed(now)

    def heard(self, child: int, now: Moment) -> None:
        """A sign of life."""
        seat = self._seats.get(child)
        if seat is not None:
            seat.heard_us, seat.pinged = now.steady_us, False

    def started(self, child: int, key: Key, at_us: int, now: Moment) -> list[Effect]:
        """The child began to run it at `at_us` of the steady clock."""
        seat = self._seats[child]
        if seat.doomed:
            # Said while it was being killed for something else; the order is already on its way to another child.
            return []
        attempt = self._attempts.get(key)
        if seat.running is not None or attempt is None or attempt.started_us is not None:
            return self._doom(seat, now)
        effects: list[Effect] = []
        if attempt.child is None:
            self._queue.remove(key)
        else:
            self._seats[attempt.child].waiting.remove(key)
            if attempt.child != child:
                effects.append(TakeBack(attempt.child, key))
        attempt.started_us = min(at_us, now.steady_us)
        seat.running, attempt.child, attempt.deaths = key, child, 0
        return [*effects, Started(*key, now.wall_of(attempt.started_us))]

    def finished(self, child: int, final: Final, now: Moment, *, last: bool = False) -> list[Effect]:
        """The child says how it ended; only what it was known to run is believed.

        `last`: replace the child now, it has grown too large or is no longer trusted.
        """
        seat = self._seats[child]
        key = (final.attempt_id, final.token)
        if seat.running != key:
            return []
        seat.running = None
        concluded = self._conclude(key, final)
        return [concluded, *(self._doom(seat, now) if last and not seat.doomed else self._feed(now))]

    def exhausted(self, child: int, now: Moment) -> list[Effect]:
        """What the child runs takes more memory than it may."""
        seat = self._seats.get(child)
        if seat is None or seat.doomed or seat.running is None:
            return []
        return self._end_running(self._attempts[seat.running], "memory", now)

    def gone(self, child: int, death: Death, now: Moment) -> list[Effect]:
        """The child has ended, killed or not, and everything it ever said has been told here."""
        seat = self._seats.pop(child, None)
        if seat is None:
            return []
        effects: list[Effect] = []
        if seat.running is not None:
            effects.append(self._conclude(seat.running, self._verdict(self._attempts[seat.running], death, now)))
        elif seat.waiting:
            first = self._attempts[seat.waiting[0]]
            first.deaths += 1
            if first.deaths >= self._patience.deaths_max:
                key = seat.waiting.popleft()
                reason = f"{first.deaths} processes ended before they could start it; the last: {death.reason}"
                effects.append(self._conclude(key, Failed(*key, now.wall_us, "fault", "worker_unavailable", reason)))
        self._requeue(seat)
        return effects + self._feed(now)

    def tick(self, now: Moment) -> list[Effect]:
        """What time alone brings: limits, long orders, silence."""
        effects: list[Effect] = []
        for seat in tuple(self._seats.values()):
            due = self._due_us(seat)
            if due is None or now.steady_us < due:
                continue
            if seat.running is not None:
                effects += self._tick_running(seat, now)
            elif seat.waiting or seat.pinged:
                effects += self._doom(seat, now)
            else:
                seat.pinged, seat.heard_us = True, now.steady_us
                effects.append(Ping(seat.child))
        return effects + self._feed(now)

    # Inside.

    def _due_us(self, seat: _Seat) -> int | None:
        if seat.doomed:
            return None
        if seat.running is not None:
            attempt = self._attempts[seat.running]
            assert attempt.started_us is not None
            patience_us = self._patience.take_back_us
            limit_us = attempt.order.time_limit_us
            return attempt.started_us + (min(patience_us, limit_us) if seat.waiting else limit_us)
        if seat.waiting or seat.pinged:
            return seat.heard_us + self._patience.silence_us
        return seat.heard_us + self._patience.heartbeat_us

    def _tick_running(self, seat: _Seat, now: Moment) -> list[Effect]:
        assert seat.running is not None
        attempt = self._attempts[seat.running]
        assert attempt.started_us is not None
        if now.steady_us >= attempt.started_us + attempt.order.time_limit_us:
            return self._end_running(attempt, "timeout", now)
        effects: list[Effect] = [TakeBack(seat.child, key) for key in seat.waiting]
        self._requeue(seat)
        return effects

    def _feed(self, now: Moment) -> list[Effect]:
        effects: list[Effect] = []
        while self._queue:
            seat = self._choose(now)
            if seat is None:
                break
            key = self._queue.pop(0)
            attempt = self._attempts[key]
            attempt.child = seat.child
            if not seat.load:
                seat.heard_us = now.steady_us  # its silence counts from now
            seat.waiting.append(key)
            effects.append(Send(seat.child, attempt.order))
        return effects

    def _choose(self, now: Moment) -> _Seat | None:
        best: _Seat | None = None
        for seat in self._seats.values():
            if seat.doomed or seat.load >= self._depth or (best is not None and seat.load >= best.load):
                continue
            if seat.running is not None:
                started_us = self._attempts[seat.running].started_us
                assert started_us is not None
                if now.steady_us - started_us >= self._patience.take_back_us:
                    continue
            best = seat
        return best

    def _end_running(self, attempt: _Attempt, doom: Doom, now: Moment) -> list[Effect]:
        assert attempt.child is not None
        attempt.doom = doom
        return self._doom(self._seats[attempt.child], now)

    def _doom(self, seat: _Seat, now: Moment) -> list[Effect]:
        seat.doomed = True
        self._requeue(seat)
        return [Kill(seat.child), *self._feed(now)]

    def _requeue(self, seat: _Seat) -> None:
        while seat.waiting:
            key = seat.waiting.popleft()
            self._attempts[key].child = None
            insort(self._queue, key, key=lambda queued: self._attempts[queued].number)

    def _verdict(self, attempt: _Attempt, death: Death, now: Moment) -> Final:
        key, order = attempt.order.key, attempt.order
        assert attempt.started_us is not None
        used_us = max(0, now.steady_us - attempt.started_us)
        match attempt.doom:
            case "stop":
                return Stopped(*key, now.wall_us, used_us)
            case "timeout":
                limit_ms = order.time_limit_us // 1000
                reason = f"ended after {used_us // 1000} ms: its time limit is {limit_ms} ms"
                fields = {"time_limit_ms": limit_ms}
                return Failed(*key, now.wall_us, "timeout", "time_limit_exceeded", reason, fields, used_us)
            case doom if doom == "memory" or death.kind == "memory":
                reason = memory_reason(order.memory_mib)
                fields = {"memory_mib": order.memory_mib}
                return Failed(*key, now.wall_us, "memory", "memory_exceeded", reason, fields, used_us)
            case _:
                reason = f"the engine crashed on this work: {death.reason}"
                return Failed(*key, now.wall_us, "crash", "engine_crashed", reason, {}, used_us)

    def _conclude(self, key: Key, final: Final) -> Final:
        del self._attempts[key]
        self._finished[key] = None
        if len(self._finished) > self._patience.remembered:
            self._finished.popitem(last=False)
        return final
