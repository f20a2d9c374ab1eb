"""The local executor beyond the port: its processes, its speed, and how it takes blows."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from workers.local import LocalExecutor
from workers.port import Failed, Final, Lost, Observation, Order, Seen, Started, Succeeded, Watched
from workers.roster import Patience
from workers.spool import SpoolInUse

ROOT = Path(__file__).resolve().parents[2]
Until = Callable[..., bool]
Gone = Callable[[int], bool]
Make = Callable[..., LocalExecutor]
SECOND_US = 1_000_000


def clock() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def make(oddities: None, leaves_nothing: None, tmp_path: Path) -> Iterator[Make]:
    """Executors with the odd engine; closed afterwards, and nothing of them may be left."""
    executors: list[LocalExecutor] = []

    def make(slots: int = 1, pipeline: int = 4, *, engine: str = "oddities:engine", **options: Any) -> LocalExecutor:
        spool = tmp_path / f"spool{len(executors)}"
        executors.append(LocalExecutor(slots, pipeline, 1024, ("aer",), spool, clock, engine=engine, **options))
        return executors[-1]

    yield make
    for executor in executors:
        executor.close()


_TOKENS = iter(range(1, 1_000_000))


def order(deed: str | None = None, *, seconds: float = 60.0, memory_mib: int = 512, **how: Any) -> Order:
    token = next(_TOKENS)
    work = b"" if deed is None else orjson.dumps({"do": deed, **how})
    return Order(f"job{token}/0.1", token, f"job{token}", "aer", work, int(seconds * SECOND_US), memory_mib)


def finals(executor: LocalExecutor, *orders: Order, timeout_s: float = 60.0) -> list[Final]:
    """The final words on the orders, in their order; nothing else may have been said."""
    seen = observe(executor, len(orders), timeout_s)
    words = {one.attempt_id: one for one in seen if not isinstance(one, Started)}
    assert len(words) == len(orders), seen
    return [words[one.attempt_id] for one in orders]


def observe(executor: LocalExecutor, count: int, timeout_s: float = 60.0) -> list[Seen]:
    """Everything seen until that many things other than starts were."""
    seen: list[Seen] = []
    deadline = time.monotonic() + timeout_s
    while sum(not isinstance(one, Started) for one in seen) < count:
        assert time.monotonic() < deadline, seen
        seen += executor.observe(1.0)
    return seen


def until_started(executor: LocalExecutor) -> None:
    assert isinstance(executor.observe(30)[-1], Started)


# One after the other.


def test_orders_one_after_the_other_are_served_by_the_same_child(make: Make) -> None:
    executor = make(1, 8)
    assert executor.ready(30)
    before = executor.pids()
    for one in [order() for _ in range(300)]:
        executor.start(one)
        assert isinstance(observe(executor, 1)[-1], Succeeded)
    assert executor.pids() == before


def test_a_killed_idle_child_is_replaced_each_time(make: Make, until: Until) -> None:
    executor = make(1, engine="backends.run:execute")
    assert executor.ready(60)
    for _ in range(5):
        [pid] = executor.pids()
        os.kill(pid, signal.SIGKILL)
        assert until(lambda pid=pid: executor.pids() not in ((), (pid,)), 10)


def test_what_a_shadow_run_finds_is_seen_after_the_end(make: Make) -> None:
    executor = make(shares=(1.0, 1.0))
    executor.start(one := order("reply", size=3, watched="raise"))
    started, ended, watched = observe(executor, 2)
    assert isinstance(started, Started)
    assert isinstance(ended, Succeeded)
    assert isinstance(watched, Watched)
    assert (watched.attempt_id, watched.token) == (one.attempt_id, one.token)
    assert (watched.finding.engine, watched.finding.other, watched.finding.guilty) == ("stim", "ddsim", ("stim",))
    unwatched = make()
    for other in (order("reply", size=3, watched="raise"), order("reply", size=3)):
        unwatched.start(other)
        assert isinstance(observe(unwatched, 1)[-1], Succeeded)


def test_orders_say_which_engines_must_not_be_used(make: Make) -> None:
    """Through all that lies between here and the engine's roster: a quarantined one has nothing to say."""
    executor = make(shares=(1.0, 1.0))
    executor.start(replace(order("reply", size=3, watched="raise"), quarantined=("stim",)))
    assert [type(one) for one in observe(executor, 1)] == [Started, Succeeded]
    executor.start(order("reply", size=3))
    assert [type(one) for one in observe(executor, 1)] == [Started, Succeeded], "no finding came in between"


# What children are.


def test_children_have_no_secrets_and_one_thread_that_computes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUBATOR_DATABASE_URL", "postgresql://u:secret@h/d")
    executor = make()
    executor.start(one := order("name environment"))
    [done] = finals(executor, one)
    assert isinstance(done, Succeeded)
    assert isinstance(done.result, bytes)
    environment = orjson.loads(done.result)
    assert "QUBATOR_DATABASE_URL" not in environment
    assert environment["OMP_NUM_THREADS"] == "1"


def test_real_children_start_no_threads_but_the_watch(make: Make) -> None:
    executor = make(1, engine="backends.run:execute")
    program = 'OPENQASM 2.0;include "qelib1.inc";qreg q[18];creg c[18];h q;cx q[0],q[1];t q[3];measure q->c;'
    pub = {"circuit": 0, "parameter_values": None, "shots": 100}
    circuits = [{"format": "openqasm2", "content": program}]
    work = {"v": 1, "primitive": "sampler", "circuits": circuits, "pubs": [pub], "seed": 1}
    one = Order("job/0.1", 1, "job", "aer-statevector", orjson.dumps(work), 60 * SECOND_US, 512)
    executor.start(one)
    [done] = finals(executor, one)
    assert isinstance(done, Succeeded), done
    [pid] = executor.pids()
    assert psutil.Process(pid).num_threads() == 2


def test_the_service_never_loads_an_engine() -> None:
    script = (
        "import sys, workers.local, workers.inspector; print([m for m in sys.modules if 'qiskit' in m or 'numpy' in m])"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True).stdout == b"[]\n"


# Memory.


def test_an_order_gets_no_more_memory_than_the_executor_has(make: Make) -> None:
    executor = make()
    executor.start(one := order("allocate", mib=1100, memory_mib=9_999))
    [failed] = finals(executor, one)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.fields) == ("memory", {"memory_mib": 1024})


def test_an_abort_for_lack_of_memory_is_named_so(make: Make) -> None:
    executor = make()
    executor.start(one := order("abort like cpp"))
    [failed] = finals(executor, one)
    assert isinstance(failed, Failed)
    assert failed.kind == "memory"


def test_where_the_kernel_sets_no_limit_the_parent_weighs(make: Make) -> None:
    executor = make()
    executor.start(one := order("allocate without limit", mib=500, memory_mib=64))
    [failed] = finals(executor, one)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.fields) == ("memory", {"memory_mib": 64})


def test_a_child_that_has_grown_is_replaced_between_orders(make: Make, until: Until) -> None:
    executor = make()
    assert executor.ready(30)
    before = executor.pids()
    orders = [order("grow", mib=100), order("grow", mib=100), order("grow", mib=100), order("name process")]
    for one in orders:
        executor.start(one)
    last = finals(executor, *orders)[-1]
    assert isinstance(last, Succeeded)
    assert until(lambda: executor.pids() not in ((), before))
    assert isinstance(last.result, bytes)
    assert int(last.result) == executor.pids()[0] != before[0]


# Blows.


def test_a_child_that_lies_is_replaced(make: Make) -> None:
    executor = make(engine="oddities:engine")
    assert executor.ready(30)
    executor.start(one := order("say nonsense"))
    [failed] = finals(executor, one)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.code) == ("crash", "engine_crashed")
    executor.start(two := order())
    assert isinstance(finals(executor, two)[0], Succeeded)


def test_a_frozen_child_is_replaced_and_its_order_runs(make: Make) -> None:
    executor = make(patience=Patience(silence_us=200_000, heartbeat_us=50_000))
    assert executor.ready(30)
    [pid] = executor.pids()
    os.kill(pid, signal.SIGSTOP)
    executor.start(one := order())
    assert isinstance(finals(executor, one)[0], Succeeded)
    assert pid not in executor.pids()


def test_a_frozen_idle_child_is_noticed_by_its_silence(make: Make, until: Until, gone: Gone) -> None:
    executor = make(patience=Patience(silence_us=200_000, heartbeat_us=50_000))
    assert executor.ready(30)
    [pid] = executor.pids()
    os.kill(pid, signal.SIGSTOP)
    assert until(lambda: gone(pid) and len(executor.pids()) == 1)


def test_an_idle_child_that_answers_stays(make: Make) -> None:
    executor = make(patience=Patience(silence_us=300_000, heartbeat_us=20_000))
    assert executor.ready(30)
    before = executor.pids()
    assert executor.observe(1.0) == []
    assert executor.pids() == before


def test_an_engine_that_prints_much_is_not_held_up(make: Make) -> None:
    executor = make()
    executor.start(one := order("print", kib=1024))
    assert isinstance(finals(executor, one)[0], Succeeded)


def test_a_killed_fork_server_costs_what_ran_and_no_more(make: Make) -> None:
    executor = make(1, 4)
    assert executor.ready(30)
    executor.start(running := order("spin"))
    until_started(executor)
    executor.start(behind := order())
    server = psutil.Process(executor.pids()[0]).parent()
    assert server is not None
    server.kill()
    failed, done = finals(executor, running, behind)
    assert isinstance(failed, Failed)
    assert failed.kind == "crash"
    assert isinstance(done, Succeeded)


def test_an_engine_that_cannot_be_imported_is_a_fault_of_ours(make: Make) -> None:
    executor = make(engine="no_such_module:execute")
    executor.start(one := order())
    [failed] = finals(executor, one)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.code) == ("fault", "worker_unavailable")
    assert failed.reason == "ModuleNotFoundError: No module named 'no_such_module'"


def test_a_long_order_does_not_hold_up_the_ones_behind_it(make: Make) -> None:
    executor = make(2, 8)
    assert executor.ready(30)
    long = [order("sleep", s=0.6), order("sleep", s=0.1)]
    behind = [order() for _ in range(6)]
    for one in long + behind:
        executor.start(one)
    ended = [one.attempt_id for one in observe(executor, 8) if not isinstance(one, Started)]
    assert ended[-1] == long[0].attempt_id


def test_under_random_blows_every_order_ends_once(make: Make) -> None:
    chance = random.Random(1)
    executor = make(2, 6)
    assert executor.ready(30)
    orders = [order("sleep", s=chance.choice([0, 0, 0.001, 0.01, 0.03])) for _ in range(250)]
    seen: list[Observation] = []
    for one in orders:
        executor.start(one)
        if chance.random() < 0.1:
            executor.stop(*chance.choice(orders).key)
        if chance.random() < 0.1 and (pids := executor.pids()):
            with contextlib.suppress(ProcessLookupError):  # killed a moment ago, and its end not heard of yet
                os.kill(chance.choice(pids), signal.SIGKILL)
        while len(executor.inventory()) > 7:
            seen += executor.observe(1.0)
    deadline = time.monotonic() + 60
    while executor.inventory():
        assert time.monotonic() < deadline
        seen += executor.observe(1.0)
    seen += executor.observe(0)
    words = Counter(one.attempt_id for one in seen if not isinstance(one, Started))
    assert words == Counter(one.attempt_id for one in orders)
    kinds = Counter(one.kind if isinstance(one, Failed) else type(one).__name__ for one in seen)
    assert set(kinds) <= {"Started", "Succeeded", "Stopped", "crash"}
    assert kinds["Succeeded"] > 100


# Beginning and end.


def test_it_works_when_the_thread_that_made_it_is_gone(make: Make) -> None:
    made: list[LocalExecutor] = []
    maker = threading.Thread(target=lambda: made.append(make(1)))
    maker.start()
    maker.join()
    [executor] = made
    assert executor.ready(30)
    executor.start(one := order("sleep", s=0.1))
    assert isinstance(finals(executor, one)[0], Succeeded)


def test_closing_ends_everything_while_it_still_starts(make: Make) -> None:
    executor = make(2, engine="backends.run:execute")
    executor.start(one := order())
    began_s = time.monotonic()
    executor.close()
    assert time.monotonic() - began_s < 5
    assert [type(word) for word in executor.observe(0)] == [Lost]
    assert one.token


def test_closing_wakes_who_observes_and_many_may_close(make: Make) -> None:
    executor = make(2)
    assert executor.ready(30)
    executor.start(order("spin"))
    until_started(executor)
    seen: list[list[Observation]] = []
    waiting = threading.Thread(target=lambda: seen.append(executor.observe(60)))
    waiting.start()
    closing = [threading.Thread(target=executor.close) for _ in range(4)]
    for thread in closing:
        thread.start()
    for thread in [*closing, waiting]:
        thread.join(10)
        assert not thread.is_alive()
    assert all(isinstance(one, Lost) for batch in seen for one in batch)


def test_closing_wakes_who_observes_nothing(make: Make) -> None:
    executor = make(1)
    assert executor.ready(30)
    waiting = threading.Thread(target=executor.observe, args=(60,))
    waiting.start()
    executor.close()
    waiting.join(5)
    assert not waiting.is_alive()


def test_it_is_a_context(oddities: None, leaves_nothing: None, tmp_path: Path) -> None:
    with LocalExecutor(1, 0, 64, ("aer",), tmp_path, clock, engine="oddities:engine") as executor:
        executor.start(one := order())
        assert isinstance(finals(executor, one)[0], Succeeded)
    assert executor.pids() == ()


def test_a_spool_has_one_executor(make: Make, tmp_path: Path) -> None:
    make()
    with pytest.raises(SpoolInUse):
        LocalExecutor(1, 0, 64, ("aer",), tmp_path / "spool0", clock)


@pytest.mark.parametrize(("slots", "pipeline", "memory_mib"), [(0, 0, 1), (1, -1, 1), (1, 0, 0)])
def test_impossible_sizes_are_refused(tmp_path: Path, slots: int, pipeline: int, memory_mib: int) -> None:
    with pytest.raises(ValueError, match="slots"):
        LocalExecutor(slots, pipeline, memory_mib, ("aer",), tmp_path, clock)
