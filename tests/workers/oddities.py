"""Engines, measures and child mains that each do one odd thing: what the real ones do only when they are broken.

Imported by children, by name: tests put this folder on PYTHONPATH.
"""

from __future__ import annotations

import ctypes
import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.random
import orjson

from backends.engines.port import Budget
from backends.findings import Findings
from backends.limits import Limits
from backends.rejected import Rejected
from backends.trust.finding import Finding
from backends.trust.oversight import Oversight
from workers import frames
from workers.child import introduction

EMPTY = Findings("sampler", (), pubs=0, parameter_sets=0, executions=0, shots=0, qubits_max=0, result_bytes=0)


class Panic(BaseException):
    """As Rust's panics arrive: no Exception."""


@dataclass(frozen=True)
class Outcome:
    """As backends.run.Execution."""

    result: bytes
    shots: int = 0
    qpu_us: int = 1
    afterwards: Callable[[], Iterator[Finding]] | None = None


def engine(work: bytes, backend: str, limits: Limits, oversight: Oversight, seconds: float) -> Outcome:
    """Does what the work says: {"do": name, ...}; an empty work does nothing at all."""
    if not work:
        return Outcome(b"{}")
    asked = orjson.loads(work)
    shots, began_ns = asked.pop("shots", 0), time.perf_counter_ns()
    watched = asked.pop("watched", None)
    result = _act(asked)
    used_us = max(1, (time.perf_counter_ns() - began_ns) // 1000)
    if watched is None or not oversight.watches("stim") or "stim" in oversight.quarantined:
        return Outcome(result, shots, used_us)
    return Outcome(result, shots, used_us, lambda: _look_again(watched))


def _look_again(deed: str) -> Iterator[Finding]:
    """Find something, unless it is to be done silently, then do what was asked."""
    if not deed.startswith("silently "):
        yield Finding(0, "sample", "stim", "1", "ddsim", "2", True, False, 1e-30, ("stim",), 3, 100, "abc")
    _act({"do": deed.removeprefix("silently ")} | ({"words": "no"} if deed == "raise" else {}))


def measure(work: bytes, limits: Limits, budget: Budget) -> Findings:
    """As `engine`, for the inspector."""
    if work:
        _act(orjson.loads(work))
    return EMPTY


def _act(asked: dict[str, Any]) -> bytes:
    deed = _DEEDS[asked.pop("do").replace(" ", "_")]
    return deed(**asked) or b"{}"


def _sleep(s: float) -> None:
    time.sleep(s)


def _spin() -> None:
    while True:
        pass


def _end(code: int) -> None:
    os._exit(code)


def _kill(number: int) -> None:
    os.kill(os.getpid(), number)


def _segfault() -> None:
    ctypes.string_at(0)


def _abort_like_cpp() -> None:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.kill(os.getpid(), signal.SIGABRT)


def _allocate(mib: int) -> bytes:
    return str(len(bytearray(mib << 20))).encode()


def _allocate_without_limit(mib: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    kept = np.ones(mib << 17)
    time.sleep(60)
    del kept


def _grow(mib: int) -> None:
    _KEPT.append(np.ones(mib << 17))


def _reply(size: int) -> bytes:
    return b"x" * size


def _reject() -> None:
    raise Rejected("circuit_invalid", "no such gate: \ud800", {"gate": "foo", "size": 10**30})


def _raise(words: str) -> None:
    raise RuntimeError(words)


def _panic() -> None:
    raise Panic("range end index out of range")


def _write_a_file(path: str) -> None:
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b"x" * 100)


def _name_process() -> bytes:
    return str(os.getpid()).encode()


def _name_environment() -> bytes:
    return orjson.dumps(dict(os.environ))


def _say_nonsense() -> None:
    """On the connection itself, as only hostile code would."""
    for number in range(3, 64):
        try:
            os.write(number, frames.encode({"is": "done", "key": 3}))
        except OSError:
            continue
    time.sleep(60)


def _print(kib: int) -> None:
    for _ in range(kib):
        os.write(2, b"x" * 1024)


def _mark_and_sleep(folder: str, s: float) -> None:
    open(f"{folder}/{os.getpid()}-{time.monotonic_ns()}", "w").close()  # noqa: PTH123
    time.sleep(s)


def _die_once(mark: str) -> None:
    if not os.path.exists(mark):  # noqa: PTH110
        open(mark, "w").close()  # noqa: PTH123
        os._exit(1)


_DEEDS: dict[str, Callable[..., bytes | None]] = {
    deed.__name__.removeprefix("_"): deed
    for deed in (
        _sleep,
        _spin,
        _end,
        _kill,
        _segfault,
        _abort_like_cpp,
        _allocate,
        _allocate_without_limit,
        _grow,
        _reply,
        _reject,
        _raise,
        _panic,
        _write_a_file,
        _name_process,
        _name_environment,
        _say_nonsense,
        _print,
        _mark_and_sleep,
        _die_once,
    )
}
_KEPT: list[Any] = []


def say_random(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Say two random numbers, then wait for the end."""
    numbers = {"python": random.random(), "numpy": float(numpy.random.random())}
    connection.sendall(introduction(numbers))
    connection.recv(1)


def say_surroundings(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Say what is open and who one is."""
    descriptors = sorted(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
    open_now = [number for number in descriptors if os.path.exists(f"/proc/self/fd/{number}")]  # noqa: PTH110
    connection.sendall(introduction({"open": open_now, "options": dict(options), "threads": _threads()}))
    connection.recv(1)


def echo(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Say back every byte."""
    connection.sendall(introduction({}))
    while received := connection.recv(65536):
        connection.sendall(received)


def stall(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Introduce itself and never listen."""
    connection.sendall(introduction({}))
    while True:
        time.sleep(60)


def never_ready(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """End before being ready."""
    print("cannot work here", file=sys.stderr)
    sys.exit(7)


def nonsense(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Introduce itself, then answer everything with what is no frame."""
    connection.sendall(introduction({}))
    while connection.recv(65536):
        connection.sendall(b"\xff" * 64)


def liar(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Introduce itself, then answer everything with frames that make no sense."""
    connection.sendall(introduction({}))
    while connection.recv(65536):
        connection.sendall(frames.encode({"is": "found"}, b"[]") + frames.encode({"is": "done", "key": 3}))


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208
