"""A warm process that runs contestants, one circuit after another, and is killed and replaced when its time is up.

CPU seconds are counted, its children's too, for the machine may be shared. Memory is bounded by the operating system:
what the process had when it was warm, and 12 GiB more. Nothing runs in a fork of it but what the contestant itself
forks: engines with threads of their own would wait there for ever.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import multiprocessing
import os
import resource
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

import psutil

from benchmarks.circuit_suite.entry import Entry

SHOTS = 1024
SEED = 20_260_101
MEMORY_BYTES = 12 << 30
SAMPLING = "benchmarks.contest.contestants"
_SHORT_S = 0.25
_REPEATS_MAX = 9
_REPEATS_S = 0.6
_POLL_S = 0.02
_ALLOWED_S = 1.0
_WALL_PER_CPU = 4
_WALL_S = 30
_MAKING = "making"
PLAN = "plan"
"""In place of a contestant: what the router would do."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "QULACS_NUM_THREADS")

Answer = dict[str, Any]


class Runner:
    """Runs one circuit after another in a warm process; `names` are the contestants to warm it up for.

    `kit` is the module that knows them: `entries_of(source)`, `contestant(name)`, and `small()`: what to warm up with.
    """

    def __init__(self, source: str, names: tuple[str, ...], kit: str = SAMPLING) -> None:
        for name in _THREADS:
            os.environ[name] = "1"
        self._arguments = source, names, kit
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, *self._arguments))
        self._process.start()
        theirs.close()
        assert self._pipe.recv() == "warm"

    def run(self, entry: Entry, contestant: str, limit_s: float) -> Answer:
        """status, seconds and what came of it; `status` is ok, refused, failed, memory or timeout."""
        self._pipe.send((entry.name, contestant))
        process = psutil.Process(self._process.pid)
        used_s = 0.0
        try:
            assert self._pipe.recv() == _MAKING
            before_s, began_s = _cpu_s(process), time.monotonic()
            while not self._pipe.poll(_POLL_S):
                used_s = max(used_s, _cpu_s(process) - before_s)
                # The repeated runs of a short circuit are no part of the limit.
                waited_s = time.monotonic() - began_s
                if used_s > limit_s + _ALLOWED_S or waited_s > _WALL_PER_CPU * limit_s + _WALL_S:
                    self._again(process)
                    note = f"stopped after {used_s:.1f} s of CPU, {waited_s:.1f} s by the clock"
                    return {"status": "timeout", "seconds": limit_s, "note": note}
            answer: Answer = self._pipe.recv()
        except EOFError:
            self._again(process)
            return {"status": "failed", "seconds": used_s, "note": "the process died"}
        if answer["status"] == "ok" and answer["seconds"] > limit_s:
            return {"status": "timeout", "seconds": limit_s, "note": f"took {answer['seconds']:.1f} s"}
        return answer

    def _again(self, process: psutil.Process) -> None:
        """End the process with all that it forked, and start a new one."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
        self.close()
        self._start()

    def close(self) -> None:
        """End the warm process."""
        self._pipe.close()
        self._process.join()


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process and of its children, living and gone."""
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        total = times.user + times.system + times.children_user + times.children_system
        for child in process.children(recursive=True):
            own = child.cpu_times()
            total += own.user + own.system
    return total


def _spent_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _serve(pipe: Connection, source: str, names: tuple[str, ...], module: str) -> None:
    """The warm process' life: circuit after circuit, until the pipe closes."""
    from benchmarks.contest.plans import plan_of
    from benchmarks.contest.unseen import forget

    kit = importlib.import_module(module)
    logging.getLogger("qiskit_aer").setLevel(logging.CRITICAL)  # it would print each failure that is a row anyway
    known = {entry.name: entry for entry in kit.entries_of(source)}
    made = {name: kit.contestant(name) for name in names}
    for run in made.values():
        for circuit in kit.small():
            # What an engine refuses, it refuses.
            with contextlib.suppress(Exception):
                run(circuit, 16, 1)
    gc.collect()
    gc.freeze()
    room = psutil.Process().memory_info().vms + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    pipe.send("warm")
    while True:
        try:
            name, contestant = pipe.recv()
        except EOFError:
            os._exit(0)  # past the farewells of libraries, which are long
        circuit = known[name].make()
        forget(known[name].family)
        pipe.send(_MAKING)
        if contestant == PLAN:
            pipe.send({"status": "ok", "seconds": 0.0, "note": plan_of(circuit, SHOTS)})
        else:
            run = made.get(contestant) or kit.contestant(contestant)
            pipe.send(_measured(known[name], circuit, run))
        gc.collect()


def _measured(entry: Entry, circuit: Any, contestant: Any) -> Answer:
    """The first run's outcomes; of short circuits the median of several runs, each with a circuit of its own."""
    from backends.engines.port import GaveUp, Unsuited
    from backends.rejected import Rejected

    seconds: list[float] = []
    converted: list[float] = []
    first: Any = None
    began_s = _spent_s()
    try:
        while not seconds or (max(seconds) < _SHORT_S and len(seconds) < _REPEATS_MAX and sum(seconds) < _REPEATS_S):
            if seconds:
                circuit = entry.make()
            gc.collect()
            began_s = _spent_s()
            drawn = contestant(circuit, SHOTS, SEED + len(seconds))
            seconds.append(_spent_s() - began_s)
            converted.append(drawn.converted_s)
            first = first or drawn
    except MemoryError as error:
        return _failed("memory", began_s, error)
    except (Unsuited, GaveUp, Rejected) as error:
        return _failed("refused", began_s, error)
    except Exception as error:  # whatever an engine throws is its answer
        memory = "memory" in str(error).lower()
        return _failed("memory" if memory else "failed", began_s, error)
    return {
        "status": "ok",
        "seconds": statistics.median(seconds),
        "converted_s": statistics.median(converted),
        "runs": len(seconds),
        "fidelity": first.fidelity,
        "method": first.method,
        "note": first.note,
        "bits": first.bits(),
    }


def _failed(status: str, began_s: float, error: BaseException) -> Answer:
    note = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return {"status": status, "seconds": _spent_s() - began_s, "note": note}
