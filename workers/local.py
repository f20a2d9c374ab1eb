"""The executor of this machine: warm child processes, one per slot, watched by one thread.

The roster decides, the crew moves bytes, this file turns one into the other. Orders are sent from the caller's thread;
the watching thread listens, keeps the time limits and replaces children. All state is under one lock.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import assert_never

from backends.limits import Limits
from workers import frames, port
from workers.crew import Crew, Gone, News, Ready, Said
from workers.frames import BrokenStream, Frame
from workers.port import Capabilities, Failed, Held, Lost, Observation, Order, Seen, Started, Stopped, Succeeded
from workers.reports import Began, Broke, Done, Watched, read_report
from workers.roster import Effect, Kill, Moment, Patience, Ping, Roster, Send, TakeBack
from workers.runner import INLINE_BYTES
from workers.spool import Spool

_FRAME_BYTES_MAX = INLINE_BYTES + 1_048_576
_FILE_BYTES_MAX = 4 << 30
_GROWTH_BYTES_MAX = 256 << 20
"""A child that keeps more than this after an order (caches, fragments) is replaced."""
_UNTOUCHED_BYTES = 128 << 20
"""Memory a child may come to occupy without having asked for it: pages shared with its fork server."""
_WEIGH_EVERY_US = 250_000
_TURN_US_MAX = 1_000_000


class LocalExecutor:
    """Runs orders in children forked from one warm process. See `workers.port.Executor`."""

    def __init__(
        self,
        slots: int,
        pipeline: int,
        memory_mib: int,
        backends: tuple[str, ...],
        spool: Path,
        clock: Callable[[], int],
        *,
        limits: Limits | None = None,
        engine: str = "backends.run:execute",
        patience: Patience | None = None,
        shares: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Starts the children at once; orders may come before they are ready.

        `memory_mib`: the most one order may take, whatever it asks; `clock`: µs since the epoch; `engine`: import path
        of what runs the work; `shares`: of jobs that
        are run again on a second engine, and of those on young engines. Raises SpoolInUse.
        """
        if slots < 1 or pipeline < 0 or memory_mib < 1:
            raise ValueError(f"slots {slots}, pipeline {pipeline}, memory {memory_mib} MiB")
        self._capabilities = Capabilities(slots, pipeline, backends)
        self._memory_mib = memory_mib
        self._clock = clock
        self._spool = Spool(spool)
        self._roster = Roster(1 + math.ceil(pipeline / slots), patience)
        self._crew = Crew(
            slots,
            (engine.partition(":")[0], "workers.runner"),
            "workers.runner:run",
            {"engine": engine, "limits": (limits or Limits()).to_json(), "shares": shares},
            file_bytes_max=_FILE_BYTES_MAX,
            frame_bytes_max=_FRAME_BYTES_MAX,
        )
        self._lock = threading.Lock()
        self._closing = False
        self._weigh_after_us = 0
        self._seen: list[Seen] = []
        self._woken = False
        self._seen_changed = threading.Condition()
        self._ready = threading.Event()
        self._bell, self._rope = socket.socketpair()
        for end in (self._bell, self._rope):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._watch, name="executor", daemon=True)
        self._thread.start()

    # The port.

    def capabilities(self) -> Capabilities:
        """See the port."""
        return self._capabilities

    def inventory(self) -> tuple[Held, ...]:
        """See the port."""
        with self._lock:
            return self._roster.inventory()

    def start(self, order: Order) -> None:
        """See the port. An order that comes while the executor closes is reported Lost."""
        with self._lock:
            now = self._now()
            if order.memory_mib > self._memory_mib:
                order = replace(order, memory_mib=self._memory_mib)
            if self._closing:
                self._tell([Lost(*order.key, now.wall_us, "the executor is closed")])
            else:
                self._carry_out(self._roster.add(order, now))

    def stop(self, attempt_id: str, token: int) -> None:
        """See the port."""
        with self._lock:
            if not self._closing:
                self._carry_out(self._roster.stop((attempt_id, token), self._now()))

    def observe(self, timeout_s: float) -> list[Seen]:
        """See the port. After `close` it gives what is left, then nothing, at once."""
        with self._seen_changed:
            if not self._seen and not self._woken and not self._closing:
                self._seen_changed.wait(timeout_s)
            self._woken = False
            seen, self._seen = self._seen, []
        return seen

    def wake(self) -> None:
        """See the port."""
        with self._seen_changed:
            self._woken = True
            self._seen_changed.notify_all()

    def close(self) -> None:
        """See the port. Returns when every process has ended."""
        with self._lock:
            self._closing = True
            self._ring()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # Beyond the port.

    def ready(self, timeout_s: float) -> bool:
        """Wait until every slot has a warm child; False when that takes longer."""
        return self._ready.wait(timeout_s)

    def pids(self) -> tuple[int, ...]:
        """The children that are ready for work or at it."""
        with self._lock:
            return self._crew.pids()

    def pid_of(self, attempt_id: str, token: int) -> int | None:
        """The process that runs that attempt now."""
        with self._lock:
            for number, order, _ in self._roster.running():
                if order.key == (attempt_id, token):
                    return self._crew.pid_of(number)
        return None

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The watching thread.

    def _watch(self) -> None:
        try:
            while True:
                with self._lock:
                    if self._closing:
                        return
                    self._crew.replenish(_steady_us())
                    poll, timeout_ms = self._poll(), self._timeout_ms()
                readable = {descriptor for descriptor, _ in poll.poll(timeout_ms)}
                with self._lock:
                    self._turn(readable)
        finally:
            with self._lock:
                self._closing = True
                self._end()

    def _poll(self) -> select.poll:
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        self._crew.watched(poll)
        return poll

    def _timeout_ms(self) -> float:
        now_us = _steady_us()
        dues = [now_us + _TURN_US_MAX, self._roster.next_due_us(), self._crew.due_us()]
        if any(True for _ in self._roster.running()):
            dues.append(self._weigh_after_us)
        return max(0, min(due for due in dues if due is not None) - now_us) / 1000

    def _turn(self, readable: set[int]) -> None:
        if self._bell.fileno() in readable:
            self._bell.recv(4096)
        now = self._now()
        for news in self._crew.collect(readable, now.steady_us):
            self._learn(news, now)
        if self._crew.trouble is not None:
            self._carry_out(self._roster.fail_queued("worker_unavailable", self._crew.trouble, now))
        self._carry_out(self._roster.tick(now))
        self._weigh(now)

    def _learn(self, news: News, now: Moment) -> None:
        match news:
            case Ready(number):
                self._carry_out(self._roster.joined(number, now))
                if self._crew.complete:
                    self._ready.set()
            case Said(number, frame):
                self._roster.heard(number, now)
                self._believe(number, frame, now)
            case Gone(number, death):
                effects = self._roster.gone(number, death, now)
                for one in effects:
                    if isinstance(one, Failed | Stopped):
                        self._spool.discard(self._spool.path_of(one.attempt_id, one.token))
                self._carry_out(effects)
            case _:
                assert_never(news)

    def _believe(self, number: int, frame: Frame, now: Moment) -> None:
        try:
            report = read_report(frame)
        except BrokenStream:
            self._crew.kill(number)  # what it ran and what waits for it is settled when it is gone
            return
        match report:
            case Began(key, at_us):
                self._carry_out(self._roster.started(number, key, at_us, now))
            case Done(key, used_us, cpu_us, resident_bytes, shots, result):
                content = self._spool.path_of(*key) if result is None else result
                succeeded = Succeeded(*key, now.wall_us, content, used_us, cpu_us, shots)
                last = self._has_grown(number, resident_bytes)
                self._carry_out(self._roster.finished(number, succeeded, now, last=last))
            case Broke(key, used_us, resident_bytes, kind, code, reason, fields):
                failed = Failed(*key, now.wall_us, kind, code, reason, fields, used_us)
                last = kind in ("memory", "crash") or self._has_grown(number, resident_bytes)
                self._carry_out(self._roster.finished(number, failed, now, last=last))
            case Watched(key, finding):
                self._tell([port.Watched(*key, now.wall_us, finding)])
            case None:
                pass  # a sign of life, heard already
            case _:
                assert_never(report)

    def _has_grown(self, number: int, resident_bytes: int) -> bool:
        return resident_bytes > self._crew.birth_weight(number) + _GROWTH_BYTES_MAX

    def _weigh(self, now: Moment) -> None:
        """The second line of the memory limit; the only one where the kernel does not keep it."""
        if now.steady_us < self._weigh_after_us:
            return
        self._weigh_after_us = now.steady_us + _WEIGH_EVERY_US
        for number, order, started_us in tuple(self._roster.running()):
            limit_bytes = (order.memory_mib << 20) + _GROWTH_BYTES_MAX + _UNTOUCHED_BYTES
            ran_us = now.steady_us - started_us
            if ran_us >= _WEIGH_EVERY_US and self._crew.growth_bytes(number) > limit_bytes:
                self._carry_out(self._roster.exhausted(number, now))

    def _end(self) -> None:
        self._crew.close()
        lost = self._roster.give_up("the executor was closed", self._now())
        self._tell([one for one in lost if isinstance(one, Lost)])  # wakes whoever observes, even when it is empty
        self._spool.close()
        self._bell.close()
        self._rope.close()

    # Effects.

    def _carry_out(self, effects: list[Effect]) -> None:
        told: list[Observation] = []
        for effect in effects:
            match effect:
                case Send(number, order):
                    self._send(number, order)
                case TakeBack(number, key):
                    self._post(number, frames.encode({"is": "drop", "key": key}))
                case Ping(number):
                    self._post(number, frames.encode({"is": "ping"}))
                case Kill(number):
                    self._crew.kill(number)
                    self._ring()  # the replacement need not wait for the end
                case Started() | Succeeded() | Failed() | Stopped() | Lost():
                    told.append(effect)
                case _:
                    assert_never(effect)
        if told:
            self._tell(told)

    def _send(self, number: int, order: Order) -> None:
        header = {
            "is": "order",
            "key": order.key,
            "job": order.job_id,
            "backend": order.backend,
            "memory_mib": order.memory_mib,
            "time_limit_us": order.time_limit_us,
            "quarantined": order.quarantined,
            "path": str(self._spool.path_of(order.attempt_id, order.token)),
        }
        self._post(number, frames.encode(header, order.work))

    def _post(self, number: int, message: bytes) -> None:
        if not self._crew.post(number, message):
            self._ring()

    def _tell(self, observations: Sequence[Seen]) -> None:
        with self._seen_changed:
            self._seen += observations
            self._seen_changed.notify_all()

    def _ring(self) -> None:
        """Have the watching thread look again; it looks anyway when it is the caller."""
        if threading.current_thread() is not self._thread:
            with contextlib.suppress(OSError):  # full: it has been rung; closed: nobody is left to hear
                self._rope.send(b"!")

    def _now(self) -> Moment:
        return Moment(_steady_us(), self._clock())


def _steady_us() -> int:
    return time.monotonic_ns() // 1000
