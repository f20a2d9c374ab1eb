"""The child that runs orders: one at a time, read ahead, each announced and reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from backends.limits import Limits
from backends.rejected import Rejected
from workers import frames
from workers.child import Child, ForkServer
from workers.reports import Began, Broke, Done, Report, Watched, read_report
from workers.runner import INLINE_BYTES, explain, plain, sendable


class Runner:
    """A real child at the other end of a connection."""

    def __init__(self, server: ForkServer, spool: Path) -> None:
        options = {"engine": "oddities:engine", "limits": Limits().to_json(), "shares": (1.0, 1.0)}
        self.child: Child = server.spawn("workers.runner:run", options, file_bytes_max=4 << 20, frame_bytes_max=8 << 20)
        self.spool = spool
        hello = self.listen(1)[0]
        assert hello.header["is"] == "hello"
        self.child.met(hello.header["pid"])

    def order(self, name: str, work: dict[str, Any] | None = None, memory_mib: int = 512) -> bytes:
        header = {"is": "order", "key": [name, 1], "job": name, "backend": "aer", "memory_mib": memory_mib}
        header |= {"time_limit_us": 60_000_000, "quarantined": []}
        body = b"" if work is None else orjson.dumps(work)
        return frames.encode({**header, "path": str(self.spool / f"{name}.result")}, body)

    def send(self, *messages: bytes) -> None:
        self.child.post(b"".join(messages))

    def listen(self, count: int) -> list[frames.Frame]:
        arrived: list[frames.Frame] = []
        deadline = time.monotonic() + 30
        while len(arrived) < count:
            assert time.monotonic() < deadline, (arrived, self.child.error_tail)
            self.child.flush()
            more = self.child.receive()
            assert more is not None, arrived
            arrived += more
            time.sleep(0.0005)
        return arrived

    def reports(self, count: int) -> list[Report]:
        reports = [read_report(frame) for frame in self.listen(count)]
        return [report for report in reports if report is not None]

    def run(self, work: dict[str, Any] | None, memory_mib: int = 512) -> Done | Broke:
        self.send(self.order("one", work, memory_mib))
        began, ended = self.reports(2)
        assert isinstance(began, Began)
        assert not isinstance(ended, Began)
        assert began.key == ended.key == ("one", 1)
        return ended


@pytest.fixture
def runner(oddities: None, leaves_nothing: None, tmp_path: Path) -> Iterator[Runner]:
    server = ForkServer(("oddities", "workers.runner"))
    runner = Runner(server, tmp_path)
    yield runner
    runner.child.close()
    server.close()


def test_an_order_is_announced_run_and_measured(runner: Runner) -> None:
    before_us = time.monotonic_ns() // 1000
    runner.send(runner.order("one", {"do": "sleep", "s": 0.05, "shots": 7}))
    began, done = runner.reports(2)
    assert isinstance(began, Began)
    assert isinstance(done, Done)
    assert before_us <= began.at_us <= time.monotonic_ns() // 1000
    assert 50_000 <= done.used_us < 5_000_000
    assert done.cpu_us < done.used_us
    assert done.shots == 7
    assert done.result == b"{}"
    assert done.resident_bytes > 1 << 20


def test_orders_are_run_in_their_order(runner: Runner) -> None:
    names = [f"job/{number}" for number in range(20)]
    runner.send(*(runner.order(name) for name in names))
    reports = runner.reports(40)
    assert [report.key[0] for report in reports if isinstance(report, Began)] == names
    assert [report.key[0] for report in reports if isinstance(report, Done)] == names


def test_a_dropped_order_is_not_started(runner: Runner) -> None:
    runner.send(*(runner.order(name, {"do": "sleep", "s": 0.2}) for name in ("first", "second", "third")))
    assert [report.key[0] for report in runner.reports(1)] == ["first"]
    runner.send(frames.encode({"is": "drop", "key": ["second", 1]}))
    assert [report.key[0] for report in runner.reports(3)] == ["first", "third", "third"]


def test_dropping_what_has_begun_changes_nothing(runner: Runner) -> None:
    runner.send(runner.order("first", {"do": "sleep", "s": 0.05}))
    runner.reports(1)
    runner.send(frames.encode({"is": "drop", "key": ["first", 1]}), frames.encode({"is": "ping"}))
    done, pong = runner.listen(2)
    assert isinstance(read_report(done), Done)
    assert pong.header == {"is": "pong"}


def test_a_ping_is_answered(runner: Runner) -> None:
    runner.send(frames.encode({"is": "ping"}))
    assert runner.listen(1)[0].header == {"is": "pong"}


def test_a_large_result_goes_through_the_spool(runner: Runner) -> None:
    inline = runner.run({"do": "reply", "size": INLINE_BYTES})
    assert isinstance(inline, Done)
    assert inline.result == b"x" * INLINE_BYTES
    spooled = runner.run({"do": "reply", "size": INLINE_BYTES + 1})
    assert isinstance(spooled, Done)
    assert spooled.result is None
    assert (runner.spool / "one.result").stat().st_size == INLINE_BYTES + 1


def test_a_result_that_cannot_be_written_is_a_fault_of_ours(runner: Runner) -> None:
    broke = runner.run({"do": "reply", "size": 5 << 20})  # files here may have 4 MiB
    assert isinstance(broke, Broke)
    assert (broke.kind, broke.code) == ("fault", "spool_unwritable")
    assert broke.reason == f"the result of {5 << 20} bytes could not be written: File too large"
    assert list(runner.spool.iterdir()) == []


def test_memory_is_limited_order_by_order(runner: Runner) -> None:
    broke = runner.run({"do": "allocate", "mib": 100}, memory_mib=64)
    assert isinstance(broke, Broke)
    assert (broke.kind, broke.code, broke.fields) == ("memory", "memory_exceeded", {"memory_mib": 64})
    done = runner.run({"do": "allocate", "mib": 100}, memory_mib=128)
    assert isinstance(done, Done)


def test_a_rejection_is_the_users_and_arrives_readable(runner: Runner) -> None:
    broke = runner.run({"do": "reject"})
    assert isinstance(broke, Broke)
    assert (broke.kind, broke.code, broke.reason) == ("user", "circuit_invalid", "no such gate: ?")
    assert broke.fields == {"gate": "foo", "size": "1" + "0" * 30}


def test_an_engine_that_panics_does_not_end_the_child(runner: Runner) -> None:
    broke = runner.run({"do": "panic"})
    assert isinstance(broke, Broke)
    assert (broke.kind, broke.code) == ("crash", "engine_failed")
    assert broke.reason == "the engine failed on this work: Panic: range end index out of range"
    assert isinstance(runner.run(None), Done)


def test_the_end_of_the_connection_ends_it(
    runner: Runner, until: Callable[..., bool], gone: Callable[[int], bool]
) -> None:
    pid = runner.child.pid
    assert pid is not None
    runner.child.close()
    assert until(lambda: gone(pid), 2)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("QasmSimulator: insufficient memory"), "memory"),
        (RuntimeError("std::bad_alloc"), "memory"),
        (Rejected("backend_infeasible", "ERROR: Cannot allocate memory by posix_memalign"), "memory"),
        (Rejected("circuit_invalid", 'no gate "bad_alloc"'), "user"),
        (ValueError("x"), "crash"),
        (RecursionError(), "crash"),
    ],
)
def test_errors_are_sorted(error: BaseException, kind: str) -> None:
    assert explain(error, 64)[0] == kind


def test_what_json_cannot_carry_is_sent_as_text() -> None:
    assert plain({"a": 1, "b": [1, 2], "c": None}) == {"a": 1, "b": [1, 2], "c": None}
    assert plain({"a": [2**70], "b": 1}) == {"a": f"[{2**70}]", "b": "1"}
    assert plain({"a": "\ud800"}) == {"a": "?"}
    assert sendable("x" * 5_000) == "x" * 2_000


@pytest.mark.parametrize("deed", ["raise", "spin", "segfault"])
def test_shadow_runs_come_after_the_result_and_cannot_harm_it(runner: Runner, deed: str) -> None:
    """It has been told before they begin; one that fails, hangs or crashes ends the process at most."""
    runner.send(runner.order("one", {"do": "reply", "size": 3, "watched": deed}))
    began, done, watched = runner.reports(3)
    assert isinstance(began, Began)
    assert isinstance(done, Done)
    assert done.result == b"xxx"
    assert isinstance(watched, Watched)
    assert (watched.key, watched.finding.guilty) == (("one", 1), ("stim",))
    if deed == "raise":
        assert isinstance(runner.run({"do": "reply", "size": 1}), Done)
        return
    deadline = time.monotonic() + 30
    while runner.child.receive() is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_result_has_been_told_before_a_shadow_run_crashes(runner: Runner) -> None:
    runner.send(runner.order("one", {"do": "reply", "size": 3, "watched": "silently segfault"}))
    began, done = runner.reports(2)
    assert isinstance(began, Began)
    assert isinstance(done, Done)
