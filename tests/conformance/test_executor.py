"""What every executor promises, told against the port alone, with real circuits on real backends.

A further executor joins by adding itself to `MAKERS`.
"""

from __future__ import annotations

import base64
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from workers.local import LocalExecutor
from workers.port import (
    Capabilities,
    Executor,
    Failed,
    Final,
    Held,
    Lost,
    Observation,
    Order,
    Started,
    Stopped,
    Succeeded,
)

SECOND_US = 1_000_000
NUMBERS = itertools.count(1)


@dataclass
class Bench:
    """An executor at work: `kill` ends the process that runs an attempt, as the machine might."""

    executor: Executor
    kill: Callable[[Order], None]
    seen: list[Observation] = field(default_factory=list)

    def start(self, *orders: Order) -> None:
        for order in orders:
            self.executor.start(order)

    def watch(self, condition: Callable[[], object], timeout_s: float = 60.0) -> None:
        """Observe until the condition holds."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, self.seen[-10:]
            self.seen += self.executor.observe(1.0)

    def finals(self, *orders: Order) -> list[Final]:
        """The final words on these orders, in the order of the orders; waits for all."""

        def found() -> dict[str, Final]:
            return {one.attempt_id: one for one in self.seen if not isinstance(one, Started)}

        self.watch(lambda: {order.attempt_id for order in orders} <= found().keys())
        return [found()[order.attempt_id] for order in orders]

    def until_started(self, order: Order) -> None:
        self.watch(lambda: any(isinstance(one, Started) and one.attempt_id == order.attempt_id for one in self.seen))

    def said_of(self, order: Order) -> list[Observation]:
        return [one for one in self.seen if one.attempt_id == order.attempt_id]


def make_local(slots: int, pipeline: int, spool: Path) -> Bench:
    executor = LocalExecutor(slots, pipeline, 2048, ("aer", "aer-statevector"), spool, lambda: time.time_ns() // 1000)

    def kill(order: Order) -> None:
        pid = executor.pid_of(*order.key)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    return Bench(executor, kill)


MAKERS = {"local": make_local}


@pytest.fixture(scope="module", params=MAKERS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = MAKERS[request.param](2, 4, tmp_path_factory.mktemp("spool"))
    yield bench
    bench.executor.close()


@pytest.fixture
def bench(shared: Bench) -> Iterator[Bench]:
    """Two slots, and four further orders may wait. Every test leaves it empty."""
    shared.seen.clear()
    yield shared
    assert shared.executor.inventory() == ()


@pytest.fixture(params=MAKERS)
def narrow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """One slot, three may wait, nobody else uses it."""
    bench = MAKERS[request.param](1, 3, tmp_path / "spool")
    yield bench
    bench.executor.close()


def order(
    program: str, shots: int = 100, *, seconds: float = 60.0, memory_mib: int = 1024, backend: str = "aer"
) -> Order:
    work = {
        "v": 1,
        "primitive": "sampler",
        "circuits": [{"format": "openqasm2", "content": program}],
        "pubs": [{"circuit": 0, "parameter_values": None, "shots": shots}],
        "seed": 7,
    }
    number = next(NUMBERS)
    limit_us = int(seconds * SECOND_US)
    return Order(f"job{number}/0.1", number, f"job{number}", backend, orjson.dumps(work), limit_us, memory_mib)


def ghz(qubits: int, layers: int = 0) -> str:
    """A GHZ state, then layers that no simulator finds easy."""
    links = [f"cx q[{n}],q[{n + 1}];" for n in range(qubits - 1)]
    layer = [f"rx(0.{n + 1}) q[{n}];" for n in range(qubits)] + links
    body = "".join([*links, *layer * layers])
    return f'OPENQASM 2.0;include "qelib1.inc";qreg q[{qubits}];creg c[{qubits}];h q[0];{body}measure q->c;'


BELL = ghz(2)


def endless() -> Order:
    """Minutes in one C++ loop."""
    return order(ghz(24, 300), backend="aer-statevector")


def outcomes(result: bytes | Path) -> set[int]:
    document = orjson.loads(result if isinstance(result, bytes) else result.read_bytes())
    return set(base64.b64decode(document["pubs"][0]["registers"]["c"]["array"]["base64"]))


# Success.


def test_capabilities_say_what_was_asked_for(bench: Bench) -> None:
    assert bench.executor.capabilities() == Capabilities(2, 4, ("aer", "aer-statevector"))
    assert isinstance(bench.executor, Executor)


def test_a_circuit_runs_and_is_measured(bench: Bench) -> None:
    bell = order(BELL, shots=1000)
    before_us = time.time_ns() // 1000
    bench.start(bell)
    [done] = bench.finals(bell)
    assert isinstance(done, Succeeded)
    assert outcomes(done.result) == {0, 3}
    assert (done.attempt_id, done.token, done.shots) == (bell.attempt_id, bell.token, 1000)
    assert 0 < done.used_us < 30 * SECOND_US
    assert 0 < done.cpu_us < 30 * SECOND_US
    started = bench.said_of(bell)[0]
    assert isinstance(started, Started)
    assert before_us <= started.at_us <= done.at_us <= time.time_ns() // 1000


def test_the_same_seed_gives_the_same_result_in_another_process(bench: Bench) -> None:
    first, second = order(ghz(5, 2)), order(ghz(5, 2))
    bench.start(first)
    [before] = bench.finals(first)
    long = [endless(), endless()]
    bench.start(*long)
    for one in long:
        bench.until_started(one)
        bench.executor.stop(*one.key)
    bench.finals(*long)
    bench.start(second)
    [after] = bench.finals(second)
    assert isinstance(before, Succeeded)
    assert isinstance(after, Succeeded)
    assert before.result == after.result


def test_many_short_orders_all_end_once(bench: Bench) -> None:
    orders = [order(BELL, shots=10) for _ in range(200)]
    waiting = iter(orders)
    bench.start(*itertools.islice(waiting, 6))
    for one in waiting:
        held = len(bench.executor.inventory())
        bench.watch(lambda held=held: held < 6 or len(bench.executor.inventory()) < 6)
        bench.start(one)
    assert all(isinstance(one, Succeeded) for one in bench.finals(*orders))
    words = Counter(one.attempt_id for one in bench.seen if not isinstance(one, Started))
    assert words == Counter(one.attempt_id for one in orders)


def test_a_large_result_comes_as_a_finished_file(bench: Bench) -> None:
    large = order(BELL, shots=1_000_000)
    bench.start(large)
    [done] = bench.finals(large)
    assert isinstance(done, Succeeded)
    assert isinstance(done.result, Path)
    assert done.result.stat().st_size > 1_000_000
    assert outcomes(done.result) == {0, 3}
    done.result.unlink()


def test_a_known_order_is_not_run_again(bench: Bench) -> None:
    bell = order(BELL)
    bench.start(bell, bell)
    bench.finals(bell)
    bench.start(bell, later := order(BELL))
    bench.finals(later)
    assert [type(one) for one in bench.said_of(bell)] == [Started, Succeeded]


def test_a_new_token_is_a_new_order(bench: Bench) -> None:
    bell = order(BELL)
    again = Order(bell.attempt_id, next(NUMBERS), bell.job_id, bell.backend, bell.work, SECOND_US, 512)
    bench.start(bell)
    bench.finals(bell)
    bench.start(again)
    bench.watch(lambda: len(bench.said_of(bell)) == 4)
    assert [one.token for one in bench.said_of(bell)] == [bell.token, bell.token, again.token, again.token]


# The startup's own errors, and limits.


@pytest.mark.parametrize(
    ("program", "backend", "code"),
    [
        ("OPENQASM 2.0; qreg q[1]; oops q[0];", "aer", "circuit_invalid"),
        (BELL, "no-such-backend", "unknown_backend"),
        ("OPENQASM 2.0; qreg q[1000000000];", "aer", "circuit_too_large"),
        ("\x00junk", "aer", "circuit_invalid"),
    ],
)
def test_a_bad_circuit_is_its_senders(bench: Bench, program: str, backend: str, code: str) -> None:
    bad = order(program, backend=backend)
    bench.start(bad)
    [failed] = bench.finals(bad)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.code) == ("user", code)
    assert len(failed.reason) > 20
    assert failed.used_us >= 0


def test_at_the_time_limit_a_busy_loop_is_ended(bench: Bench) -> None:
    slow = order(ghz(24, 300), seconds=0.3, backend="aer-statevector")
    bench.start(slow)
    [failed] = bench.finals(slow)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.code) == ("timeout", "time_limit_exceeded")
    assert failed.fields == {"time_limit_ms": 300}
    assert 0.3 * SECOND_US <= failed.used_us < 2 * SECOND_US


@pytest.mark.parametrize("qubits", [26, 31])
def test_at_the_memory_limit_the_neighbours_go_on(bench: Bench, qubits: int) -> None:
    large, bell = order(ghz(qubits, 1), memory_mib=256, backend="aer-statevector"), order(BELL)
    bench.start(large, bell)
    failed, done = bench.finals(large, bell)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.code, failed.fields) == ("memory", "memory_exceeded", {"memory_mib": 256})
    assert isinstance(done, Succeeded)


# Stops.


def test_a_busy_loop_is_stopped(bench: Bench) -> None:
    long = endless()
    bench.start(long)
    bench.until_started(long)
    asked_s = time.monotonic()
    bench.executor.stop(*long.key)
    [stopped] = bench.finals(long)
    assert time.monotonic() - asked_s < 1.0
    assert isinstance(stopped, Stopped)
    assert 0 < stopped.used_us < 30 * SECOND_US
    bell = order(BELL)
    bench.start(bell)
    assert isinstance(bench.finals(bell)[0], Succeeded)


def test_what_has_not_started_is_stopped_at_no_cost(bench: Bench) -> None:
    long = [endless(), endless()]
    behind = [order(BELL) for _ in range(4)]
    # Both slots are busy before anything is put behind them: a child that is only being born would take it otherwise.
    bench.start(*long)
    for one in long:
        bench.until_started(one)
    bench.start(*behind)
    for one in behind:
        bench.executor.stop(*one.key)
    assert [(type(one), one.used_us) for one in bench.finals(*behind) if isinstance(one, Stopped)] == [(Stopped, 0)] * 4
    for one in long:
        bench.executor.stop(*one.key)
    bench.finals(*long)
    assert [type(one) for one in bench.said_of(behind[0])] == [Stopped]


def test_a_stop_that_races_with_the_end_has_one_outcome(bench: Bench) -> None:
    orders = [order(ghz(8, 3)) for _ in range(40)]
    for number, one in enumerate(orders):
        bench.start(one)
        if number % 2:
            bench.until_started(one)
        bench.executor.stop(*one.key)
        bench.executor.stop(*one.key)
        bench.finals(one)
    bench.watch(lambda: bench.executor.inventory() == ())
    bench.seen += bench.executor.observe(0)
    words = Counter(one.attempt_id for one in bench.seen if not isinstance(one, Started))
    assert words == Counter(one.attempt_id for one in orders)
    assert {type(one) for one in bench.finals(*orders)} <= {Stopped, Succeeded}


def test_stopping_what_is_unknown_or_over_says_nothing(bench: Bench) -> None:
    bell = order(BELL)
    bench.executor.stop(*bell.key)
    bench.start(bell)
    bench.finals(bell)
    bench.executor.stop(*bell.key)
    bench.executor.stop(bell.attempt_id, bell.token + 1)
    assert bench.executor.observe(0.05) == []


# Crashes.


def test_a_killed_process_costs_one_attempt(bench: Bench) -> None:
    long, neighbour = endless(), endless()
    bench.start(long, neighbour)
    bench.until_started(long)
    bench.until_started(neighbour)
    bench.kill(long)
    [failed] = bench.finals(long)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.code) == ("crash", "engine_crashed")
    assert failed.used_us > 0
    assert bench.executor.inventory() == (Held(neighbour.attempt_id, neighbour.token, started=True),)
    bell = order(BELL)
    bench.start(bell)
    assert isinstance(bench.finals(bell)[0], Succeeded)
    bench.executor.stop(*neighbour.key)
    bench.finals(neighbour)


def test_what_waits_behind_a_crash_runs_all_the_same(narrow: Bench) -> None:
    long, behind = endless(), [order(BELL) for _ in range(3)]
    narrow.start(long, *behind)
    narrow.until_started(long)
    narrow.kill(long)
    assert isinstance(narrow.finals(long)[0], Failed)
    assert all(isinstance(one, Succeeded) for one in narrow.finals(*behind))


# Pipeline, inventory, waking, closing.


def test_orders_start_in_the_order_they_came(narrow: Bench) -> None:
    orders = [order(BELL) for _ in range(12)]
    narrow.start(*orders)
    assert [held.attempt_id for held in narrow.executor.inventory()] == [one.attempt_id for one in orders]
    narrow.finals(*orders)
    started = [one.attempt_id for one in narrow.seen if isinstance(one, Started)]
    assert started == [one.attempt_id for one in orders]
    assert narrow.executor.inventory() == ()


def test_waking_ends_an_observation(bench: Bench) -> None:
    bench.executor.wake()
    began_s = time.monotonic()
    assert bench.executor.observe(30) == []
    assert time.monotonic() - began_s < 5
    began_s = time.monotonic()
    assert bench.executor.observe(0.05) == []
    assert time.monotonic() - began_s >= 0.04


def test_closing_gives_up_what_runs_and_what_waits(narrow: Bench) -> None:
    long, behind = endless(), order(BELL)
    narrow.start(long, behind)
    narrow.until_started(long)
    narrow.executor.close()
    lost = narrow.finals(long, behind)
    assert all(isinstance(one, Lost) for one in lost)
    assert narrow.executor.inventory() == ()
    narrow.executor.close()
    late = order(BELL)
    narrow.start(late)
    narrow.executor.stop(*late.key)
    assert isinstance(narrow.finals(late)[0], Lost)
    assert narrow.executor.observe(30) == []
