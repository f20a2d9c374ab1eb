"""Children as their parent sees them: a fork server to get them from, a connection, an end, a cause of death.

Nothing here blocks except `ForkServer.spawn` on its small request and `ForkServer.exit_code`, which waits as told.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from workers import caps, forkserver, frames
from workers.frames import BrokenStream, Frame, FrameReader

_RECEIVE_BYTES = 262_144
_ERROR_TAIL_BYTES = 4_096
_CODES_MAX = 1_000
_MEMORY_MARKS = (
    b"std::bad_alloc",
    b"memory allocation of",
    b"MemoryError",
    b"Cannot allocate memory",
    b"Memory allocation still failed",
)


class Child:
    """One forked process. Not thread-safe: its owner serialises."""

    __slots__ = ("_errors", "_outbox", "_pidfd", "_reader", "connection", "error_tail", "pid")

    def __init__(self, connection: socket.socket, errors: int, frame_bytes_max: int) -> None:
        connection.setblocking(False)
        os.set_blocking(errors, False)
        self.connection = connection
        self.error_tail = b""
        self.pid: int | None = None
        self._errors = errors
        self._pidfd = -1
        self._outbox = bytearray()
        self._reader = FrameReader(frame_bytes_max)

    @property
    def errors(self) -> int:
        """The descriptor its standard output and error arrive on; -1 when nothing more can come."""
        return self._errors

    @property
    def unsent(self) -> int:
        """Bytes that wait for room in the connection."""
        return len(self._outbox)

    def met(self, pid: int) -> None:
        """It has introduced itself; from now on it can be killed without a doubt about whom the pid means."""
        self.pid = pid
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._pidfd = os.pidfd_open(pid)

    def post(self, message: bytes) -> None:
        """Send, or keep what does not fit for `flush`. A dead child takes all silently: its end is read later."""
        if self._outbox:
            self._outbox += message
            return
        sent = self._send(message)
        if sent < len(message):
            self._outbox += memoryview(message)[sent:]

    def flush(self) -> None:
        """Send what waits."""
        if self._outbox:
            del self._outbox[: self._send(self._outbox)]

    def receive(self) -> list[Frame] | None:
        """The frames that have arrived; None after its end. A child that sends nonsense has ended for us."""
        try:
            received = self.connection.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return []
        except ConnectionError:
            return None
        if not received:
            return None
        try:
            return self._reader.feed(received)
        except BrokenStream:
            self.kill()
            return None

    def receive_errors(self) -> None:
        """Keep the tail of what it printed."""
        while self._errors >= 0:
            try:
                printed = os.read(self._errors, _RECEIVE_BYTES)
            except BlockingIOError:
                return
            if not printed:
                os.close(self._errors)
                self._errors = -1
                return
            self.error_tail = (self.error_tail + printed)[-_ERROR_TAIL_BYTES:]

    def kill(self) -> None:
        """End it whatever it is doing. One that has not introduced itself yet ends when its connection closes."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        elif self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Free its descriptors; a living child ends. May be repeated."""
        self.connection.close()
        for descriptor in (self._errors, self._pidfd):
            if descriptor >= 0:
                os.close(descriptor)
        self._errors = self._pidfd = -1
        self._outbox.clear()

    def _send(self, message: bytes | bytearray) -> int:
        try:
            return self.connection.send(message)
        except BlockingIOError:
            return 0
        except ConnectionError:
            return len(message)


class ForkServer:
    """Starts the process that forks, asks it for children, hears how they ended. Thread-safe.

    `spawn` must be called from a thread that lives as long as the children: the kernel takes the end of the thread that
    started the process for the end of its parent.
    """

    def __init__(self, preload: tuple[str, ...]) -> None:
        """`preload`: the modules every child needs; imported once."""
        self._preload = preload
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._reader = FrameReader()
        self._codes: dict[int, int] = {}
        self._up = False
        self.failure: str | None = None
        """Why it could not start, in its own words; None while it can."""

    @property
    def descriptor(self) -> int | None:
        """Readable when there is something for `listen`; changes when the process is replaced."""
        return None if self._control is None else self._control.fileno()

    @property
    def pid(self) -> int | None:
        """The process that forks."""
        return None if self._process is None else self._process.pid

    def spawn(self, main: str, options: Mapping[str, Any], *, file_bytes_max: int, frame_bytes_max: int) -> Child:
        """A new child that runs `main(connection, options)`; it introduces itself by its first frame.

        `options` are plain JSON. Raises OSError when this process has no descriptors left.
        """
        body = orjson.dumps({"main": main, "options": options, "file_bytes_max": file_bytes_max})
        with self._lock:
            ours, theirs = socket.socketpair()
            errors, theirs_errors = os.pipe()
            child = Child(ours, errors, frame_bytes_max)
            try:
                self._request(body, [theirs.fileno(), theirs_errors])
            except BaseException:
                child.close()
                raise
            finally:
                theirs.close()
                os.close(theirs_errors)
        return child

    def listen(self) -> dict[int, int]:
        """The exit codes of children that ended since the last call, by pid (negative: the signal)."""
        with self._lock:
            self._listen()
            codes, self._codes = self._codes, {}
        return codes

    def exit_code(self, pid: int, timeout_s: float) -> int | None:
        """How that child ended; waits up to `timeout_s` for the news. Keeps the news of others for their owners."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._lock:
                self._listen()
                if pid in self._codes:
                    return self._codes.pop(pid)
                descriptor = self.descriptor
            remaining = deadline - time.monotonic()
            if descriptor is None or remaining <= 0:
                return None
            # Short turns: another thread may read our news meanwhile.
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(min(remaining, 0.02) * 1000)

    def close(self) -> None:
        """End the process and with it every child. May be repeated."""
        with self._lock:
            self._bury()

    def _request(self, body: bytes, descriptors: list[int]) -> None:
        prefix = forkserver.LENGTH.pack(len(body))
        for last_try in (False, True):
            control = self._control or self._launch()
            try:
                socket.send_fds(control, [prefix], descriptors)
                control.sendall(body)
            except ConnectionError:
                # It died since we last looked. If its successor dies as quickly, the child's closed end tells so.
                self._bury()
                if last_try:
                    return
            else:
                return

    def _launch(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        arguments = [sys.executable, "-P", "-m", "workers.forkserver", str(theirs.fileno()), str(os.getpid())]
        try:
            self._process = subprocess.Popen(
                [*arguments, *self._preload],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=caps.child_environment(os.environ),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._control, self._reader = ours, FrameReader()
        return ours

    def _listen(self) -> None:
        if self._control is not None and not self._read(self._control):
            self._bury()

    def _read(self, control: socket.socket) -> bool:
        """Take in what the process has said; False when it has ended."""
        while True:
            try:
                received = control.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return True
            except ConnectionError:
                return False
            if not received:
                return False
            for header, _ in self._reader.feed(received):
                match header["is"]:
                    case "up":
                        self._up, self.failure = True, None
                    case "broken":
                        self.failure = str(header["reason"])
                    case "exited":
                        self._codes[header["pid"]] = header["code"]
                        if len(self._codes) > _CODES_MAX:
                            del self._codes[next(iter(self._codes))]

    def _bury(self) -> None:
        control, process = self._control, self._process
        self._control = self._process = None
        if control is not None:
            self._read(control)
            control.close()
        if process is not None:
            try:
                # It reaps its children first, which takes milliseconds. While it still imports it has none.
                process.wait(timeout=2 if self._up else 0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._up = False


@dataclass(frozen=True, slots=True)
class Death:
    """Why a child ended by itself."""

    kind: Literal["memory", "crash", "cpu"]
    reason: str


def cause_of_death(code: int | None, error_tail: bytes) -> Death:
    """Judge by the exit code (None: not known) and by what it printed last."""
    if any(mark in error_tail for mark in _MEMORY_MARKS):
        return Death("memory", "the process ran out of the memory it may use")
    if code is None:
        return Death("crash", "the process ended without a trace")
    if code >= 0:
        return Death("crash", f"the process ended with code {code}")
    number = -code
    if number == signal.SIGXCPU:
        return Death("cpu", "the process used up its processor time")
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = ", perhaps because the machine ran out of memory" if number == signal.SIGKILL else ""
    return Death("crash", f"the process was ended by {name}{hint}")


def introduction(header: Mapping[str, Any]) -> bytes:
    """The first frame of a child: its pid and what it weighs before any work."""
    return frames.encode({"is": "hello", "pid": os.getpid(), "rss": caps.resident_bytes(), **header})
