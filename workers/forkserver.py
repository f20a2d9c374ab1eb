"""The process that children are forked from: what is heavy is imported and warmed up once, no thread is ever started.

A fork from here takes a few milliseconds where a fresh interpreter takes a second. Started by `workers.child` as
`python -m workers.forkserver FD PARENT_PID MODULE...`; FD is a socket on which the parent asks for children (each
request carries the child's two descriptors) and is told how each of them ended. It ends when that socket closes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import random
import selectors
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from workers import caps, frames

LENGTH = struct.Struct(">I")
"""A request is its length with the descriptors attached, then that many bytes of JSON."""

Main = Callable[[socket.socket, Mapping[str, Any]], None]


def main(arguments: list[str]) -> None:
    """Serve fork requests until the parent is gone."""
    control = socket.socket(fileno=int(arguments[0]))
    control.set_inheritable(False)
    caps.deafen()
    caps.die_with_parent(int(arguments[1]))
    gc.disable()  # nothing to find in what only loads: a third of the time
    try:
        for name in arguments[2:]:
            module = importlib.import_module(name)
            # The first run of an engine loads what it puts off; done here, it is done for every child.
            getattr(module, "warm_up", _nothing)()
    except BaseException as error:
        control.sendall(frames.encode({"is": "broken", "reason": f"{type(error).__name__}: {error}"}))
        raise
    threads = _thread_count()
    if threads != 1:
        reason = f"importing {', '.join(arguments[2:])} started {threads - 1} threads; forking is not safe"
        control.sendall(frames.encode({"is": "broken", "reason": reason}))
        raise SystemExit(reason)
    # What is alive now is shared by all children; moving it out of the collector's sight keeps their pages shared.
    gc.collect()
    gc.freeze()
    gc.enable()
    control.sendall(frames.encode({"is": "up", "pid": os.getpid()}))
    _Server(control).serve()


def _nothing() -> None:
    """What a module without `warm_up` has to do."""


def resolve(path: str) -> Any:
    """The object named by an import path, "package.module:name"."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


class _Server:
    """Two things to wait for: a request, and the end of a child."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._pid = os.getpid()
        self._children: set[int] = set()
        self._alarm, ring = socket.socketpair()
        self._ring = ring
        for end in (self._alarm, ring):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(ring.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the parent closes its end."""
        selector = selectors.DefaultSelector()
        selector.register(self._control, selectors.EVENT_READ)
        selector.register(self._alarm, selectors.EVENT_READ)
        open_for_requests = True
        while open_for_requests:
            for key, _ in selector.select():
                if key.fileobj is self._alarm:
                    with contextlib.suppress(BlockingIOError):
                        self._alarm.recv(4096)
                    self._reap()
                else:
                    open_for_requests = self._request(selector)
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        for pid in self._children:
            os.waitpid(pid, 0)

    def _request(self, selector: selectors.BaseSelector) -> bool:
        try:
            prefix, descriptors, _, _ = socket.recv_fds(self._control, LENGTH.size, 2)
        except ConnectionError:
            return False
        if not prefix:
            return False
        request = orjson.loads(_exactly(self._control, LENGTH.unpack(prefix)[0]))
        try:
            pid = os.fork()
        except OSError as error:
            # The parent learns it from the closed socket and decides when to try again.
            sys.stderr.write(f"cannot fork: {error}\n")
        else:
            if pid == 0:
                selector.close()
                for end in (self._control, self._alarm, self._ring):
                    end.close()
                _become_child(self._pid, request, descriptors)
            self._children.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _reap(self) -> None:
        for pid in tuple(self._children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._children.discard(pid)
                with contextlib.suppress(ConnectionError):
                    self._control.sendall(
                        frames.encode({"is": "exited", "pid": pid, "code": os.waitstatus_to_exitcode(status)})
                    )


def _become_child(parent_pid: int, request: Mapping[str, Any], descriptors: list[int]) -> None:
    """Never returns: whatever happens in a child, it must not come back as a second fork server."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        caps.die_with_parent(parent_pid)
        connection, errors = socket.socket(fileno=descriptors[0]), descriptors[1]
        os.dup2(errors, 1)
        os.dup2(errors, 2)
        os.close(errors)
        caps.harden(request["file_bytes_max"])
        caps.watch_hangup(connection)
        _reseed()
        run: Main = resolve(request["main"])
        run(connection, request["options"])
        code = 0
    except (BrokenPipeError, ConnectionResetError, EOFError):
        code = 0  # the parent closed its end: the normal way to go
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _reseed() -> None:
    """Fresh randomness: all children start from one and the same memory."""
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _exactly(connection: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise ConnectionResetError("closed in the middle of a request")
        received += part
    return bytes(received)


def _thread_count() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except FileNotFoundError:
        return threading.active_count()


if __name__ == "__main__":
    main(sys.argv[1:])
