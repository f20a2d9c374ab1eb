"""What a worker's child does all its life: read orders ahead, run one at a time, report each.

Frames in: `order` (with the work as body), `drop` (forget one that has not started), `ping`. Frames out: `hello` once,
`pong`, and reports (workers/reports.py). An order is announced before its work is decoded, so that a crash is always
charged to the right one.
"""

from __future__ import annotations

import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from backends.limits import Limits
from backends.rejected import Rejected
from backends.trust.finding import Finding
from backends.trust.oversight import Oversight, lot_of
from workers import caps, frames
from workers.child import introduction
from workers.forkserver import resolve
from workers.frames import Frame, FrameReader
from workers.port import FailureCause, Key, memory_reason
from workers.reports import Began, Broke, Done, Report, Watched, write_report
from workers.spool import write_result

INLINE_BYTES = 1_048_576
"""Results up to this long travel in the report; longer ones through the spool."""

SHADOWS_S = 5.0
"""By the clock, for all shadow runs of a job: an order may wait behind them."""

_MEMORY_WORDS = ("insufficient memory", "bad_alloc", "Unable to allocate", "Cannot allocate memory")
_REASON_CHARS = 2_000


class Execution(Protocol):
    """What an engine returns; see backends/run.py."""

    @property
    def result(self) -> bytes:
        """The result document."""

    @property
    def qpu_us(self) -> int:
        """What the engine itself took: decoding and waiting are not the startup's to pay."""

    @property
    def shots(self) -> int:
        """Shots spent."""

    @property
    def afterwards(self) -> Callable[[], Iterator[Finding]] | None:
        """What is to be done once the result has been told: shadow runs on other engines, which nobody pays for."""


Engine = Callable[[bytes, str, Limits, Oversight, float], Execution]


def run(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Serve orders until the parent closes the connection (raises EOFError or ConnectionError then).

    `options`: {"engine": import path of backends.run.execute, "limits": Limits as JSON, "shares": of jobs that are run
    again on a second engine, and of those on young engines}.
    """
    engine: Engine = resolve(options["engine"])
    limits = Limits.from_json(options["limits"])
    share, share_young = options["shares"]
    connection.setblocking(True)
    connection.sendall(introduction({}))
    inbox = Inbox(connection)
    while True:
        order = inbox.next()
        attempt_id, token = order.header["key"]
        inbox.say(write_report(Began((attempt_id, token), _steady_us())))
        inbox.flush()
        # Leaves together with the next "began" when another order is at hand: one system call, one wake-up less.
        quarantined = frozenset(order.header["quarantined"])
        oversight = Oversight(share, share_young, quarantined, lot_of(order.header["job"]))
        report, afterwards = _attempt(engine, limits, (attempt_id, token), order, oversight)
        inbox.say(write_report(report))
        if afterwards is not None:
            inbox.flush()
            for finding in _shadows(afterwards, order.header["memory_mib"]):
                inbox.say(write_report(Watched((attempt_id, token), finding)))
                inbox.flush()


class Inbox:
    """The orders read ahead from the connection, and the reports not yet sent."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = FrameReader()
        self._orders: deque[Frame] = deque()
        self._unsent: list[bytes] = []
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def next(self) -> Frame:
        """The next order that has not been dropped; waits for one. Raises EOFError when the parent is gone."""
        while True:
            # Everything that has arrived is read first: it may say that an order is no longer wanted.
            while self._poll.poll(0):
                self._receive()
            if self._orders:
                return self._orders.popleft()
            self.flush()
            self._receive()

    def say(self, frame: bytes) -> None:
        """Report, at the latest before waiting for work."""
        self._unsent.append(frame)

    def flush(self) -> None:
        """Send all reports now."""
        if self._unsent:
            reports, self._unsent = b"".join(self._unsent), []
            self._connection.sendall(reports)

    def _receive(self) -> None:
        received = self._connection.recv(262_144)
        if not received:
            raise EOFError
        for frame in self._reader.feed(received):
            match frame.header["is"]:
                case "order":
                    self._orders.append(frame)
                case "drop":
                    self._orders = deque(one for one in self._orders if one.header["key"] != frame.header["key"])
                case "ping":
                    self.say(frames.encode({"is": "pong"}))


Afterwards = Callable[[], Iterator[Finding]]


def _shadows(afterwards: Afterwards, memory_mib: int) -> Iterator[Finding]:
    """What shadow runs find, in time: whatever takes longer ends this process, which owes nobody anything now."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, SHADOWS_S)
    try:
        caps.cap_memory(memory_mib << 20)
        yield from afterwards()
    except Exception:  # noqa: S110 - the job is done and told: what breaks here is no matter of the user's
        pass
    finally:
        caps.uncap_memory()
        signal.setitimer(signal.ITIMER_REAL, 0)


def _attempt(
    engine: Engine, limits: Limits, key: Key, order: Frame, oversight: Oversight
) -> tuple[Report, Afterwards | None]:
    memory_mib: int = order.header["memory_mib"]
    began_us, cpu_began_us = _steady_us(), _cpu_us()
    try:
        caps.cap_memory(memory_mib << 20)
        seconds = order.header["time_limit_us"] / 1_000_000
        execution = engine(order.body, order.header["backend"], limits, oversight, seconds)
    except BaseException as error:
        caps.uncap_memory()
        used_us = _steady_us() - began_us
        return Broke(key, used_us, caps.resident_bytes(), *explain(error, memory_mib)), None
    caps.uncap_memory()
    used_us, cpu_us = execution.qpu_us, _cpu_us() - cpu_began_us
    result: bytes | None = execution.result
    if len(execution.result) > INLINE_BYTES:
        try:
            write_result(Path(order.header["path"]), execution.result)
        except OSError as error:
            reason = f"the result of {len(execution.result)} bytes could not be written: {error.strerror}"
            return Broke(key, used_us, caps.resident_bytes(), "fault", "spool_unwritable", reason, {}), None
        result = None
    return Done(key, used_us, cpu_us, caps.resident_bytes(), execution.shots, result), execution.afterwards


def explain(error: BaseException, memory_mib: int) -> tuple[FailureCause, str, str, dict[str, Any]]:
    """(kind, code, reason, fields) of what an engine raised; the reason is safe to send."""
    text = sendable(error.detail if isinstance(error, Rejected) else str(error))
    # An engine that is refused memory may take it for a trait of the circuit.
    rejected = isinstance(error, Rejected) and error.code != "backend_infeasible"
    if isinstance(error, MemoryError) or (not rejected and any(word in text for word in _MEMORY_WORDS)):
        return "memory", "memory_exceeded", memory_reason(memory_mib), {"memory_mib": memory_mib}
    if isinstance(error, Rejected):
        return "user", error.code, text, plain(error.fields)
    # Not the user's doing as far as we know, and not of our surroundings either: an engine that failed on this work.
    return "crash", "engine_failed", f"the engine failed on this work: {type(error).__name__}: {text}", {}


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are if JSON can carry them, else as text: a number beyond 64 bits, a stray object."""
    try:
        orjson.dumps(dict(fields))
    except TypeError:
        return {name: sendable(str(value)) for name, value in fields.items()}
    return dict(fields)


def sendable(text: str) -> str:
    """Shortened, and without what UTF-8 cannot carry."""
    return text[:_REASON_CHARS].encode("utf-8", "replace").decode()


def _steady_us() -> int:
    return time.monotonic_ns() // 1000


def _cpu_us() -> int:
    return time.process_time_ns() // 1000
