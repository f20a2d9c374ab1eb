"""The backend `ideal` beside Aer, on families of circuits of our own: who solves what, and how much sooner.

Each circuit runs once on each contender in a warm child of its own kind, 1024 shots, with a limit on time and memory;
processor seconds count, everything but reading the circuit. "aer" is Aer's automatic method, "honest" is Aer automatic
and, where that fails, its matrix product states. A result of `ideal` counts as solved only if its reported fidelity is
at least 0.99 and, where Aer solved the circuit too, both samples may be of one distribution (χ², false alarm 10⁻⁶).
`CIRCUITS=folder` takes OpenQASM 3 or QPY files in place of the families.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import resource
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, qasm3, qpy, transpile
from qiskit.circuit.library import get_standard_gate_name_mapping
from scipy.stats import chi2

from benchmarks.circuit_families import Named, brickwork, chain, families, measured

SHOTS = 1024
MEMORY_BYTES = 12 << 30
UNSOLVED_S = 120.0
FLOOR_S = 0.005
FALSE_ALARM = 1e-6


@dataclass(frozen=True, slots=True)
class Outcome:
    """Processor seconds, and counts where the circuit was solved."""

    seconds: float
    counts: dict[str, int] | None
    how: str


def from_folder(folder: Path) -> Iterator[Named]:
    """OpenQASM 3 and QPY files; each file is its own family."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".qpy":
            with path.open("rb") as stream:
                circuits = qpy.load(stream)
        elif path.suffix in (".qasm", ".qasm3"):
            circuits = [qasm3.loads(path.read_text(encoding="utf-8"))]
        else:
            continue
        for number, circuit in enumerate(circuits):
            yield path.stem, f"{path.stem}_{number}", circuit


@cache
def _simulator(method: str) -> tuple[Any, list[str]]:
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method=method, max_parallel_threads=1, max_memory_mb=MEMORY_BYTES >> 20)
    return simulator, sorted(set(simulator.target.operation_names) & get_standard_gate_name_mapping().keys())


def run_aer(circuit: QuantumCircuit, method: str) -> tuple[dict[str, int], str]:
    """Aer as its users call it."""
    simulator, basis = _simulator(method)
    # Against its target it would refuse more than 30 qubits before looking at them.
    ready = transpile(circuit, basis_gates=basis, optimization_level=0)
    result = simulator.run(ready, shots=SHOTS, seed_simulator=7).result()
    if not result.success:
        raise MemoryError(str(result.status))
    return {key.replace(" ", ""): count for key, count in result.get_counts().items()}, method


def run_ideal(circuit: QuantumCircuit) -> tuple[dict[str, int], str]:
    """Conversion, reductions, routing and failed tries included."""
    from backends import ideal
    from backends.engines.port import FIDELITY_MIN
    from backends.program import Unflat
    from backends.programming import template_of
    from backends.reductions import reduce

    template = template_of(circuit)
    if isinstance(template, Unflat):
        return run_aer(circuit, "automatic")
    told = ideal.Told()
    bits = ideal.sample_reduced(reduce(template.program), SHOTS, 7, told)
    if any(how.fidelity < FIDELITY_MIN for how in told.hows):
        raise MemoryError("its fidelity is too low")
    rows = Counter(map(bytes, bits[:, ::-1]))
    counts = {"".join("1" if bit else "0" for bit in row): count for row, count in rows.items()}
    return counts, "+".join(how.engine for how in told.hows) or "reductions"


CONTENDERS = {
    "aer": lambda circuit: run_aer(circuit, "automatic"),
    "mps": lambda circuit: run_aer(circuit, "matrix_product_state"),
    "ideal": run_ideal,
}


def _child(contender: str, pipe: Any) -> None:
    """A warm process that runs what it is sent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    run = CONTENDERS[contender]
    run(measured(chain(3)))
    run(measured(brickwork(3, 2, np.random.default_rng(1))))
    pipe.send("warm")
    while (circuit := pipe.recv()) is not None:
        before = _spent_s()
        try:
            counts, how = run(circuit)
        except Exception as error:  # whatever an engine raises is a failure of the contender
            counts, how = None, f"{type(error).__name__}: {error}"[:120]
        pipe.send((_spent_s() - before, counts, how))


def _spent_s() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


class Runner:
    """One contender's child, replaced when it had to be stopped."""

    def __init__(self, contender: str, limit_s: float) -> None:
        self.contender, self.limit_s = contender, limit_s
        self._start()

    def _start(self) -> None:
        here, there = multiprocessing.get_context("spawn").Pipe()
        self._pipe = here
        self._process = multiprocessing.get_context("spawn").Process(target=_child, args=(self.contender, there))
        self._process.start()
        there.close()
        assert here.recv() == "warm"

    def run(self, circuit: QuantumCircuit) -> Outcome:
        """One circuit within the limit."""
        self._pipe.send(circuit)
        try:
            if self._pipe.poll(self.limit_s):
                seconds, counts, how = self._pipe.recv()
                return Outcome(seconds, counts, how)
            how = f"stopped after {self.limit_s:.0f} s"
        except EOFError:
            how = "the process died"
        self.close()
        self._start()
        return Outcome(self.limit_s, None, how)

    def close(self) -> None:
        """End the child, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def alike(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two samples may be of one distribution; rare outcomes are taken together."""
    keys = [key for key in one.keys() | other.keys() if one.get(key, 0) + other.get(key, 0) >= 10]
    pairs = [(one.get(key, 0), other.get(key, 0)) for key in keys]
    pairs.append((SHOTS - sum(first for first, _ in pairs), SHOTS - sum(second for _, second in pairs)))
    statistic = sum((first - second) ** 2 / (first + second) for first, second in pairs if first + second)
    return statistic < float(chi2.isf(FALSE_ALARM, max(1, len(pairs) - 1)))


def geomean(values: list[float]) -> float:
    """1 for none."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else 1.0


def main() -> None:
    """Run all contenders on all circuits, one after another; the last line has the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=60.0, help="Seconds for one circuit.")
    chosen = parser.parse_args()
    folder = os.environ.get("CIRCUITS")
    runners = {name: Runner(name, chosen.limit) for name in CONTENDERS}
    rows: list[tuple[float, float, float, bool, bool, bool]] = []
    wrong = 0
    for family, name, circuit in from_folder(Path(folder)) if folder else families():
        aer, ideal = runners["aer"].run(circuit), runners["ideal"].run(circuit)
        honest = aer if aer.counts is not None else runners["mps"].run(circuit)
        honest_s = honest.seconds + (aer.seconds if honest is not aer else 0)
        beside = aer.counts if aer.counts is not None else honest.counts
        solved = ideal.counts is not None
        if solved and beside is not None and not alike(ideal.counts or {}, beside):
            wrong += 1
            solved = False
        print(
            f"{family:<16}{name:<16}aer {_shown(aer)}  honest {_shown(honest)}  ideal {_shown(ideal)}  "
            f"{'' if solved else 'UNSOLVED: '}{ideal.how}",
            flush=True,
        )
        rows.append((aer.seconds, honest_s, ideal.seconds, aer.counts is not None, honest.counts is not None, solved))
    for runner in runners.values():
        runner.close()
    print(figures(rows, wrong))


def _shown(outcome: Outcome) -> str:
    return f"{outcome.seconds:8.3f}" if outcome.counts is not None else "       -"


def figures(rows: list[tuple[float, float, float, bool, bool, bool]], wrong: int) -> str:
    """The last line. Ratios are another's seconds by ours: above 1 is better."""
    both = [(aer, ideal) for aer, _, ideal, well, _, solved in rows if well and solved]
    par = [
        (
            aer if well else UNSOLVED_S,
            honest if honest_well else UNSOLVED_S,
            ideal if solved else UNSOLVED_S,
        )
        for aer, honest, ideal, well, honest_well, solved in rows
    ]
    solvable = sum(any(row[3:]) for row in rows)
    return (
        f"figures: circuits={len(rows)} geomean={geomean([aer / ideal for aer, ideal in both]):.1f} "
        f"geomean_floor5ms={geomean([(aer + FLOOR_S) / (ideal + FLOOR_S) for aer, ideal in both]):.1f} "
        f"par2={geomean([aer / ideal for aer, _, ideal in par]):.1f} "
        f"par2_honest={geomean([honest / ideal for _, honest, ideal in par]):.1f} "
        f"solved={sum(row[5] for row in rows)} solvable={solvable} aer_solved={sum(row[3] for row in rows)} "
        f"honest_solved={sum(row[4] for row in rows)} "
        f"worst_ratio={max((ideal / aer for aer, ideal in both), default=0):.2f} wrong={wrong}"
    )


if __name__ == "__main__":
    main()
