"""What every route works with: the room, the limits, the waiters, and threads for calls that block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar, TypeVarTuple, Unpack

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from api.answers import refuse
from api.limits import ApiLimits
from api.port import RoomPort
from api.watch import Watch
from dispatcher.model import Caller

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


@dataclass(eq=False, slots=True)
class Desk:
    """One per application. Reading, submitting and converting have threads of their own: a rush of submissions,
    whose circuits take seconds to inspect, must not keep anybody from reading.
    """

    room: RoomPort
    limits: ApiLimits
    watch: Watch
    reading: CapacityLimiter
    submitting: CapacityLimiter
    converting: CapacityLimiter
    waiting: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, room: RoomPort, limits: ApiLimits) -> Desk:
        """The desk of a new application."""
        return cls(
            room=room,
            limits=limits,
            watch=Watch(room, poll_s=limits.poll_ms / 1000),
            reading=CapacityLimiter(limits.read_threads),
            submitting=CapacityLimiter(limits.submit_threads),
            converting=CapacityLimiter(2),
        )

    async def read(self, call: Callable[[Unpack[Arguments]], T], *arguments: *Arguments) -> T:
        """The answer of a short blocking call."""
        return await to_thread.run_sync(call, *arguments, limiter=self.reading)

    async def submit(self, call: Callable[[Unpack[Arguments]], T], *arguments: *Arguments) -> T:
        """The answer of a call that parses, inspects and writes."""
        return await to_thread.run_sync(call, *arguments, limiter=self.submitting)

    async def convert(self, call: Callable[[Unpack[Arguments]], T], *arguments: *Arguments) -> T:
        """The answer of a call that turns a large document into another."""
        return await to_thread.run_sync(call, *arguments, limiter=self.converting)

    @contextmanager
    def seat(self, caller: Caller) -> Iterator[None]:
        """A place for one long poll or stream. Refusal: too_many_streams."""
        member, limits = caller.member_id, self.limits
        for taken, limit in ((self.waiting.total(), limits.waiters), (self.waiting[member], limits.waiters_of_member)):
            if taken >= limit:
                raise refuse("too_many_streams", f"{taken} requests are waiting and {limit} may.", limit=limit)
        self.waiting[member] += 1
        try:
            yield
        finally:
            self.waiting[member] -= 1
            if not self.waiting[member]:
                del self.waiting[member]


def desk_of(request: Request) -> Desk:
    """The desk of the application that serves this request."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk
