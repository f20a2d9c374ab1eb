"""What an inspector's child does all its life: decode works it does not trust, measure them, answer one by one.

A frame in: `batch`, the documents behind each other in its body. Frames out: `hello` once; `begun` before the first
document of a batch; for each document, as soon as it is done, `found`, `rejected`, `memory` or `broke`; then `end`. The
parent knows which document was at work when a child dies or hangs: the ones before it have been answered, and before
`begun` it was none.

The service process never imports this module: it brings the decoders along.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from backends.findings import Findings
from backends.limits import Limits
from backends.measure import measure
from backends.rejected import Rejected
from backends.work import decode
from workers import caps, frames
from workers.child import introduction
from workers.forkserver import resolve
from workers.frames import Frame, FrameReader
from workers.runner import plain, sendable

_BEGUN = frames.encode({"is": "begun"})
_CPU_SPARE_S = 1.0
"""The processor limit stands behind the parent's clock, for the case that the parent is late."""

Measure = Callable[[bytes, Limits], Findings]


def measure_work(work: bytes, limits: Limits) -> Findings:
    """What the service wants to know of a work document. Raises Rejected."""
    return measure(decode(work, limits), limits)


def run(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Serve batches until the parent closes the connection (raises EOFError or ConnectionError then).

    `options`: {"measure": import path of a function (work, limits) -> Findings, "limits": Limits as JSON,
    "memory_mib": int, "timeout_s": float, "slow_s": float}. After a document that took longer than `slow_s` the rest of
    its batch is left to others.
    """
    function: Measure = resolve(options["measure"])
    limits = Limits.from_json(options["limits"])
    memory_bytes = options["memory_mib"] << 20
    cpu_s, slow_s = options["timeout_s"] + _CPU_SPARE_S, options["slow_s"]
    connection.setblocking(True)
    connection.sendall(introduction({}))
    reader = FrameReader()
    while True:
        received = connection.recv(262_144)
        if not received:
            raise EOFError
        for batch in reader.feed(received):
            connection.sendall(_BEGUN)
            for work in _documents(batch):
                began_s = time.monotonic()
                caps.cap_cpu(cpu_s)
                connection.sendall(_answer(function, limits, memory_bytes, work))
                if time.monotonic() - began_s > slow_s:
                    break
            connection.sendall(frames.encode({"is": "end", "rss": caps.resident_bytes()}))


def _documents(batch: Frame) -> list[bytes]:
    documents, start = [], 0
    for length in batch.header["lengths"]:
        documents.append(batch.body[start : start + length])
        start += length
    return documents


def _answer(function: Measure, limits: Limits, memory_bytes: int, work: bytes) -> bytes:
    try:
        caps.cap_memory(memory_bytes)
        findings = function(work, limits)
    except Rejected as rejected:
        caps.uncap_memory()
        fields = plain(rejected.fields)
        header = {"is": "rejected", "code": rejected.code, "detail": sendable(rejected.detail), "fields": fields}
        return frames.encode(header)
    except MemoryError:
        caps.uncap_memory()
        return frames.encode({"is": "memory"})
    except BaseException as error:  # a Rust panic is no Exception
        caps.uncap_memory()
        return frames.encode({"is": "broke", "reason": sendable(f"{type(error).__name__}: {error}")})
    caps.uncap_memory()
    return frames.encode({"is": "found"}, orjson.dumps(findings.to_json()))
