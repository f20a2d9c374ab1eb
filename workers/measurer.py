"""What an inspector's child does all its life: decode works it does not trust, measure them, answer one by one.

A frame in: `batch`, the documents behind each other in its body, and what is asked of each. Frames out: `hello` once;
`begun` before the first document of a batch; for each document, as soon as it is done, `found` (findings or routes),
`rejected`, `memory` or `broke`; then `end`. The
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

from backends import threads  # noqa: F401 - before the libraries it bounds

# isort: split
from backends.engines.port import Budget
from backends.findings import Findings
from backends.limits import Limits
from backends.measure import measure
from backends.rejected import Rejected
from backends.route_document import document
from backends.routes import routed, routes_of
from backends.work import decode
from workers import caps, frames
from workers.child import introduction
from workers.forkserver import resolve
from workers.frames import Frame, FrameReader
from workers.runner import plain, sendable

_BEGUN = frames.encode({"is": "begun"})
_CPU_SPARE_S = 1.0
"""The processor limit stands behind the parent's clock, for the case that the parent is late."""

Measure = Callable[[bytes, Limits, Budget], Findings]
Documents = Callable[[bytes], Mapping[str, Any]]


def measure_work(work: bytes, limits: Limits, budget: Budget) -> Findings:
    """What the service wants to know of a work document before it is run within a budget. Raises Rejected."""
    decoded = decode(work, limits)
    return routed(measure(decoded, limits), routes_of(decoded, limits, budget))


def route_work(work: bytes, limits: Limits, budget: Budget) -> Mapping[str, Any]:
    """The same, and how the backend `ideal` would run it, as {"findings", "ideal"} for JSON. Raises Rejected."""
    decoded = decode(work, limits)
    findings, routes = measure(decoded, limits), routes_of(decoded, limits, budget)
    return {"findings": routed(findings, routes).to_json(), "ideal": document(routes)}


def run(connection: socket.socket, options: Mapping[str, Any]) -> None:
    """Serve batches until the parent closes the connection (raises EOFError or ConnectionError then).

    `options`: {"measure": import path of a function (work, limits, budget) -> Findings, "limits": Limits as JSON,
    "memory_mib": int, "planned": (MiB, s) of a run, "timeout_s": float, "slow_s": float}. After a document that
    took longer than `slow_s` the rest of its batch is left to others.
    """
    function: Measure = resolve(options["measure"])
    limits, (planned_mib, planned_s) = Limits.from_json(options["limits"]), options["planned"]
    budget = Budget(planned_mib << 20, planned_s)
    ask: dict[str, Documents] = {
        "findings": lambda work: function(work, limits, budget).to_json(),
        "routes": lambda work: route_work(work, limits, budget),
    }
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
            for asked, work in zip(batch.header["asks"], _documents(batch), strict=True):
                began_s = time.monotonic()
                caps.cap_cpu(cpu_s)
                connection.sendall(_answer(ask[asked], memory_bytes, work))
                if time.monotonic() - began_s > slow_s:
                    break
            connection.sendall(frames.encode({"is": "end", "rss": caps.resident_bytes()}))


def _documents(batch: Frame) -> list[bytes]:
    documents, start = [], 0
    for length in batch.header["lengths"]:
        documents.append(batch.body[start : start + length])
        start += length
    return documents


def _answer(function: Documents, memory_bytes: int, work: bytes) -> bytes:
    try:
        caps.cap_memory(memory_bytes)
        found = orjson.dumps(function(work))
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
    return frames.encode({"is": "found"}, found)
